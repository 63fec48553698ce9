"""Reads the figures off the rooms of a worker. The rooms count, and know nothing of who reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.hub import FANOUT_EDGES, Hub
from gateway.tasks import Caretaker
from notifications.feed import Feed
from operations.figures import Histogram, WorkerFigures
from presence.counter import Presence
from presence.figures import ROUND_TRIP_EDGES


def read(
    sites: Iterable[str],
    *,
    door: Door,
    desk: FrontDesk,
    hub: Hub,
    presence: Presence,
    feed: Feed,
    caretaker: Caretaker,
) -> WorkerFigures:
    """What the rooms have counted so far, and why this worker should get no new readers, if so."""
    ids = list(sites)
    counts = {site: presence.count(site) for site in ids}
    stale = [site for site, count in counts.items() if count.stale]
    position = feed.applied
    return WorkerFigures(
        sessions={site: hub.sessions(site) for site in ids},
        readers={site: len(presence.holdings[site].roster) for site in ids},
        online={site: count.online for site, count in counts.items() if count.online is not None},
        stale=stale,
        handshakes=dict(door.handshakes),
        closes={str(int(code)): number for code, number in door.closes.items()},
        vanished=door.vanished,
        stalled=door.stalled + hub.aborted,
        messages_ignored=desk.ignored,
        deliveries=hub.deliveries,
        deliveries_skipped=hub.skipped,
        redis_errors=presence.figures.errors + feed.outages,
        fanout=_histogram(FANOUT_EDGES, hub.fanout_buckets, hub.fanout_seconds),
        redis=_histogram(ROUND_TRIP_EDGES, presence.figures.round_trips, presence.figures.round_trip_seconds),
        longest_slice_seconds=hub.longest_slice,
        feed_version=position.version if position is not None else 0,
        unready=_unready(door, feed, caretaker, stale),
    )


def _unready(door: Door, feed: Feed, caretaker: Caretaker, stale: Sequence[str]) -> list[str]:
    reasons = [f"background task {name!r} has died" for name in caretaker.failures]
    if door.draining:
        reasons.append("draining")
    if not feed.fresh:
        reasons.append("announcements: the log has not been heard for a while")
    if stale:
        reasons.append(f"presence: the count is stale for {', '.join(stale)}")
    return reasons


def _histogram(edges: Sequence[float], counts: Sequence[int], seconds: float) -> Histogram:
    return Histogram(edges=list(edges), counts=list(counts), seconds=seconds)
