"""Arithmetic of stalls: a deadline waits for the time that was lost, no more."""

from __future__ import annotations

from itertools import pairwise
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.truth.spans import Span, Stalls, union, without

moments = st.integers(0, 60).map(float)
spans = st.lists(st.tuples(moments, moments).map(lambda ends: Span(min(ends), max(ends))), max_size=6)


def covered(some: list[Span]) -> set[int]:
    """The whole seconds in them."""
    return {second for span in some for second in range(int(span.began), int(span.done))}


@settings(max_examples=50)
@given(spans)
def test_a_union_covers_the_same_in_order_and_once(some: list[Span]) -> None:
    joined = union(some)
    assert covered(joined) == covered(some)
    assert all(one.done < other.began for one, other in pairwise(joined))
    assert all(one.began < one.done for one in joined)


@settings(max_examples=50)
@given(spans, moments, moments)
def test_what_is_left_is_the_rest(holes: list[Span], began: float, done: float) -> None:
    whole = Span(began, done)
    assert covered(without(whole, holes)) == covered([whole]) - covered(holes)


@settings(max_examples=50)
@given(spans, moments, moments)
def test_lost_time_is_what_the_stalls_cover(some: list[Span], began: float, done: float) -> None:
    assert Stalls(some).within(began, done) == len(covered(some) & covered([Span(began, done)]))


@settings(max_examples=50)
@given(spans, moments, moments)
def test_a_deadline_is_reached_when_so_much_time_was_not_lost(some: list[Span], began: float, seconds: float) -> None:
    stalls = Stalls(some)
    end = stalls.reach(began, seconds)
    assert end - began - stalls.within(began, end) == seconds


def test_what_never_ends_is_never_reached() -> None:
    assert Stalls([Span(1, 2)]).reach(0, inf) == inf
    assert Stalls().reach(3, 4) == 7
