"""Spans of time: when somebody could not run, and how long the rest of them waits.

All in seconds of one steady clock. A bound holds for a service that can run: where the harness, a worker or the store
stood still for x seconds, measured, whatever was due then may be x later. So a deadline is reached by counting only
the time in which all of them ran. Pure.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate
from math import inf
from typing import NamedTuple


class Span(NamedTuple):
    """From `began` to `done`. Of an act of ours: it takes effect somewhere between the two."""

    began: float
    done: float


def union(spans: Iterable[Span]) -> list[Span]:
    """The same moments as spans in order that neither touch nor overlap; empty ones are dropped."""
    joined: list[Span] = []
    for span in sorted(one for one in spans if one.began < one.done):
        if joined and span.began <= joined[-1].done:
            if span.done > joined[-1].done:
                joined[-1] = Span(joined[-1].began, span.done)
        else:
            joined.append(span)
    return joined


def without(whole: Span, holes: Iterable[Span]) -> list[Span]:
    """What is left of `whole` outside `holes`."""
    left = []
    at = whole.began
    for hole in union(holes):
        if hole.done <= at or hole.began >= whole.done:
            continue
        if hole.began > at:
            left.append(Span(at, hole.began))
        at = hole.done
    if at < whole.done:
        left.append(Span(at, whole.done))
    return left


class Stalls:
    """When somebody who was needed stood still.

    Args:
        spans: In any order; they may overlap.
    """

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self.spans = union(spans)
        self._ends = [span.done for span in self.spans]
        self._begins = [span.began for span in self.spans]
        lengths = [span.done - span.began for span in self.spans]
        self._before = [0.0, *accumulate(lengths)]

    def within(self, began: float, done: float) -> float:
        """How much of the time from `began` to `done` was lost."""
        if done <= began:
            return 0.0
        first, last = bisect_right(self._ends, began), bisect_left(self._begins, done)
        if first >= last:
            return 0.0
        lost = self._before[last] - self._before[first]
        return lost - max(0.0, began - self._begins[first]) - max(0.0, self._ends[last - 1] - done)

    def reach(self, began: float, seconds: float) -> float:
        """When `seconds` have passed since `began` in which nobody stood still."""
        if seconds == inf:
            return inf
        end = began + seconds
        for at in range(bisect_right(self._ends, began), len(self.spans)):
            span = self.spans[at]
            if span.began >= end:
                break
            end += span.done - max(span.began, began)
        return end
