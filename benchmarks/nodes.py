"""One to four workers on one or two nodes, and as many readers as this machine can hold: does everybody hear, is the
number exact, what does a scrape cost?

Two nodes are two services on one store, that of the first. Workers, store and readers share the machine as it comes, so
how long a fan-out takes says what two cores do with all of it, and not what a worker does with one of its own.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import msgspec

from benchmarks import machine
from benchmarks.figures import Row
from benchmarks.peers import Crowd
from benchmarks.product import REQUEST, Product
from benchmarks.rounds import PAUSE_SECONDS, TITLE, Plan, Step

# Readers of one process, be it a worker's or a crowd's: 20,000 descriptors, less what else it opens.
PROCESS_READERS = 19_000
SCRAPE_SECONDS = 0.05
_SCRAPES = 40
_SETTLE_SECONDS = 4.0
# What the fan-outs of scraped nodes may take more, at most: they differ as much among themselves.
_UNCHANGED = 1.1
# From one scrape to the next, where it is seen what they do to fan-outs, which take about as long: 150 times as often
# as Prometheus asks.
_BETWEEN_SECONDS = 0.1
# Of each kind.
_FANOUTS = 15


class Shape(msgspec.Struct, frozen=True):
    """So many services, so many workers in each, so many readers in all."""

    nodes: int
    workers: int
    readers: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What one shape did.

    Attributes:
        shape: Which.
        online: The number that each node told.
        heard: Readers that heard every announcement.
        last_seconds: From the request to the last reader that heard it, each time.
        p99_seconds: To nearly the last, each time.
        scraped_p99_seconds: The same, in turn with the others, while all nodes' metrics are asked for all the time.
        scrape_seconds: How long a node's metrics took, each time; no announcements meanwhile.
        bytes_per_session: What all workers have grown by, over the readers.
    """

    shape: Shape
    online: list[int | None]
    heard: int
    last_seconds: list[float]
    p99_seconds: list[float]
    scraped_p99_seconds: list[float]
    scrape_seconds: list[float]
    bytes_per_session: float


def shapes(most: int) -> list[Shape]:
    """One to four workers, with a quarter, a half and all of the readers they can hold, and four on one node."""
    found = [Shape(1, 4, most // 2)]
    for nodes, workers in ((1, 1), (2, 1), (2, 2)):
        held = most * min(nodes * workers, 2) // 2
        found += [Shape(nodes, workers, held * part // 4) for part in (1, 2, 4)]
    return found


def measure(plan: Plan, shape: Shape, step: Step) -> Held:
    """Measures one.

    Raises:
        BenchmarkError: Somebody was refused, or did not hear.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {plan.cores.server, plan.cores.others})
    try:
        with ExitStack() as stack:
            return _measured(plan, shape, step, stack)
    finally:
        os.sched_setaffinity(0, before)


def _measured(plan: Plan, shape: Shape, step: Step, stack: ExitStack) -> Held:
    step(f"starting {shape.nodes} x {shape.workers} workers")
    services: list[Product] = []
    for _ in range(shape.nodes):
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loa-nodes-")))
        store = services[0].store_url if services else ""
        service = Product(
            directory, PROCESS_READERS, plan.cores.server, workers=shape.workers, store=store, pinned=False
        )
        services.append(stack.enter_context(service))
    pids = [pid for service in services for pid in service.workers(shape.workers)]
    empty = sum(map(machine.resident_bytes, pids))
    crowds: list[tuple[Crowd, int]] = []
    share = shape.readers // shape.nodes
    for number, service in enumerate(services):
        step(f"{share:,} readers join node {number + 1}")
        crowd = stack.enter_context(Crowd(f"crowd of node {number + 1}", plan.crowd, plan.cores.others))
        os.sched_setaffinity(crowd.pid, {plan.cores.server, plan.cores.others})
        crowd.join(service.port, share, REQUEST)
        crowds.append((crowd, share))
    step("settling")
    time.sleep(_SETTLE_SECONDS)
    online = [service.online() for service in services]
    step("scrapes")
    scrapes = [service.scrape() for _ in range(_SCRAPES // shape.nodes) for service in services]
    step("fan-out, scraped and not, in turn")
    fanouts, scraped = [], []
    for _ in range(_FANOUTS):
        fanouts.append(_announce(services[0], crowds))
        with ExitStack() as scraping:
            for service in services:
                scraping.enter_context(service.scraped_every(_BETWEEN_SECONDS))
            scraped.append(_announce(services[0], crowds))
    grown = sum(map(machine.resident_bytes, pids)) - empty
    return Held(
        shape=shape,
        online=online,
        heard=min(one.heard for one in [*fanouts, *scraped]),
        last_seconds=[one.last for one in fanouts],
        p99_seconds=[one.p99 for one in fanouts],
        scraped_p99_seconds=[one.p99 for one in scraped],
        scrape_seconds=scrapes,
        bytes_per_session=grown / shape.readers,
    )


class _Announced(msgspec.Struct, frozen=True):
    heard: int
    last: float
    p99: float


def _announce(service: Product, crowds: Sequence[tuple[Crowd, int]]) -> _Announced:
    time.sleep(PAUSE_SECONDS)
    for crowd, _ in crowds:
        crowd.arm()
    asked_at = service.publish(TITLE)
    at = sorted(moment for crowd, readers in crowds for moment in crowd.heard(readers).at)
    return _Announced(len(at), at[-1] - asked_at, at[int(0.99 * (len(at) - 1))] - asked_at)


def rows(measured: Sequence[Held]) -> list[Row]:
    """One row a figure and a shape."""
    return [row for one in measured for row in _of(one)]


def _of(one: Held) -> list[Row]:
    shape = one.shape
    name = f"{shape.readers:,} on {shape.nodes} x {shape.workers}"
    wrong = max(abs((online or 0) - shape.readers) for online in one.online)
    slow = max(one.scrape_seconds)
    more = median(one.scraped_p99_seconds) / median(one.p99_seconds)
    everybody = one.heard == shape.readers
    return [
        _row(f"{name}: heard every announcement", "readers", [one.heard], f"all {shape.readers:,}", everybody),
        _row(f"{name}: count wrong by", "readers", [wrong], "0", wrong == 0),
        _row(f"{name}: announced, to the last", "ms", [1000 * each for each in one.last_seconds]),
        _row(f"{name}: memory of a session", "KB", [one.bytes_per_session / 1024]),
        _row(
            f"{name}: scrape, the slowest of {len(one.scrape_seconds)}",
            "ms",
            [1000 * slow],
            f"under {1000 * SCRAPE_SECONDS:g}",
            slow < SCRAPE_SECONDS,
        ),
        _row(f"{name}: fan-out p99, scraped over not", "", [more], f"at most {_UNCHANGED:g}", more <= _UNCHANGED),
    ]


def _row(figure: str, unit: str, rounds: list[float], target: str = "", reached: bool | None = None) -> Row:
    return Row(figure=figure, unit=unit, measured=median(rounds), target=target, reached=reached, rounds=rounds)
