"""The last hour of this node in samples of ten seconds, and what happened in it. Pure.

It lives in the supervisor, which asks its workers anyway, and nowhere else: a restart of the service begins it anew.
What only grows is told per window, so a sample stands for itself. Bounded: 360 samples, the sites with most readers in
each, and the newest events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import msgspec

from operations.figures import Histogram, WorkerReport, online

PERIOD_SECONDS = 10.0
KEPT = 360
MOST_SITES = 12
MOST_EVENTS = 50
# A window that is shorter says little: then the one before is added to it.
_SHORTEST_SECONDS = 4.0

Kind: TypeAlias = Literal[
    "started", "worker_restarted", "store_lost", "store_back", "store_restarted", "slow_readers", "unready", "ready"
]


class WorkerSample(msgspec.Struct, kw_only=True, frozen=True):
    """A worker at a time.

    Attributes:
        index: Which one.
        pid: Its process; None while it is being replaced.
        ready: Whether it takes readers in.
        restarts: How often it was replaced so far.
        sessions: Open connections.
        loop_lag_seconds: How late its loop ran, 99 of 100 times at most; None if that was not measured.
        canary_seconds: How long its newest canary took.
        silence_seconds: How long none has come.
        busy: Share of a core it used.
        resident_bytes: Memory.
    """

    index: int
    pid: int | None
    ready: bool
    restarts: int
    sessions: int
    loop_lag_seconds: float | None
    canary_seconds: float
    silence_seconds: float
    busy: float
    resident_bytes: int


class Sample(msgspec.Struct, kw_only=True, frozen=True):
    """The node at a time. Times are the 99th percentile of the window; None where nothing happened in it.

    Attributes:
        at: Unix time in seconds.
        sessions: Open connections.
        readers: Readers of all sites, as this node last heard.
        sites: Those of the sites that have most.
        deliveries: Frames written to sessions, a second.
        fanout_seconds: From the call of an announcement's broadcast to its last write.
        redis_seconds: Round trips to the store.
        redis_errors: Times the store failed, in the window.
        stalled: Readers aborted because they read too slowly, in the window.
        loop_lag_seconds: Of the worker whose loop was latest.
        canary_seconds: Of the worker whose canary took longest; its silence, if that is longer than two periods.
        resident_bytes: Memory of all workers.
        reasons: Why the node is not ready; empty if it is.
        workers: Each.
    """

    at: float
    sessions: int
    readers: int
    sites: dict[str, int]
    deliveries: float
    fanout_seconds: float | None
    redis_seconds: float | None
    redis_errors: int
    stalled: int
    loop_lag_seconds: float | None
    canary_seconds: float | None
    resident_bytes: int
    reasons: list[str]
    workers: list[WorkerSample]


class Event(msgspec.Struct, kw_only=True, frozen=True):
    """What happened.

    Attributes:
        at: Unix time in seconds, at most a period late.
        kind: What.
        worker: To which worker, if to one.
        number: How many of it.
        text: What the store or the readiness said.
    """

    at: float
    kind: Kind
    worker: int | None = None
    number: int = 0
    text: str = ""


class Node(msgspec.Struct, kw_only=True, frozen=True):
    """What travels to a worker that shows it, and to ``loa top``.

    Attributes:
        host: The machine's name for itself.
        version: Of Loa.
        period_seconds: Between two samples.
        now: The newest, which is no part of the hour yet.
        hour: The oldest first.
        events: The newest first.
    """

    host: str
    version: str
    period_seconds: float
    now: Sample
    hour: list[Sample]
    events: list[Event]


class Look(msgspec.Struct, kw_only=True, frozen=True):
    """All there is to see at a time, see :class:`operations.listener.Watch`."""

    at: float
    workers: list[WorkerReport]
    store_failure: str
    store_restarts: int
    reasons: list[str]


class Hour:
    """Keeps the hour."""

    def __init__(self) -> None:
        self.samples: deque[Sample] = deque(maxlen=KEPT)
        self.events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._before: deque[Look] = deque(maxlen=2)

    def keep(self, look: Look) -> Sample:
        """Adds a sample, and what has happened since the last one."""
        taken = self.sample(look)
        if self._before:
            self.events.extendleft(_events(self._before[-1], look))
        else:
            self.events.appendleft(Event(at=look.at, kind="started", number=len(look.workers)))
        self._before.append(look)
        self.samples.append(taken)
        return taken

    def node(self, look: Look, host: str, version: str) -> Node:
        """The node as it is now, with its hour."""
        return Node(
            host=host,
            version=version,
            period_seconds=PERIOD_SECONDS,
            now=self.sample(look),
            hour=[*self.samples],
            events=[*self.events],
        )

    def sample(self, look: Look) -> Sample:
        """What `look` shows against the looks that were kept."""
        before = next((one for one in reversed(self._before) if look.at - one.at >= _SHORTEST_SECONDS), None)
        return _sample(before, look)


def _sample(before: Look | None, look: Look) -> Sample:
    earlier = {one.index: one for one in before.workers} if before is not None else {}
    seconds = look.at - before.at if before is not None else 0.0
    workers = [_worker(earlier.get(one.index), one, seconds) for one in look.workers]
    pairs = [(earlier.get(one.index), one) for one in look.workers]
    counts = {site: count for site, (count, _) in online(look.workers).items()}
    most = sorted(counts, key=lambda site: (-counts[site], site))[:MOST_SITES]
    lags = [one.loop_lag_seconds for one in workers if one.loop_lag_seconds is not None]
    canaries = [_canary(one) for one in workers if one.pid is not None]
    return Sample(
        at=look.at,
        sessions=sum(one.sessions for one in workers),
        readers=sum(counts.values()),
        sites={site: counts[site] for site in most},
        deliveries=_grown(pairs, "deliveries") / seconds if seconds else 0.0,
        fanout_seconds=_quantile(pairs, "fanout"),
        redis_seconds=_quantile(pairs, "redis"),
        redis_errors=_grown(pairs, "redis_errors"),
        stalled=_grown(pairs, "stalled"),
        loop_lag_seconds=max(lags, default=None),
        canary_seconds=max(canaries, default=None),
        resident_bytes=sum(one.resident_bytes for one in workers),
        reasons=look.reasons,
        workers=workers,
    )


Pair: TypeAlias = tuple[WorkerReport | None, WorkerReport]


def _worker(before: WorkerReport | None, now: WorkerReport, seconds: float) -> WorkerSample:
    figures = now.figures
    busy = figures.cpu_seconds - before.figures.cpu_seconds if before is not None and seconds else 0.0
    return WorkerSample(
        index=now.index,
        pid=now.pid,
        ready=now.ready,
        restarts=now.restarts,
        sessions=sum(figures.sessions.values()),
        loop_lag_seconds=_quantile([(before, now)], "loop_lag"),
        canary_seconds=figures.canary_last_seconds,
        silence_seconds=figures.canary_silence_seconds,
        busy=max(0.0, busy / seconds) if seconds else 0.0,
        resident_bytes=figures.resident_bytes,
    )


def _canary(one: WorkerSample) -> float:
    # One a second is sent: of a silence of less nothing follows.
    return one.silence_seconds if one.silence_seconds > 2 else one.canary_seconds


def _grown(pairs: Sequence[Pair], name: str) -> int:
    return sum(
        max(0, getattr(now.figures, name) - getattr(before.figures, name))
        for before, now in pairs
        if before is not None
    )


def _quantile(pairs: Sequence[Pair], name: str) -> float | None:
    """The 99th percentile of what was measured between the two looks, of all workers together."""
    total: Histogram | None = None
    for before, now in pairs:
        measured: Histogram | None = getattr(now.figures, name)
        if before is None or measured is None:
            continue
        grown = measured.since(getattr(before.figures, name))
        total = grown if total is None else total.plus(grown)
    return total.quantile(0.99) if total is not None else None


def _events(before: Look, now: Look) -> Iterator[Event]:
    """What has happened between the two, in the order in which it matters least first."""
    earlier = {one.index: one for one in before.workers}
    slow = _grown([(earlier.get(one.index), one) for one in now.workers], "stalled")
    if slow:
        yield Event(at=now.at, kind="slow_readers", number=slow)
    if now.reasons and not before.reasons:
        yield Event(at=now.at, kind="unready", text="; ".join(now.reasons)[:300])
    elif before.reasons and not now.reasons:
        yield Event(at=now.at, kind="ready")
    for one in now.workers:
        was = earlier.get(one.index)
        if was is not None and one.restarts > was.restarts:
            yield Event(at=now.at, kind="worker_restarted", worker=one.index, number=one.restarts - was.restarts)
    if now.store_restarts > before.store_restarts:
        yield Event(at=now.at, kind="store_restarted", number=now.store_restarts - before.store_restarts)
    failed = _grown([(earlier.get(one.index), one) for one in now.workers], "redis_errors")
    if now.store_failure and not before.store_failure:
        yield Event(at=now.at, kind="store_lost", text=now.store_failure[:300])
    elif before.store_failure and not now.store_failure:
        yield Event(at=now.at, kind="store_back")
    elif failed and not now.store_failure:
        # Lost and back between two samples.
        yield Event(at=now.at, kind="store_lost", number=failed)
