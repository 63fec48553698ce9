"""Counts gathered by minute."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from presence.history.sampling import LATE_MS, MOST_WAITING, Minute, Sampler
from presence.history.series import MINUTE_MS

AT = 1_795_651_200_000


def test_a_minute_is_due_when_it_is_over() -> None:
    sampler = Sampler()
    assert not sampler.observe(AT - 1, 0, None, True)
    assert sampler.observe(AT, 1, 4, False)
    assert not sampler.observe(AT + 500, 1, 4, False), "a count is taken once"
    assert sampler.observe(AT + 59_999, 2, 6, False)
    assert sampler.due(AT + 59_999) is None
    sampler.observe(AT + MINUTE_MS, 2, 6, False)
    # In the minute before, nothing was known.
    assert sampler.due(AT + MINUTE_MS) == Minute(AT, 6, 5.0, True)
    sampler.written()
    assert sampler.due(AT + 2 * MINUTE_MS) is None


def test_whoever_has_heard_a_part_of_a_minute_lets_others_go_first() -> None:
    sampler = Sampler()
    sampler.observe(AT + 30_000, 1, 4, False)
    sampler.observe(AT + MINUTE_MS, 2, 5, False)
    assert sampler.due(AT + MINUTE_MS + LATE_MS - 1) is None
    assert sampler.due(AT + MINUTE_MS + LATE_MS) == Minute(AT, 4, 4.0, False)


def test_a_minute_without_a_count_that_is_believed_is_none() -> None:
    sampler = Sampler()
    sampler.observe(AT, 1, 4, True)
    sampler.observe(AT + MINUTE_MS, 2, None, False)
    sampler.observe(AT + 2 * MINUTE_MS, 3, 1, False)
    assert sampler.due(AT + 9 * MINUTE_MS) is None


def test_a_store_that_is_away_for_hours_costs_little_memory() -> None:
    sampler = Sampler()
    for minute in range(3 * MOST_WAITING):
        sampler.observe(AT + minute * MINUTE_MS, minute + 1, minute, False)
    waiting = []
    while (due := sampler.due(AT + 10_000 * MINUTE_MS)) is not None:
        waiting.append(due.peak)
        sampler.written()
    assert waiting == [*range(2 * MOST_WAITING - 1, 3 * MOST_WAITING - 1)]


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=60))
def test_the_mean_is_never_over_the_peak(counts: list[int]) -> None:
    sampler = Sampler()
    for second, online in enumerate(counts):
        sampler.observe(AT + 1000 * second, second + 1, online, False)
    sampler.observe(AT + MINUTE_MS, 1000, 0, False)
    due = sampler.due(AT + 2 * MINUTE_MS)
    assert due is not None
    assert due.peak == max(counts)
    assert min(counts) <= due.mean <= due.peak
