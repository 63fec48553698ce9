"""What a worker knows about itself, as it travels to the supervisor, and how figures add up. Pure.

The rooms below hold plain attributes and know nothing of this; the roof reads them into a :class:`WorkerFigures`
when the supervisor asks. Counters only grow while their worker lives; what a worker counted before it died is
:func:`carried over <ended>` to the one that takes its place, so that no total ever goes backwards.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

# Upper edges in seconds; the last bucket of every histogram is for what is longer than all of them.
LAG_EDGES = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)


class Histogram(msgspec.Struct, kw_only=True):
    """How long something took, each time.

    Attributes:
        edges: Upper edges of the buckets, in seconds, growing.
        counts: How many fell into each bucket, and at the end how many were longer; one more than `edges`.
        seconds: The sum of all.
    """

    edges: list[float]
    counts: list[int]
    seconds: float = 0.0

    @classmethod
    def over(cls, edges: Iterable[float]) -> Histogram:
        """An empty one."""
        upper = list(edges)
        return cls(edges=upper, counts=[0] * (len(upper) + 1))

    def observe(self, seconds: float) -> None:
        """Counts one."""
        self.counts[bisect_left(self.edges, seconds)] += 1
        self.seconds += seconds

    def plus(self, other: Histogram) -> Histogram:
        """Both together; where `edges` differ, as after an upgrade, this one alone."""
        if self.edges != other.edges:
            return self
        counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        return Histogram(edges=self.edges, counts=counts, seconds=self.seconds + other.seconds)


class WorkerFigures(msgspec.Struct, kw_only=True):
    """The figures of one worker.

    Attributes:
        sessions: Open connections, by site.
        readers: Readers this worker holds a lease for, by site.
        online: Readers of the whole site, as this worker last heard; a site whose count is unknown is left out.
        stale: Sites whose count could not be renewed.
        handshakes: Handshakes so far, by how they ended (``accepted``, ``origin``, …).
        closes: Sessions closed by us so far, by close code.
        vanished: Sessions so far that did not answer a ping.
        stalled: Sessions so far that were aborted because they could not be written to.
        messages_ignored: Messages from browsers so far that said nothing we know.
        deliveries: Frames written to sessions so far by broadcasts.
        deliveries_skipped: Counts so far that were not written to a slow session.
        redis_errors: Rounds of presence so far that the store failed, and times the feed of announcements lost it.
        fanout: From a broadcast's call to its last write.
        redis: Round trips to the store.
        longest_slice_seconds: The longest a slice of a broadcast has held the event loop.
        feed_version: Version of the announcements that is applied.
        loop_lag: How late the event loop ran what was due; the shell measures it.
        cpu_seconds: Processor time so far; the shell fills it in.
        resident_bytes: Memory; the shell fills it in.
        unready: Why this worker should get no new readers, a line each; empty when all is well.
    """

    sessions: dict[str, int] = {}
    readers: dict[str, int] = {}
    online: dict[str, int] = {}
    stale: list[str] = []
    handshakes: dict[str, int] = {}
    closes: dict[str, int] = {}
    vanished: int = 0
    stalled: int = 0
    messages_ignored: int = 0
    deliveries: int = 0
    deliveries_skipped: int = 0
    redis_errors: int = 0
    fanout: Histogram | None = None
    redis: Histogram | None = None
    longest_slice_seconds: float = 0.0
    feed_version: int = 0
    loop_lag: Histogram | None = None
    cpu_seconds: float = 0.0
    resident_bytes: int = 0
    unready: list[str] = []


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """One worker as it is now: `pid` is None while it is being replaced, `figures` include its predecessors' totals."""

    index: int
    pid: int | None
    ready: bool
    restarts: int
    figures: WorkerFigures


COUNTERS = (
    "vanished",
    "stalled",
    "messages_ignored",
    "deliveries",
    "deliveries_skipped",
    "redis_errors",
    "cpu_seconds",
)
COUNTERS_BY_KIND = ("handshakes", "closes")
HISTOGRAMS = ("fanout", "redis", "loop_lag")


def plus(now: WorkerFigures, before: WorkerFigures) -> WorkerFigures:
    """The figures `now`, with all that only grows continued from `before`."""
    changes: dict[str, object] = {name: getattr(now, name) + getattr(before, name) for name in COUNTERS}
    for name in COUNTERS_BY_KIND:
        mine, theirs = getattr(now, name), getattr(before, name)
        changes[name] = {kind: mine.get(kind, 0) + theirs.get(kind, 0) for kind in {**theirs, **mine}}
    for name in HISTOGRAMS:
        mine, theirs = getattr(now, name), getattr(before, name)
        changes[name] = mine.plus(theirs) if mine is not None and theirs is not None else mine or theirs
    return msgspec.structs.replace(now, **changes)


def ended(last: WorkerFigures) -> WorkerFigures:
    """What remains of a worker that has gone: all it counted, and nothing that it held."""
    return plus(WorkerFigures(), last)
