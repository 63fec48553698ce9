"""How many of a set of spans hold at each moment: a number that changes in steps. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from tests.truth.spans import Span


class Steps:
    """A number over time.

    Args:
        spans: It is one higher during each; at the very ends of a span it counts as inside.
    """

    def __init__(self, spans: Iterable[Span]) -> None:
        changes: dict[float, int] = {}
        for span in spans:
            if span.began < span.done:
                changes[span.began] = changes.get(span.began, 0) + 1
                changes[span.done] = changes.get(span.done, 0) - 1
        self.times = sorted(changes)
        self.values = [0]
        for time in self.times:
            self.values.append(self.values[-1] + changes[time])

    def at(self, time: float) -> int:
        """The number just after `time`."""
        return self.values[bisect_right(self.times, time)]

    def least(self, began: float, done: float) -> int:
        """The lowest from `began` to `done`, both included."""
        return min(self._during(began, done))

    def most(self, began: float, done: float) -> int:
        """The highest from `began` to `done`, both included."""
        return max(self._during(began, done))

    def _during(self, began: float, done: float) -> list[int]:
        return self.values[bisect_left(self.times, began) : bisect_right(self.times, done) + 1]
