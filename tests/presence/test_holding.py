"""What waits for Redis is bounded by who is here, however long it is away."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from presence.holding import Holding
from presence.identity import Identity
from presence.naming import Naming
from presence.roster import Reader
from presence.settings import PresenceSettings

SETTINGS = PresenceSettings()
NAMING = Naming(Identity(b"a secret of the tests that is long enough"), "demo", UTC)


def reader_id(number: int) -> bytes:
    return b"%016d" % number


def holding() -> Holding:
    return Holding("demo", NAMING, SETTINGS)


def test_a_join_waits_once_and_is_taken_once() -> None:
    one = holding()
    one.join(b"a")
    one.join(b"a")
    assert one.take_joins() == [b"a"]
    assert one.take_joins() == []


def test_who_comes_back_before_the_batch_has_not_left() -> None:
    one = holding()
    entry = one.join(b"a")
    one.leave(entry, 1.0)
    one.join(b"a")
    assert one.take_leaves(2.0) == {}


def test_the_shortest_visit_is_written_before_its_end() -> None:
    one = holding()
    one.leave(one.join(b"a"), 1.0)
    # It came and went while Redis was being told of others: not before its coming has been told.
    assert one.take_leaves(1.1) == {}
    assert one.take_joins() == [b"a"]
    assert one.take_leaves(1.2) == {b"a": 1.0}


def test_departures_that_could_not_be_written_wait_unless_the_reader_is_back() -> None:
    one = holding()
    for name in (b"a", b"b"):
        one.leave(one.join(name), 1.0)
    one.take_joins()
    leaves = one.take_leaves(1.1)
    one.join(b"b")
    one.put_back(leaves)
    assert one.take_leaves(1.2) == {b"a": 1.0}


def test_departures_older_than_a_lease_are_forgotten() -> None:
    one = holding()
    one.leave(one.join(b"a"), 1.0)
    one.leave(one.join(b"b"), 25.0)
    one.forget_lapsed(32.0)
    assert one.take_joins() == [b"b"]
    assert one.take_leaves(32.0) == {b"b": 25.0}


def test_a_draining_worker_sends_nobody_off() -> None:
    one = holding()
    entry = one.join(b"a")
    one.draining = True
    one.leave(entry, 1.0)
    assert one.take_leaves(1.0) == {}


class Outage(RuleBasedStateMachine):
    """Readers come and go while the store is away; then it is back, and is told a state that is true."""

    def __init__(self) -> None:
        super().__init__()
        self.holding = holding()
        self.now = 0.0
        self.here: list[Reader] = []
        self.left_at: dict[bytes, float] = {}

    @rule(number=st.integers(0, 20))
    def come(self, number: int) -> None:
        self.here.append(self.holding.join(reader_id(number)))
        self.left_at.pop(reader_id(number), None)

    @precondition(lambda self: self.here)
    @rule(which=st.integers(0, 1000))
    def go(self, which: int) -> None:
        entry = self.here.pop(which % len(self.here))
        self.holding.leave(entry, self.now)
        if entry not in self.here:
            self.left_at[entry.id] = self.now

    @rule(passed=st.floats(0.1, 20))
    def try_again_in_vain(self, passed: float) -> None:
        self.now += passed
        self.holding.put_back(self.holding.take_leaves(self.now))
        self.holding.forget_lapsed(self.now)

    @rule()
    def return_of_the_store(self) -> None:
        held = {entry.id for entry in self.here}
        assert set(self.holding.take_all()) == held
        leaves = self.holding.take_leaves(self.now)
        assert not leaves.keys() & held
        recent = {one for one, at in self.left_at.items() if at > self.now - SETTINGS.lease_seconds}
        assert leaves.keys() == recent
        self.left_at = {}

    @invariant()
    def only_those_wait_whose_lease_matters(self) -> None:
        leaving = set(self.holding._leaves)
        assert leaving <= self.left_at.keys()
        assert set(self.holding._joins) <= {entry.id for entry in self.here} | leaving

    @rule()
    def a_long_outage_leaves_nobody_behind(self) -> None:
        """Who came and went while nothing could be renewed does not stay in memory."""
        for _ in range(2):
            self.try_again_in_vain(passed=2 * SETTINGS.renew_seconds)
        assert sum(map(len, self.holding.roster._wheel)) == len(self.holding.roster)


TestOutage = pytest.mark.slow(Outage.TestCase)
TestOutage.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
