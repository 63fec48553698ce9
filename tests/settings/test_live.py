"""What stands in for settings, and what a reload makes of two of them."""

from __future__ import annotations

from typing import ClassVar

import msgspec
import pytest

from settings.live import adopt, compare, stand_in


class Room(msgspec.Struct, frozen=True, kw_only=True):
    LIVE: ClassVar = frozenset({"most", "least"})

    least: int = 1
    most: int = 10
    port: int = 80

    def __post_init__(self) -> None:
        if self.most < self.least:
            raise ValueError("most is less than least")

    @property
    def both(self) -> int:
        return self.least + self.most


class Fixed(msgspec.Struct, frozen=True, kw_only=True):
    url: str = ""


class House(msgspec.Struct, frozen=True, kw_only=True):
    room: Room = Room()
    fixed: Fixed = Fixed()
    rooms: dict[str, Room] = {}


def test_what_stands_in_is_what_was_adopted_last() -> None:
    standing_in = stand_in(Room())
    assert (standing_in.most, standing_in.both) == (10, 11)
    adopt(standing_in, Room(most=20))
    assert (standing_in.most, standing_in.both) == (20, 21)
    with pytest.raises(AttributeError):
        _ = standing_in.nothing  # type: ignore[attr-defined]


def test_equal_settings_change_nothing() -> None:
    old = House(rooms={"a": Room()})
    change = compare(old, House(rooms={"a": Room()}))
    assert (change.settings, change.applied, change.waiting) == (old, [], [])
    assert change.settings.rooms["a"] is old.rooms["a"]


def test_what_is_live_is_applied_and_the_rest_waits() -> None:
    change = compare(House(), House(room=Room(most=20, port=81), fixed=Fixed(url="redis://x")))
    assert change.settings == House(room=Room(most=20))
    assert change.applied == ["room.most"]
    assert change.waiting == ["room.port", "fixed.url"]


def test_members_come_go_and_change() -> None:
    old = House(rooms={"a": Room(), "b": Room(), "c": Room()})
    change = compare(old, House(rooms={"d": Room(port=1), "a": Room(), "b": Room(least=2, port=2)}))
    assert change.settings.rooms == {"d": Room(port=1), "a": Room(), "b": Room(least=2)}
    assert change.settings.rooms["a"] is old.rooms["a"]
    assert change.applied == ["rooms.d", "rooms.c", "rooms.b.least"]
    assert change.waiting == ["rooms.b.port"]


def test_what_is_live_must_go_with_what_is_not() -> None:
    class Tight(Room, frozen=True, kw_only=True):
        LIVE: ClassVar = frozenset({"most"})

    class Hut(msgspec.Struct, frozen=True, kw_only=True):
        room: Tight

    with pytest.raises(ValueError, match="most is less than least"):
        compare(Hut(room=Tight(least=5)), Hut(room=Tight(least=1, most=2)))
