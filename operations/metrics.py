"""Writes the figures of all workers in the format Prometheus reads.

Series that belong to one worker carry its number as the label ``worker``; sum over it for the node. Counters continue
where the predecessor of a replaced worker stopped.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from operations.figures import Histogram, WorkerReport, spokesmen

# Counters of one number: attribute, name, what it counts.
_COUNTERS = (
    ("vanished", "loa_sessions_vanished", "Sessions that did not answer a ping."),
    ("stalled", "loa_sessions_stalled", "Sessions aborted because they could not be written to."),
    ("messages_ignored", "loa_messages_ignored", "Messages from browsers that said nothing we know."),
    ("deliveries", "loa_deliveries", "Frames that broadcasts wrote to sessions."),
    ("delivery_bytes", "loa_delivery_bytes", "Bytes of those frames, before TLS."),
    ("deliveries_skipped", "loa_deliveries_skipped", "Counts left out for sessions that read slowly."),
    ("redis_errors", "loa_redis_errors", "Rounds of presence the store failed, and times the feed lost it."),
    ("redis_waits", "loa_redis_pool_waits", "Times all connections of a pool were in use and somebody had to wait."),
    ("redis_wait_seconds", "loa_redis_pool_wait_seconds", "How long those waits took altogether."),
    ("lease_batches", "loa_lease_batches", "Commands that wrote leases."),
    ("lease_batched", "loa_lease_batched", "Leases in them: over loa_lease_batches_total, the mean size of a batch."),
    ("lease_losses", "loa_lease_losses", "Times leases were missing in the store, and all were written anew."),
    ("forged", "loa_forged_ids", "Ids that browsers sent and this installation has not signed for the site."),
    ("history_errors", "loa_history_errors", "Writes of views, visits and history that the store failed."),
    ("webhook_retries", "loa_webhook_retries", "Tries to deliver to webhooks that were not the first."),
    ("acks_taken", "loa_acks_taken", "Acknowledgements of announcements that counted."),
    ("reach_writes", "loa_reach_writes", "Writes of whom announcements reached, one a second while there is news."),
    ("reach_errors", "loa_reach_errors", "Writes of whom announcements reached that the store failed."),
    ("cpu_seconds", "loa_worker_cpu_seconds", "Processor time of the worker."),
)
_COUNTERS_BY_KIND = (
    ("handshakes", "loa_handshakes", "outcome", "Handshakes by how they ended."),
    ("closes", "loa_session_closes", "code", "Sessions closed by the server, by close code."),
    ("joined", "loa_readers_joined", "site", "Readers that came to the worker; a second tab is none."),
    ("left", "loa_readers_left", "site", "Readers that went from the worker."),
    ("page_views", "loa_page_views", "site", "Page views."),
    ("webhook_deliveries", "loa_webhook_deliveries", "outcome", "Tries to deliver to webhooks, by what came of them."),
    ("acks_ignored", "loa_acks_ignored", "why", "Acknowledgements of announcements that did not count."),
)
_GAUGES = (
    ("longest_slice_seconds", "loa_fanout_longest_slice_seconds", "The longest a broadcast has held the event loop."),
    ("canary_last_seconds", "loa_canary_last_seconds", "How long the newest canary took."),
    ("canary_silence_seconds", "loa_canary_silence_seconds", "How long no canary has come."),
    ("feed_version", "loa_announcements_version", "Version of the announcements the worker has applied."),
    ("history_lag_seconds", "loa_history_lag_seconds", "How long the oldest view not in the store has waited."),
    ("webhook_dead", "loa_webhook_dead", "Deliveries that failed at every try and are kept; 0 where not delivering."),
    ("webhook_waiting_seconds", "loa_webhook_waiting_seconds", "How long the oldest delivery to a webhook has waited."),
    ("descriptors", "loa_worker_open_fds", "Open descriptors."),
    ("descriptors_allowed", "loa_worker_max_fds", "How many there may be; 0 for no limit."),
    ("resident_bytes", "loa_worker_resident_bytes", "Memory of the worker."),
)
_GAUGES_BY_KIND = (
    ("sessions", "loa_sessions", "site", "Open connections."),
    ("transports", "loa_sessions_by_transport", "transport", "Sessions by how their browsers follow."),
    ("freshness_seconds", "loa_readers_freshness_seconds", "site", "How late the count may be at worst, in force now."),
    ("readers", "loa_readers_held", "site", "Readers the worker holds a lease for."),
)
_HISTOGRAMS = (
    ("fanout", "loa_fanout_seconds", "From the call of an announcement's broadcast to its last write."),
    ("redis", "loa_redis_round_trip_seconds", "Round trips to the store."),
    ("canary", "loa_canary_seconds", "From the publishing of a canary to its coming out of the hub of its worker."),
    ("loop_lag", "loa_event_loop_lag_seconds", "How late the event loop ran what was due."),
    ("collector", "loa_gc_pause_seconds", "How long the garbage collector held the event loop."),
)


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """What the supervisor knows itself.

    Attributes:
        store_up: Whether the store answers.
        store_restarts: How often the embedded store had to be started again; 0 where there is none.
        ready: Whether the node is ready.
        reloads_failed: How often a new settings file was refused.
        reloaded: Whether the last one was not.
    """

    store_up: bool
    store_restarts: int
    ready: bool
    reloads_failed: int = 0
    reloaded: bool = True


def exposition(workers: Sequence[WorkerReport], node: NodeFigures, accept: str) -> tuple[bytes, str]:
    """The text and its content type, as the ``Accept`` header wishes."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(
        _Once(
            [
                *_of_node(workers, node),
                *_families(CounterMetricFamily, _COUNTERS, _COUNTERS_BY_KIND, workers),
                *_families(GaugeMetricFamily, _GAUGES, _GAUGES_BY_KIND, workers),
                _apart(workers),
                _behind(workers),
                *_histograms(workers),
            ]
        )
    )
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Once(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _of_node(workers: Sequence[WorkerReport], node: NodeFigures) -> Iterator[Metric]:
    build = {"version": version("loa"), "python": platform.python_version()}
    yield InfoMetricFamily("loa_build", "What runs here.", build)
    yield GaugeMetricFamily("loa_ready", "1 if the node is ready for readers.", int(node.ready))
    yield GaugeMetricFamily("loa_store_up", "1 if the store answers.", int(node.store_up))
    yield CounterMetricFamily("loa_store_restarts", "Times the embedded store was started again.", node.store_restarts)
    yield CounterMetricFamily(
        "loa_config_reload_failures", "Settings files that were refused while it ran.", node.reloads_failed
    )
    yield GaugeMetricFamily(
        "loa_config_last_reload_successful", "0 if the last settings file was refused.", int(node.reloaded)
    )
    yield GaugeMetricFamily("loa_workers_ready", "Workers that take readers in.", sum(one.ready for one in workers))
    restarts = CounterMetricFamily("loa_worker_restarts", "Times a worker was replaced.", labels=["worker"])
    for one in workers:
        restarts.add_metric([str(one.index)], one.restarts)
    yield restarts
    yield from _of_sites(workers)


def _of_sites(workers: Sequence[WorkerReport]) -> Iterator[Metric]:
    readers = GaugeMetricFamily("loa_readers", "Readers of the site, on all nodes.", labels=["site"])
    outdated = GaugeMetricFamily("loa_readers_stale", "1 if that count could not be renewed.", labels=["site"])
    states = GaugeMetricFamily("loa_readers_by_state", "The same by what they do.", labels=["site", "state"])
    for site, one in spokesmen(workers).items():
        readers.add_metric([site], one.online[site])
        outdated.add_metric([site], int(site in one.stale))
        for state, count in one.states.get(site, {}).items():
            states.add_metric([site, state], count)
    yield readers
    yield outdated
    yield states


def _families(
    kind: type[CounterMetricFamily] | type[GaugeMetricFamily],
    plain: Iterable[tuple[str, str, str]],
    labelled: Iterable[tuple[str, str, str, str]],
    workers: Sequence[WorkerReport],
) -> Iterator[Metric]:
    """The figures of two tables, each by worker; those of the second also by a label of their own."""
    for attribute, name, text in plain:
        family = kind(name, text, labels=["worker"])
        for one in workers:
            family.add_metric([str(one.index)], getattr(one.figures, attribute))
        yield family
    for attribute, name, label, text in labelled:
        family = kind(name, text, labels=["worker", label])
        for one in workers:
            for value, count in sorted(getattr(one.figures, attribute).items()):
                family.add_metric([str(one.index), value], count)
        yield family


def _apart(workers: Sequence[WorkerReport]) -> Metric:
    text = "Open connections that are no readers, by why: robots, hidden, prerendered, unanswered."
    family = GaugeMetricFamily("loa_sessions_apart", text, labels=["worker", "site", "why"])
    for one in workers:
        for site, counts in sorted(one.figures.apart.items()):
            for why, count in counts.items():
                family.add_metric([str(one.index), site, why], count)
    return family


def _behind(workers: Sequence[WorkerReport]) -> Metric:
    """All workers follow one log, so the one that is furthest says where it is."""
    text = "Versions of the announcements that another worker of the node has applied and this one has not."
    family = GaugeMetricFamily("loa_announcements_behind", text, labels=["worker"])
    newest = max((one.figures.feed_version for one in workers), default=0)
    for one in workers:
        family.add_metric([str(one.index)], newest - one.figures.feed_version)
    return family


def _histograms(workers: Sequence[WorkerReport]) -> Iterator[Metric]:
    for attribute, name, text in _HISTOGRAMS:
        histogram = HistogramMetricFamily(name, text, labels=["worker"])
        for one in workers:
            measured: Histogram | None = getattr(one.figures, attribute)
            if measured is not None:
                edges = [*map(str, measured.edges), "+Inf"]
                buckets = list(zip(edges, accumulate(measured.counts), strict=True))
                histogram.add_metric([str(one.index)], buckets, measured.seconds)
        yield histogram
