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

from operations.figures import Histogram, WorkerReport

# Counters of one number: attribute, name, what it counts.
_COUNTERS = (
    ("vanished", "loa_sessions_vanished", "Sessions that did not answer a ping."),
    ("stalled", "loa_sessions_stalled", "Sessions aborted because they could not be written to."),
    ("messages_ignored", "loa_messages_ignored", "Messages from browsers that said nothing we know."),
    ("deliveries", "loa_deliveries", "Frames that broadcasts wrote to sessions."),
    ("deliveries_skipped", "loa_deliveries_skipped", "Counts left out for sessions that read slowly."),
    ("redis_errors", "loa_redis_errors", "Rounds of presence the store failed, and times the feed lost it."),
    ("cpu_seconds", "loa_worker_cpu_seconds", "Processor time of the worker."),
)
_COUNTERS_BY_KIND = (
    ("handshakes", "loa_handshakes", "outcome", "Handshakes by how they ended."),
    ("closes", "loa_session_closes", "code", "Sessions closed by the server, by close code."),
)
_GAUGES = (
    ("longest_slice_seconds", "loa_fanout_longest_slice_seconds", "The longest a broadcast has held the event loop."),
    ("feed_version", "loa_announcements_version", "Version of the announcements the worker has applied."),
    ("resident_bytes", "loa_worker_resident_bytes", "Memory of the worker."),
)
_GAUGES_BY_SITE = (
    ("sessions", "loa_sessions", "site", "Open connections."),
    ("readers", "loa_readers_held", "site", "Readers the worker holds a lease for."),
)
_HISTOGRAMS = (
    ("fanout", "loa_fanout_seconds", "From the call of an announcement's broadcast to its last write."),
    ("redis", "loa_redis_round_trip_seconds", "Round trips to the store."),
    ("loop_lag", "loa_event_loop_lag_seconds", "How late the event loop ran what was due."),
)


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """What the supervisor knows itself.

    Attributes:
        store_up: Whether the store answers.
        store_restarts: How often the embedded store had to be started again; 0 where there is none.
        ready: Whether the node is ready.
    """

    store_up: bool
    store_restarts: int
    ready: bool


def exposition(workers: Sequence[WorkerReport], node: NodeFigures, accept: str) -> tuple[bytes, str]:
    """The text and its content type, as the ``Accept`` header wishes."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(
        _Once(
            [
                *_of_node(workers, node),
                *_families(CounterMetricFamily, _COUNTERS, _COUNTERS_BY_KIND, workers),
                *_families(GaugeMetricFamily, _GAUGES, _GAUGES_BY_SITE, workers),
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
    yield GaugeMetricFamily("loa_workers_ready", "Workers that take readers in.", sum(one.ready for one in workers))
    restarts = CounterMetricFamily("loa_worker_restarts", "Times a worker was replaced.", labels=["worker"])
    for one in workers:
        restarts.add_metric([str(one.index)], one.restarts)
    yield restarts
    yield from _of_sites(workers)


def _of_sites(workers: Sequence[WorkerReport]) -> Iterator[Metric]:
    """Every worker counts the whole site, so one speaks for all: one whose count is fresh, if there is any."""
    online: dict[str, int] = {}
    stale: dict[str, bool] = {}
    for one in workers:
        for site, count in one.figures.online.items():
            if site not in online or (stale[site] and site not in one.figures.stale):
                online[site], stale[site] = count, site in one.figures.stale
    readers = GaugeMetricFamily("loa_readers", "Readers of the site, on all nodes.", labels=["site"])
    outdated = GaugeMetricFamily("loa_readers_stale", "1 if that count could not be renewed.", labels=["site"])
    for site, count in online.items():
        readers.add_metric([site], count)
        outdated.add_metric([site], int(stale[site]))
    yield readers
    yield outdated


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
