"""What waits for Redis is bounded by who is here, however long it is away."""

from __future__ import annotations

from datetime import UTC
from itertools import groupby
from typing import Literal

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from presence.holding import Departure, Holding
from presence.identity import Identity
from presence.naming import Naming
from presence.roster import Attention, Tab
from presence.settings import PresenceSettings

SETTINGS = PresenceSettings()
NAMING = Naming(Identity(b"a secret of the tests that is long enough"), "demo", UTC)


def reader_id(number: int) -> bytes:
    return b"%016d" % number


def holding() -> Holding:
    return Holding("demo", NAMING, SETTINGS)


def joins(one: Holding) -> list[bytes]:
    return [reader.id for reader in one.take_joins()]


def left(one: Holding, now: float) -> dict[bytes, float]:
    """Who has left the site."""
    return {leave.reader: leave.at for leave in one.take_leaves(now) if leave.place is None}


def test_a_join_waits_once_and_is_taken_once() -> None:
    one = holding()
    one.join(b"a")
    one.join(b"a")
    assert joins(one) == [b"a"]
    assert joins(one) == []


def test_those_due_stand_with_those_of_their_page_and_pages_with_those_of_their_section() -> None:
    one = holding()
    one.take_due(0.0)
    for number in range(600):
        one.join(reader_id(number), section=f"s{number % 3}", page=f"/{number % 12}" if number % 5 else "")
    tab = one.join(reader_id(600), section="s0", page="/0")
    one.join(reader_id(600), section="s1", page="/1")
    one.leave(one.join(reader_id(601), section="s1", page="/1"), 1.0)
    due = one.take_due(SETTINGS.renew_seconds + 0.1)
    assert sorted(reader.id for reader in due) == [reader_id(number) for number in range(601)]
    assert tab.reader in due

    def at(kind: str) -> list[str]:
        return [place.name if (place := getattr(reader.tabs[0], kind)) else "" for reader in due]

    where = list(zip(at("section"), at("page"), strict=True))
    assert len(list(groupby(at("section")))) == 3
    assert len(list(groupby(where))) == len(set(where))


def test_all_due_are_renewed_where_nothing_but_the_site_is_counted() -> None:
    one = Holding("demo", NAMING, msgspec.structs.replace(SETTINGS, scopes=[]))
    one.take_due(0.0)
    for number in range(50):
        one.join(reader_id(number), section="a", page="/")
    assert len(one.take_due(SETTINGS.renew_seconds)) == 50


def test_who_comes_back_before_the_batch_has_not_left() -> None:
    one = holding()
    entry = one.join(b"a")
    one.leave(entry, 1.0)
    one.join(b"a")
    assert left(one, 2.0) == {}


def test_the_shortest_visit_is_written_before_its_end() -> None:
    one = holding()
    one.leave(one.join(b"a"), 1.0)
    # It came and went while Redis was being told of others: not before its coming has been told.
    assert left(one, 1.1) == {}
    assert joins(one) == [b"a"]
    assert left(one, 1.2) == {b"a": 1.0}


def test_departures_that_could_not_be_written_wait_unless_the_reader_is_back() -> None:
    one = holding()
    for name in (b"a", b"b"):
        one.leave(one.join(name), 1.0)
    one.take_joins()
    leaves = one.take_leaves(1.1)
    one.join(b"b")
    one.put_back(leaves)
    assert left(one, 1.2) == {b"a": 1.0}


def test_departures_older_than_a_lease_are_forgotten() -> None:
    one = holding()
    one.leave(one.join(b"a"), 1.0)
    one.leave(one.join(b"b"), 25.0)
    one.forget_lapsed(32.0)
    assert joins(one) == [b"b"]
    assert left(one, 32.0) == {b"b": 25.0}


def test_a_draining_worker_sends_nobody_off() -> None:
    one = holding()
    entry = one.join(b"a")
    one.draining = True
    one.leave(entry, 1.0)
    assert left(one, 1.0) == {}


def test_a_tab_that_moves_leaves_the_page_and_not_the_section() -> None:
    one = holding()
    tab = one.join(b"a", section="news", page="/1")
    assert joins(one) == [b"a"]
    one.move(tab, "news", "/2", "", 5.0)
    old, new = one.places.get("page", "/1"), one.places.get("page", "/2")
    assert old is not None and new is not None and (old.readers, new.readers) == (0, 1)
    assert tab.reader.places == {new, one.places.get("section", "news")}
    # The new page first: its lease is to be written.
    assert one.take_leaves(5.1) == []
    assert joins(one) == [b"a"]
    assert one.take_leaves(5.2) == [Departure(b"a", old, 5.0)]


def test_a_page_is_left_with_the_last_tab_on_it() -> None:
    one = holding()
    first, second = one.join(b"a", page="/1"), one.join(b"a", page="/1")
    place = one.places.get("page", "/1")
    assert place is not None and place.readers == 1
    one.take_joins()
    one.leave(first, 1.0)
    assert one.take_leaves(1.1) == []
    one.leave(second, 2.0)
    assert {leave.place for leave in one.take_leaves(2.1)} == {None, place}
    assert place.readers == 0


def test_coming_back_to_a_page_before_the_batch_is_not_leaving_it() -> None:
    one = holding()
    tab = one.join(b"a", page="/1")
    one.take_joins()
    one.move(tab, "", "/2", "", 1.0)
    one.move(tab, "", "/1", "", 1.1)
    one.take_joins()
    assert [leave.place and leave.place.name for leave in one.take_leaves(1.2)] == ["/2"]


def test_a_departure_from_a_page_that_could_not_be_written_waits_unless_the_reader_is_back() -> None:
    one = holding()
    tab = one.join(b"a", page="/1")
    one.take_joins()
    one.move(tab, "", "/2", "", 1.0)
    one.take_joins()
    leaves = one.take_leaves(1.1)
    one.put_back(leaves)
    assert one.take_leaves(1.2) == leaves
    one.move(tab, "", "/1", "", 2.0)
    one.take_joins()
    one.take_leaves(2.1)
    one.put_back(leaves)
    assert one.take_leaves(2.2) == []


def test_who_turns_to_a_page_is_told_of_at_once_and_who_turns_away_is_renewed_in_time() -> None:
    one = holding()
    tab = one.join(b"a", attention=Attention.BACKGROUND)
    joins(one)
    one.turn(tab, Attention.READING)
    assert joins(one) == [b"a"]
    one.turn(tab, Attention.IDLE)
    assert joins(one) == []
    # Another tab that is less than the first changes nothing.
    one.join(b"a", attention=Attention.BACKGROUND)
    assert joins(one) == []
    one.join(b"a", attention=Attention.READING)
    assert joins(one) == [b"a"]


@pytest.mark.parametrize("scopes", [[], ["section"], ["page"]])
def test_only_the_scopes_of_the_settings_are_counted(scopes: list[Literal["section", "page"]]) -> None:
    one = Holding("demo", NAMING, msgspec.structs.replace(SETTINGS, scopes=scopes))
    tab = one.join(b"a", section="news", page="/1")
    assert [place.kind for place in one.places] == scopes
    one.move(tab, "sport", "/2", "", 1.0)
    assert {place.kind for place in one.places} == set(scopes)


class Outage(RuleBasedStateMachine):
    """Readers come and go while the store is away; then it is back, and is told a state that is true."""

    def __init__(self) -> None:
        super().__init__()
        self.holding = holding()
        self.now = 0.0
        self.here: list[Tab] = []
        self.left_at: dict[bytes, float] = {}

    @rule(number=st.integers(0, 20))
    def come(self, number: int) -> None:
        self.here.append(self.holding.join(reader_id(number), page=f"/{number % 3}", section="s"))
        self.left_at.pop(reader_id(number), None)

    @precondition(lambda self: self.here)
    @rule(which=st.integers(0, 1000))
    def go(self, which: int) -> None:
        entry = self.here.pop(which % len(self.here))
        self.holding.leave(entry, self.now)
        if entry.reader.id not in self.held():
            self.left_at[entry.reader.id] = self.now

    def held(self) -> set[bytes]:
        return {tab.reader.id for tab in self.here}

    @rule(passed=st.floats(0.1, 20))
    def try_again_in_vain(self, passed: float) -> None:
        self.now += passed
        self.holding.put_back(self.holding.take_leaves(self.now))
        self.holding.forget_lapsed(self.now)

    @rule()
    def return_of_the_store(self) -> None:
        assert {reader.id for reader in self.holding.take_all()} == self.held()
        leaves = left(self.holding, self.now)
        assert not leaves.keys() & self.held()
        recent = {one for one, at in self.left_at.items() if at > self.now - SETTINGS.lease_seconds}
        assert leaves.keys() == recent
        self.left_at = {}

    @invariant()
    def only_those_wait_whose_lease_matters(self) -> None:
        leaving = {reader for reader, place in self.holding._leaves if place is None}
        assert leaving <= self.left_at.keys()
        assert set(self.holding._joins) <= self.held() | {reader for reader, _ in self.holding._leaves}

    @invariant()
    def places_hold_who_is_there(self) -> None:
        for place in self.holding.places:
            there = {tab.reader.id for tab in self.here if place in (tab.section, tab.page)}
            assert place.readers == len(there)

    @rule()
    def a_long_outage_leaves_nobody_behind(self) -> None:
        """Who came and went while nothing could be renewed does not stay in memory."""
        for _ in range(2):
            self.try_again_in_vain(passed=2 * SETTINGS.renew_seconds)
        assert sum(map(len, self.holding.roster._wheel)) == len(self.holding.roster)


TestOutage = pytest.mark.slow(Outage.TestCase)
TestOutage.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
