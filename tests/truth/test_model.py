"""Between which values a number must lie, by hand for each kind of end and fault; and what always holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.truth.history import STORE, Fault, History, How, Visit
from tests.truth.making import FRONT, NEWS, PROMISE, SPORT, history, moved, turned, visit
from tests.truth.model import Model
from tests.truth.segments import Number
from tests.truth.spans import Span

SITE = Number("site")


def bounds(
    happened: History, number: Number = SITE, observer: int = 1, *, stalled: bool = True
) -> Callable[[float], tuple[int, int]]:
    """The lowest and the highest value allowed, at a moment."""
    lower, upper = Model(happened, PROMISE, stalled=stalled).expectation(number, observer)
    return lambda time: (lower.at(time), upper.at(time))


def test_who_comes_may_be_counted_at_once_and_must_be_after_join() -> None:
    at = bounds(history(visit(1, 10.0)))
    assert [at(time) for time in (9.9, 10.0, 11.3, 11.5, 500.0)] == [(0, 0), (0, 1), (0, 1), (1, 1), (1, 1)]


def test_who_was_never_greeted_must_never_be_counted() -> None:
    one = visit(1, 10.0, 12.0, How.LOST)
    one.opened = Span(10.0, float("inf"))
    at = bounds(history(one))
    assert [at(time) for time in (11.9, 15.9, 16.1)] == [(0, 1), (0, 1), (0, 0)]


def test_of_a_visit_shorter_than_a_batch_nothing_is_promised_but_that_it_ends() -> None:
    at = bounds(history(visit(1, 10.0, 10.2)))
    assert [at(time) for time in (10.1, 11.6, 14.1, 14.3)] == [(0, 1), (0, 1), (0, 1), (0, 0)]


@pytest.mark.parametrize(
    ("how", "sure", "over"),
    [(How.CLOSED, 21.5, 24.0), (How.LOST, 21.5, 24.0), (How.VANISHED, 21.5, 27.0), (How.KILLED, 21.6, 24.3)],
)
def test_who_goes_must_be_counted_for_a_grace_and_may_be_until_the_bound(how: How, sure: float, over: float) -> None:
    at = bounds(history(visit(1, 10.0, 20.0, how)))
    assert at(sure - 0.1) == (1, 1)
    assert at(sure + 0.1) == (0, 1)
    assert at(over - 0.1) == (0, 1)
    assert at(over + 0.1) == (0, 0)


def test_turning_a_page_is_no_departure() -> None:
    at = bounds(history(visit(1, 10.0, 20.0), visit(1, 20.05)))
    assert {at(time / 10) for time in range(115, 400)} == {(1, 1)}


def test_two_tabs_are_one_reader() -> None:
    at = bounds(history(visit(1, 10.0, 30.0), visit(1, 12.0, worker=1)))
    assert {at(time / 10) for time in range(115, 600)} == {(1, 1)}


def test_a_killed_worker_may_not_have_told_of_a_departure() -> None:
    kill = Fault("kill", 0, Span(22.0, 25.0))
    at = bounds(history(visit(1, 10.0, 20.0), faults=(kill,)))
    assert at(26.2) == (0, 1)
    assert at(26.4) == (0, 0)


def test_readers_of_a_frozen_worker_lapse_and_are_back_when_it_wakes() -> None:
    freeze = Fault("freeze", 0, Span(20.0, 30.0))
    at = bounds(history(visit(1, 10.0), faults=(freeze,)))
    assert at(21.5) == (1, 1)
    assert at(22.0) == (0, 1)
    assert at(24.4) == (0, 0)
    assert at(30.1) == (0, 1)
    assert at(31.5) == (1, 1)


def test_what_happens_at_a_frozen_worker_is_heard_of_when_it_wakes() -> None:
    freeze = Fault("freeze", 0, Span(20.0, 30.0))
    at = bounds(history(visit(1, 10.0, 25.0), faults=(freeze,)))
    assert at(24.4) == (0, 0)
    assert at(33.9) == (0, 1)
    assert at(34.1) == (0, 0)


def test_a_lease_that_another_worker_cut_lapses_sooner_at_a_frozen_one() -> None:
    freeze = Fault("freeze", 0, Span(20.0, 22.0))
    both = (visit(1, 10.0), visit(1, 10.0, 19.9, worker=2))
    assert bounds(history(both[0], faults=(freeze,)))(21.5) == (1, 1)
    assert bounds(history(*both, faults=(freeze,)))(21.5) == (0, 1)


def test_every_deadline_waits_while_somebody_stands_still() -> None:
    stalls = {0: [Span(20.5, 21.0)], STORE: [Span(21.0, 21.5)], 2: [Span(22.0, 23.0)]}
    happened = history(visit(1, 10.0, 20.0), stalls=stalls)
    assert bounds(happened)(24.9) == (0, 1)
    assert bounds(happened)(25.1) == (0, 0)
    assert bounds(happened, stalled=False)(24.1) == (0, 0)
    # Of a worker that has nothing to do with it nobody waits.
    assert bounds(happened, observer=2)(25.9) == (0, 1)


def test_places_follow_the_reader() -> None:
    one = moved(moved(visit(1, 10.0, place=FRONT), 20.0, NEWS), 40.0, SPORT)
    news, sport = bounds(history(one), Number("section", "thoi-su")), bounds(history(one), Number("page", SPORT.path))
    assert [news(time) for time in (19.9, 20.5, 21.8, 41.4, 41.6, 44.4)] == [
        (0, 0),
        (0, 1),
        (1, 1),
        (1, 1),
        (0, 1),
        (0, 0),
    ]
    assert [sport(time) for time in (39.9, 41.8, 400.0)] == [(0, 0), (1, 1), (1, 1)]
    assert bounds(history(one))(41.0) == (1, 1)


def test_a_move_within_a_section_is_none() -> None:
    one = moved(visit(1, 10.0, place=NEWS), 20.0, NEWS._replace(path="/thoi-su/2"))
    at = bounds(history(one), Number("section", "thoi-su"))
    assert {at(time / 10) for time in range(120, 600)} == {(1, 1)}


def test_a_reader_is_in_one_state_soon_in_a_higher_one_and_later_in_a_lower() -> None:
    one = turned(turned(visit(1, 10.0, attention=2), 20.0, 0), 40.0, 1)
    reading, idle, away = (bounds(history(one), Number(state)) for state in ("reading", "idle", "background"))
    assert [away(time) for time in (19.9, 20.1, 21.8)] == [(1, 1), (0, 1), (0, 0)]
    assert [reading(time) for time in (19.9, 20.1, 21.8, 39.9, 41.0, 45.5)] == [
        (0, 0),
        (0, 1),
        (1, 1),
        (1, 1),
        (0, 1),
        (0, 0),
    ]
    assert [idle(time) for time in (39.9, 40.1, 45.5)] == [(0, 0), (0, 1), (1, 1)]


def test_the_most_attentive_tab_decides() -> None:
    both = history(visit(1, 10.0, attention=2), visit(1, 10.0, worker=1))
    assert bounds(both, Number("reading"))(20.0) == (1, 1)
    assert bounds(both, Number("background"))(20.0) == (0, 0)
    model = Model(both, PROMISE)
    assert (model.truth(Number("reading")).at(20.0), model.truth(Number("background")).at(20.0)) == (1, 0)


def test_a_third_state_may_come_between_two() -> None:
    """Read on one worker, idle on another: when the first turns away it may be the sooner to say what it is now."""
    both = history(turned(visit(1, 10.0), 20.0, 2), visit(1, 10.0, worker=1, attention=1))
    away = bounds(both, Number("background"), observer=2)
    assert [away(time) for time in (19.9, 22.0, 25.5)] == [(0, 0), (0, 1), (0, 0)]


def test_the_grace_is_that_of_the_first_of_two_closes_shortly_one_after_the_other() -> None:
    at = bounds(history(visit(1, 10.0, 20.0), visit(1, 10.0, 20.8, worker=1)))
    assert [at(time) for time in (21.4, 21.6, 25.1)] == [(1, 1), (0, 1), (0, 0)]
    at = bounds(history(visit(1, 10.0, 20.0), visit(1, 10.0, 22.0, worker=1)))
    assert at(23.4) == (1, 1)


def test_the_truth_is_who_has_a_page_open_also_while_it_comes_back() -> None:
    model = Model(history(visit(1, 10.0, 20.0, How.KILLED), visit(1, 20.6, worker=1), visit(2, 15.0, 18.0)), PROMISE)
    truth = model.truth(SITE)
    assert [truth.at(time) for time in (9.0, 11.0, 16.0, 19.0, 20.3, 21.0)] == [0, 1, 2, 1, 1, 1]


def test_the_number_means_who_has_a_page_open_or_closed_the_last_within_the_grace() -> None:
    model = Model(history(visit(1, 10.0, 20.0), visit(1, 21.0, 30.0), visit(2, 15.0, 18.0)), PROMISE)
    meant = model.meant(SITE)
    assert [meant.at(time) for time in (9.9, 10.1, 15.1, 19.4, 19.6, 20.5, 31.4, 31.6)] == [0, 1, 2, 2, 1, 1, 1, 0]
    assert model.truth(SITE).at(20.5) == 0
    assert [model.meant(Number("reading")).at(time) for time in (18.5, 19.6, 31.4, 31.6)] == [2, 1, 1, 0]


times = st.floats(0, 60).map(lambda time: round(time, 1))
visits = st.builds(
    lambda reader, worker, opened, lasts, how: visit(reader, opened, opened + lasts, how, worker=worker),
    st.integers(1, 4),
    st.integers(0, 2),
    times,
    times,
    st.sampled_from([How.CLOSED, How.VANISHED, How.LOST]),
)
freezes = st.builds(lambda worker, at, lasts: Fault("freeze", worker, Span(at, at + lasts)), st.just(0), times, times)


@given(st.lists(visits, max_size=8), st.lists(freezes, max_size=1))
@settings(max_examples=60)
def test_must_is_never_more_than_may_and_all_is_exact_in_the_end(some: list[Visit], faults: list[Fault]) -> None:
    happened = history(*some, faults=tuple(faults))
    at = bounds(happened)
    for time in range(0, 1400, 7):
        least, most = at(time / 10)
        assert 0 <= least <= most <= len({one.reader for one in some})
    assert at(200.0) == (0, 0)


@given(st.lists(visits, max_size=8), st.lists(st.tuples(times, times), max_size=4))
@settings(max_examples=60)
def test_stalls_only_widen(some: list[Visit], stood: list[tuple[float, float]]) -> None:
    happened = history(*some, stalls={STORE: [Span(began, began + lasts / 10) for began, lasts in stood]})
    wide, strict = bounds(happened), bounds(happened, stalled=False)
    for time in range(0, 1400, 7):
        (low, high), (least, most) = wide(time / 10), strict(time / 10)
        assert low <= least
        assert most <= high
