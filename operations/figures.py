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

    def since(self, before: Histogram | None) -> Histogram:
        """What was counted since it was `before`; all of it, where that was another one."""
        if before is None or before.edges != self.edges:
            return self
        counts = [max(0, now - then) for now, then in zip(self.counts, before.counts, strict=True)]
        return Histogram(edges=self.edges, counts=counts, seconds=max(0.0, self.seconds - before.seconds))

    def quantile(self, share: float) -> float | None:
        """What `share` of all are at most, by a straight line within a bucket; None if there is none.

        The last edge, where it lies beyond.
        """
        wanted = share * sum(self.counts)
        if not wanted:
            return None
        low, below = 0.0, 0
        for high, count in zip(self.edges, self.counts, strict=False):
            if below + count >= wanted:
                return low + (high - low) * (wanted - below) / count
            low, below = high, below + count
        return self.edges[-1]

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
        transports: Open connections, by how their browsers follow: ``websocket``, ``sse`` or ``poll``.
        apart: Open connections that are no readers, by site and by why: robots, hidden, prerendered, unanswered.
        readers: Readers this worker holds a lease for, by site.
        online: Readers of the whole site, as this worker last heard; a site whose count is unknown is left out.
        states: The same by what they do, by site and ``reading``, ``idle`` or ``background``.
        stale: Sites whose count could not be renewed.
        handshakes: Handshakes so far, by how they ended (``accepted``, ``origin``, …).
        closes: Sessions closed by us so far, by close code.
        vanished: Sessions so far that did not answer a ping.
        stalled: Sessions so far that were aborted because they could not be written to.
        messages_ignored: Messages from browsers so far that said nothing we know.
        deliveries: Frames written to sessions so far by broadcasts.
        delivery_bytes: Bytes of those frames so far.
        deliveries_skipped: Counts so far that were not written to a slow session.
        redis_errors: Rounds of presence so far that the store failed, and times the feed of announcements lost it.
        redis_waits: Times so far that all connections of a pool were in use and somebody had to wait.
        redis_wait_seconds: How long that took so far.
        joined, left: Readers that came to and went from this worker so far, by site; a second tab is neither.
        lease_batches: Commands so far that wrote leases.
        lease_batched: Leases in them so far; over `lease_batches`, the mean size of a batch.
        lease_losses: Times so far that leases were missing in the store, and all were written anew.
        forged: Ids of browsers so far that were not ours.
        freshness_seconds: How late the number of a site may be at worst, by the terms in force now, by site.
        page_views: Page views so far, by site.
        history_errors: Writes of views, visits and history so far that the store failed.
        history_lag_seconds: How long the oldest view that is not in the store has waited.
        webhook_deliveries: Tries to deliver to webhooks so far, by what came of them.
        webhook_retries: Those of them so far that were not the first.
        webhook_dead: How many deliveries are dead; 0 where another worker delivers.
        webhook_waiting_seconds: How long the oldest delivery has waited; 0 where another worker delivers.
        acks_taken: Acknowledgements of announcements so far that counted.
        acks_ignored: Those so far that did not, by why.
        reach_writes: Writes of whom announcements reached so far.
        reach_errors: Such writes so far that the store failed.
        fanout: From a broadcast's call to its last write.
        redis: Round trips to the store.
        canary: From the sending of a canary until it came through the hub; None where none is sent.
        canary_last_seconds: How long the newest that came took.
        canary_silence_seconds: How long none has come.
        longest_slice_seconds: The longest a slice of a broadcast has held the event loop.
        feed_version: Version of the announcements that is applied.
        loop_lag: How late the event loop ran what was due; the shell measures it.
        collector: How long the garbage collector held the loop, each time; the shell fills it in.
        descriptors: Open descriptors; the shell fills it in.
        descriptors_allowed: How many there may be; 0 for no limit. The shell fills it in.
        cpu_seconds: Processor time so far; the shell fills it in.
        resident_bytes: Memory; the shell fills it in.
        unready: Why this worker should get no new readers, a line each; empty when all is well.
    """

    sessions: dict[str, int] = {}
    transports: dict[str, int] = {}
    apart: dict[str, dict[str, int]] = {}
    readers: dict[str, int] = {}
    online: dict[str, int] = {}
    states: dict[str, dict[str, int]] = {}
    stale: list[str] = []
    handshakes: dict[str, int] = {}
    closes: dict[str, int] = {}
    vanished: int = 0
    stalled: int = 0
    messages_ignored: int = 0
    deliveries: int = 0
    delivery_bytes: int = 0
    deliveries_skipped: int = 0
    redis_errors: int = 0
    redis_waits: int = 0
    redis_wait_seconds: float = 0.0
    joined: dict[str, int] = {}
    left: dict[str, int] = {}
    lease_batches: int = 0
    lease_batched: int = 0
    lease_losses: int = 0
    forged: int = 0
    freshness_seconds: dict[str, float] = {}
    page_views: dict[str, int] = {}
    history_errors: int = 0
    history_lag_seconds: float = 0.0
    webhook_deliveries: dict[str, int] = {}
    webhook_retries: int = 0
    webhook_dead: int = 0
    webhook_waiting_seconds: float = 0.0
    acks_taken: int = 0
    acks_ignored: dict[str, int] = {}
    reach_writes: int = 0
    reach_errors: int = 0
    fanout: Histogram | None = None
    redis: Histogram | None = None
    canary: Histogram | None = None
    canary_last_seconds: float = 0.0
    canary_silence_seconds: float = 0.0
    longest_slice_seconds: float = 0.0
    feed_version: int = 0
    loop_lag: Histogram | None = None
    collector: Histogram | None = None
    descriptors: int = 0
    descriptors_allowed: int = 0
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


def spokesmen(workers: Iterable[WorkerReport]) -> dict[str, WorkerFigures]:
    """Whose word is taken for each site.

    Every worker counts the whole site, so one speaks for all: one whose count is fresh, if there is any.
    """
    found: dict[str, WorkerFigures] = {}
    for one in workers:
        for site in one.figures.online:
            if site not in found or (site in found[site].stale and site not in one.figures.stale):
                found[site] = one.figures
    return found


def online(workers: Iterable[WorkerReport]) -> dict[str, tuple[int, bool]]:
    """How many readers each site has, and whether that is stale."""
    return {site: (one.online[site], site in one.stale) for site, one in spokesmen(workers).items()}


COUNTERS = (
    "vanished",
    "stalled",
    "messages_ignored",
    "deliveries",
    "delivery_bytes",
    "deliveries_skipped",
    "redis_errors",
    "redis_waits",
    "redis_wait_seconds",
    "lease_batches",
    "lease_batched",
    "lease_losses",
    "forged",
    "history_errors",
    "webhook_retries",
    "acks_taken",
    "reach_writes",
    "reach_errors",
    "cpu_seconds",
)
COUNTERS_BY_KIND = ("handshakes", "closes", "joined", "left", "page_views", "webhook_deliveries", "acks_ignored")
# What a worker has as long as it lives, and two in one place have together; and `apart`.
HELD = ("sessions", "transports", "readers")
HISTOGRAMS = ("fanout", "redis", "canary", "loop_lag", "collector")


def plus(now: WorkerFigures, before: WorkerFigures) -> WorkerFigures:
    """The figures `now`, with all that only grows continued from `before`."""
    changes: dict[str, object] = {name: getattr(now, name) + getattr(before, name) for name in COUNTERS}
    for name in COUNTERS_BY_KIND:
        changes[name] = _together(getattr(now, name), getattr(before, name))
    for name in HISTOGRAMS:
        mine, theirs = getattr(now, name), getattr(before, name)
        changes[name] = mine.plus(theirs) if mine is not None and theirs is not None else mine or theirs
    return msgspec.structs.replace(now, **changes)


def beside(other: WorkerFigures, now: WorkerFigures) -> WorkerFigures:
    """The figures `now`, and with them those of a worker that is in the same place for a moment: all it counted, and
    the sessions it still has."""
    changes: dict[str, object] = {name: _together(getattr(now, name), getattr(other, name)) for name in HELD}
    changes["apart"] = {
        site: _together(now.apart.get(site, {}), other.apart.get(site, {})) for site in {**other.apart, **now.apart}
    }
    return msgspec.structs.replace(plus(now, other), **changes)


def _together(mine: dict[str, int], theirs: dict[str, int]) -> dict[str, int]:
    return {kind: mine.get(kind, 0) + theirs.get(kind, 0) for kind in {**theirs, **mine}}


def ended(last: WorkerFigures) -> WorkerFigures:
    """What remains of a worker that has gone: all it counted, and nothing that it held."""
    return plus(WorkerFigures(), last)
