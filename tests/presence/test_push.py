"""When a count is pushed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.push import SHARE, Pace, Pushes


def test_an_unchanged_number_is_not_pushed() -> None:
    pushes = Pushes()
    assert pushes.due(0.0, 5, False, 1.0)
    assert not pushes.due(100.0, 5, False, 1.0)


def test_a_changed_number_waits_for_the_interval() -> None:
    pushes = Pushes()
    pushes.due(0.0, 5, False, 1.0)
    assert not pushes.due(0.9, 6, False, 1.0)
    assert pushes.due(1.0, 6, False, 1.0)


def test_between_none_and_one_goes_at_once() -> None:
    pushes = Pushes()
    pushes.due(0.0, 0, False, 60.0)
    assert pushes.due(0.1, 1, False, 60.0)
    assert pushes.due(0.2, 0, False, 60.0)
    assert not pushes.due(0.3, 2, False, 60.0)


def test_stale_goes_at_once_both_ways() -> None:
    pushes = Pushes()
    pushes.due(0.0, 5, False, 60.0)
    assert pushes.due(0.1, 5, True, 60.0)
    assert pushes.due(0.2, 5, False, 60.0)


def test_a_number_that_becomes_known_goes_at_once() -> None:
    pushes = Pushes()
    pushes.due(0.0, None, False, 60.0)
    assert pushes.due(0.1, 5000, False, 60.0)


def test_whoever_was_greeted_with_another_number_is_put_right() -> None:
    pushes = Pushes()
    pushes.due(0.0, 5, False, 1.0)
    pushes.greeted(6)
    assert pushes.due(2.0, 5, False, 1.0), "the newcomer would show 6 for ever"
    pushes.greeted(5)
    assert not pushes.due(4.0, 5, False, 1.0)


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 4), st.booleans(), st.booleans()), max_size=60))
def test_in_the_end_every_session_shows_the_number(steps: list[tuple[float, int, bool, bool]]) -> None:
    """Sessions that were greeted at any time, and told what was pushed since, agree once the number rests."""
    pushes = Pushes()
    shown: list[tuple[int, bool]] = []
    now = 0.0
    online, stale = 0, False
    for passed, number, away, comes in steps:
        now += passed
        online, stale = number, away
        if comes:
            pushes.greeted(online)
            shown.append((online, stale))
        if pushes.due(now, online, stale, 1.0):
            shown = [(online, stale) for _ in shown]
    if pushes.due(now + 1.001, online, stale, 1.0):
        shown = [(online, stale) for _ in shown]
    assert all(number == online for number, _ in shown)


def test_the_interval_grows_with_the_sessions() -> None:
    pace = Pace()
    assert pace.interval(100, 1.0) == 1.0
    assert pace.interval(18_000, 1.0) == 18_000 * pace.seconds_per_delivery / SHARE


@given(st.integers(100, 50_000), st.floats(3e-6, 190e-6), st.integers(60, 90))
def test_counts_cost_a_tenth_of_a_core_once_the_cost_is_learnt(sessions: int, each: float, pushes: int) -> None:
    pace = Pace()
    for _ in range(pushes):
        pace.learn(sessions, sessions * each)
    share = sessions * each / pace.interval(sessions, 0.0)
    assert share <= 1.05 * SHARE


@given(st.lists(st.tuples(st.integers(0, 20_000), st.floats(0, 60)), max_size=50), st.integers(0, 20_000))
def test_no_measurement_however_odd_stops_the_pushes(seen: list[tuple[int, float]], sessions: int) -> None:
    pace = Pace()
    for number, seconds in seen:
        pace.learn(number, seconds)
    assert 1.0 <= pace.interval(sessions, 1.0) <= max(1.0, sessions * 200e-6 / SHARE)


def test_a_storm_of_other_work_does_not_make_the_number_late() -> None:
    pace = Pace()
    before = pace.interval(10_000, 1.0)
    pace.learn(10_000, 3.0)
    assert pace.interval(10_000, 1.0) < 3 * before
    pace.learn(10_000, 0.14)
    assert pace.interval(10_000, 1.0) == pytest.approx(0.14 / SHARE)


def test_a_handful_teaches_nothing() -> None:
    pace = Pace()
    before = pace.seconds_per_delivery
    pace.learn(3, 0.1)
    assert pace.seconds_per_delivery == before
