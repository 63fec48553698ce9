"""Reads the figures off the rooms of a worker. The rooms count, and know nothing of who reads."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.hub import FANOUT_EDGES, Hub
from gateway.tasks import Caretaker
from notifications.canary import CANARY_EDGES
from notifications.feed import Feed
from notifications.reach.recorder import Recorder as ReachRecorder
from notifications.webhooks.deliverer import Deliverer
from operations.figures import Histogram, WorkerFigures
from presence.counter import Presence
from presence.figures import ROUND_TRIP_EDGES
from presence.history.recorder import Recorder
from store.connection import Pool


def read(
    sites: Iterable[str],
    *,
    door: Door,
    desk: FrontDesk,
    hub: Hub,
    presence: Presence,
    recorder: Recorder,
    feed: Feed,
    webhooks: Deliverer,
    reach: ReachRecorder,
    caretaker: Caretaker,
    pools: Sequence[Pool],
) -> WorkerFigures:
    """What the rooms have counted so far, and why this worker should get no new readers, if so."""
    ids = list(sites)
    counts = {site: presence.count(site) for site in ids}
    stale = [site for site, count in counts.items() if count.stale]
    position = feed.applied
    canary = feed.canary
    return WorkerFigures(
        sessions={site: hub.sessions(site) for site in ids},
        transports=dict(door.by_way),
        apart={site: presence.holdings[site].aside.apart._asdict() for site in ids},
        readers={site: len(presence.holdings[site].roster) for site in ids},
        online={site: count.online for site, count in counts.items() if count.online is not None},
        states={site: count.states._asdict() for site, count in counts.items() if count.states is not None},
        stale=stale,
        handshakes=dict(door.handshakes),
        closes={str(int(code)): number for code, number in door.closes.items()},
        vanished=door.vanished,
        stalled=door.stalled + hub.aborted,
        messages_ignored=desk.ignored,
        deliveries=hub.deliveries,
        delivery_bytes=hub.octets,
        deliveries_skipped=hub.skipped,
        redis_errors=presence.figures.errors + feed.outages,
        redis_waits=sum(pool.waits for pool in pools),
        redis_wait_seconds=sum(pool.waited_seconds for pool in pools),
        joined={site: presence.holdings[site].roster.joined for site in ids},
        left={site: presence.holdings[site].roster.left for site in ids},
        lease_batches=presence.figures.batches,
        lease_batched=presence.figures.batched,
        lease_losses=presence.figures.losses,
        forged=presence.figures.forged,
        freshness_seconds={site: presence.bounds(site).freshness_seconds for site in ids},
        page_views=recorder.views,
        history_errors=recorder.errors,
        history_lag_seconds=recorder.lag_seconds,
        webhook_deliveries=dict(webhooks.outcomes),
        webhook_retries=webhooks.retries,
        webhook_dead=webhooks.dead,
        webhook_waiting_seconds=webhooks.waiting_seconds,
        acks_taken=reach.hearing.taken,
        acks_ignored=dict(reach.hearing.ignored),
        reach_writes=reach.batches,
        reach_errors=reach.errors,
        fanout=_histogram(FANOUT_EDGES, hub.fanout_buckets, hub.fanout_seconds),
        redis=_histogram(ROUND_TRIP_EDGES, presence.figures.round_trips, presence.figures.round_trip_seconds),
        canary=_histogram(CANARY_EDGES, canary.buckets, canary.seconds) if canary else None,
        canary_last_seconds=canary.last_seconds if canary else 0.0,
        canary_silence_seconds=canary.silence_seconds(time.monotonic()) if canary else 0.0,
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
    if feed.canary is not None and (trouble := feed.canary.trouble(time.monotonic())):
        reasons.append(f"announcements: {trouble}")
    if stale:
        reasons.append(f"presence: the count is stale for {', '.join(stale)}")
    return reasons


def _histogram(edges: Sequence[float], counts: Sequence[int], seconds: float) -> Histogram:
    return Histogram(edges=list(edges), counts=list(counts), seconds=seconds)
