"""What this room counts about itself: plain numbers that others may read.

Readers and the number of each site are with the site: see :class:`presence.holding.Holding`.
"""

from __future__ import annotations

from bisect import bisect_left

# Upper edges of the histogram of round trips to Redis, in seconds.
ROUND_TRIP_EDGES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Figures:
    """Since the worker started.

    Attributes:
        batches: Commands that wrote leases.
        batched: Readers in them; over `batches`, the mean size.
        counts: Counts asked for.
        swept: Lapsed leases deleted.
        errors: Times the store failed.
        losses: Times leases were found missing and all were renewed.
        refused: Batches the store refused because their day was over.
        forged: Visitor tokens that were not ours.
        round_trips: Histogram over ROUND_TRIP_EDGES, the last for what took longer.
        round_trip_seconds: Their sum.
    """

    __slots__ = (
        "batched",
        "batches",
        "counts",
        "errors",
        "forged",
        "losses",
        "refused",
        "round_trip_seconds",
        "round_trips",
        "swept",
    )

    def __init__(self) -> None:
        self.batches = 0
        self.batched = 0
        self.counts = 0
        self.swept = 0
        self.errors = 0
        self.losses = 0
        self.refused = 0
        self.forged = 0
        self.round_trips = [0] * (len(ROUND_TRIP_EDGES) + 1)
        self.round_trip_seconds = 0.0

    def round_trip(self, seconds: float) -> None:
        """A command took `seconds` from being sent to being answered."""
        self.round_trips[bisect_left(ROUND_TRIP_EDGES, seconds)] += 1
        self.round_trip_seconds += seconds
