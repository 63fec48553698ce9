"""The number as shown."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from presence.apart import Apart
from presence.gauge import Gauge, States, Tally


def members(gauge: Gauge, held: int) -> object:
    return msgspec.json.decode(b"{" + gauge.members(held) + b"}")


def test_nothing_is_known_at_first() -> None:
    gauge = Gauge()
    assert members(gauge, 3) == {"online": None, "as_of": None, "stale": True}
    assert gauge.count(3) == (None, None, True, None, Apart())


def test_a_count_is_shown_with_its_time() -> None:
    gauge = Gauge()
    gauge.counted(1.0, Tally(5716, 0, 0, 1_795_407_915_900))
    assert members(gauge, 10) == {"online": 5716, "as_of": "2026-11-23T04:25:15.900Z", "stale": False}


def test_readers_are_told_apart_by_what_they_do() -> None:
    gauge = Gauge()
    gauge.counted(1.0, Tally(3, 1, 8, 0))
    assert (gauge.online, gauge.states, gauge.rounds) == (12, (3, 1, 8), 1)
    assert msgspec.json.decode(b"{" + gauge.when() + b"}") == {"as_of": "1970-01-01T00:00:00.000Z", "stale": False}


def test_nobody_is_shown_fewer_than_are_here() -> None:
    gauge = Gauge()
    gauge.counted(1.0, Tally(0, 0, 0, 0))
    assert gauge.shown(1) == 1
    assert b'"online":1,' in gauge.members(1)


def test_the_last_number_stays_when_the_store_is_away() -> None:
    gauge = Gauge()
    gauge.counted(1.0, Tally(7, 0, 0, 0))
    gauge.lost()
    assert gauge.count(2) == (7, "1970-01-01T00:00:00.000Z", True, States(7, 0, 0), Apart())
    assert b'"stale":true' in gauge.members(2)
    gauge.counted(2.0, Tally(8, 0, 0, 0))
    assert gauge.count(2).stale is False


def test_a_silent_store_makes_the_number_stale() -> None:
    gauge = Gauge()
    gauge.counted(10.0, Tally(7, 0, 0, 0))
    gauge.watch(13.0, 3.0)
    assert gauge.stale is False
    gauge.watch(13.1, 3.0)
    assert gauge.stale is True


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans(), st.integers(0, 3)), max_size=20))
def test_the_members_kept_are_never_out_of_date(steps: list[tuple[int, int, bool, int]]) -> None:
    gauge = Gauge()
    for online, held, away, at_ms in steps:
        gauge.counted(0.0, Tally(online, 0, 0, at_ms))
        if away:
            gauge.lost()
        count = gauge.count(held)
        assert members(gauge, held) == {"online": count.online, "as_of": count.as_of, "stale": count.stale}
