"""The roster against a naive model, and how evenly it spreads renewals."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from presence.roster import SLOTS, Attention, Reader, Roster, Tab

INTERVAL = 10.0


def reader_id(number: int) -> bytes:
    return b"%016d" % number


class RosterModel(RuleBasedStateMachine):
    """Sessions come and go and time passes; every reader is renewed once per interval, and only while it is here."""

    def __init__(self) -> None:
        super().__init__()
        self.roster = Roster()
        self.now = 1000.0
        self.sessions: list[Tab] = []
        self.renewed_at: dict[bytes, float] = {}
        self.roster.due(self.now, INTERVAL)

    @rule(number=st.integers(0, 12))
    def open(self, number: int) -> None:
        here = {tab.reader.id for tab in self.sessions}
        tab, new = self.roster.join(reader_id(number))
        assert new is (reader_id(number) not in here)
        if new:
            self.renewed_at[tab.reader.id] = self.now
        self.sessions.append(tab)

    @precondition(lambda self: self.sessions)
    @rule(which=st.integers(0, 1000))
    def close(self, which: int) -> None:
        tab = self.sessions.pop(which % len(self.sessions))
        last = all(other.reader is not tab.reader for other in self.sessions)
        assert self.roster.leave(tab) is last
        if last:
            del self.renewed_at[tab.reader.id]

    @rule(passed=st.floats(0, 25))
    def wait(self, passed: float) -> None:
        self.now += passed
        due = [reader.id for reader in self.roster.due(self.now, INTERVAL)]
        assert len(due) == len(set(due)), "renewed twice at once"
        assert set(due) <= self.renewed_at.keys(), "renewed though it has left"
        for one in due:
            self.renewed_at[one] = self.now

    @invariant()
    def nobody_waits_longer_than_an_interval(self) -> None:
        slot = INTERVAL / SLOTS
        assert all(self.now - at <= INTERVAL + slot for at in self.renewed_at.values())

    @invariant()
    def it_holds_those_with_a_session(self) -> None:
        assert {reader.id for reader in self.roster.everyone()} == {tab.reader.id for tab in self.sessions}
        assert all(len(reader.tabs) for reader in self.roster.everyone())
        assert len(self.roster) == len(self.renewed_at)
        assert self.roster.joined - self.roster.left == len(self.roster)


TestRosterModel = pytest.mark.slow(RosterModel.TestCase)
TestRosterModel.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_two_tabs_are_one_reader() -> None:
    roster = Roster()
    first, new = roster.join(b"a")
    second, again = roster.join(b"a")
    assert (new, again, len(roster)) == (True, False, 1)
    assert not roster.leave(first)
    assert roster.leave(second)
    assert b"a" not in roster


def test_readers_that_come_at_once_are_renewed_evenly() -> None:
    roster = Roster()
    roster.due(0.0, INTERVAL)
    for number in range(10_000):
        roster.join(reader_id(number))
    beats = [len(roster.due(beat / 10, INTERVAL)) for beat in range(1, 101)]
    assert sum(beats) == 10_000
    assert max(beats) <= 2 * 10_000 / SLOTS + 2


@pytest.mark.parametrize("interval", [10.0, 20.0, 12.3])
def test_renewals_leave_in_few_full_batches_and_nobody_waits_for_them(interval: float) -> None:
    """Waiting for others to be renewed with must lengthen no interval: a grace has little to spare."""
    roster, beat = Roster(), 0.1
    renewed: dict[bytes, list[float]] = {}
    full = 0
    for number in range(16_000):
        roster.join(reader_id(number))
    for tick in range(round(3 * interval / beat) + 2):
        due = roster.due(tick * beat, interval)
        full += bool(due)
        for reader in due:
            renewed.setdefault(reader.id, []).append(tick * beat)
    assert len(renewed) == 16_000
    apart = [later - earlier for times in renewed.values() for earlier, later in pairwise(times)]
    assert min(apart) >= interval - beat - 1e-6
    assert max(apart) <= interval + beat + 1e-6
    assert full <= 3 * 16 + 1, "renewed in dribs and drabs"


@pytest.mark.parametrize("interval", [10.0, 20.0])
def test_a_longer_interval_slows_the_hand(interval: float) -> None:
    roster = Roster()
    roster.due(0.0, interval)
    for number in range(1280):
        roster.join(reader_id(number))
    assert len(roster.due(interval / 2, interval)) == 640


def test_after_a_long_silence_each_is_due_once() -> None:
    roster = Roster()
    roster.due(0.0, INTERVAL)
    for number in range(500):
        roster.join(reader_id(number))
    assert sorted(reader.id for reader in roster.due(86_400.0, INTERVAL)) == [
        reader_id(number) for number in range(500)
    ]


def test_a_clock_that_steps_back_harms_nothing() -> None:
    roster = Roster()
    roster.due(100.0, INTERVAL)
    roster.join(b"a")
    assert roster.due(50.0, INTERVAL) == []
    assert [reader.id for reader in roster.due(60.0 + INTERVAL / SLOTS, INTERVAL)] == [b"a"]


def test_an_entry_is_small() -> None:
    reader = Reader(reader_id(1), [])
    reader.tabs.append(Tab(reader, Attention.READING))
    assert sum(map(sys.getsizeof, (reader, reader.id, reader.tabs, *reader.tabs))) <= 300


def test_a_reader_is_what_the_most_attentive_tab_makes_it() -> None:
    roster = Roster()
    first, _ = roster.join(b"a", Attention.BACKGROUND)
    assert first.reader.attention is Attention.BACKGROUND
    second, _ = roster.join(b"a", Attention.IDLE)
    assert first.reader.attention is Attention.IDLE
    first.attention = Attention.READING
    assert second.reader.attention is Attention.READING
    roster.leave(first)
    assert second.reader.attention is Attention.IDLE


@pytest.mark.parametrize("said", ["reading", "", "READING", "asleep"])
def test_what_says_nothing_we_know_is_reading(said: str) -> None:
    assert Attention.named(said) is Attention.READING


def test_nothing_refers_back_to_a_tab_that_was_closed() -> None:
    """Readers and tabs are out of the collector's sight."""
    roster = Roster()
    first, _ = roster.join(b"a")
    second, _ = roster.join(b"a")
    reader = first.reader
    # Two of the local names, one of the list of tabs; `getrefcount` adds its own.
    assert sys.getrefcount(first) == 3
    roster.leave(first)
    assert sys.getrefcount(first) == 2
    roster.leave(second)
    roster.due(0.0, INTERVAL)
    roster.due(2 * INTERVAL, INTERVAL)
    del first, second
    assert sys.getrefcount(reader) == 2
