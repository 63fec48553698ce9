"""How long it took until readers saw an announcement: a histogram with fixed edges, which workers can add up.

The edges are whole milliseconds, each 5 % above the one before and at least 1 ms, up to an hour. So a quantile, found
by interpolation between two edges, is off by less than 5 % or 1 ms, however many readers there are.

Pure.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from math import ceil

GROWTH = 1.05
LONGEST_MS = 3_600_000


def _edges() -> tuple[int, ...]:
    edges = [1]
    while edges[-1] < LONGEST_MS:
        edges.append(min(LONGEST_MS, max(edges[-1] + 1, int(edges[-1] * GROWTH))))
    return tuple(edges)


# Upper edges of the buckets; whatever took longer than an hour is in the last.
EDGES_MS = _edges()


def bucket(milliseconds: float) -> int:
    """The bucket of a time; one below zero, as clocks may have it, is in the first."""
    return min(bisect_left(EDGES_MS, milliseconds), len(EDGES_MS) - 1)


def quantile(counts: Mapping[int, int], share: float) -> int | None:
    """The time within which `share` of all were done, in milliseconds; None if there were none.

    Args:
        counts: How many are in each bucket.
        share: Above 0, at most 1.
    """
    total = sum(counts.values())
    if total == 0:
        return None
    wanted = share * total
    passed = 0
    for number in sorted(counts):
        here = counts[number]
        if passed + here >= wanted:
            low = EDGES_MS[number - 1] if number else 0
            return ceil(low + (EDGES_MS[number] - low) * (wanted - passed) / here)
        passed += here
    raise AssertionError("the last bucket holds the rest")
