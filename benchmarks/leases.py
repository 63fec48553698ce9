"""The leases of a site of any size: what they cost the store at rest and with readers turning pages, what a count
takes, and how much memory a reader needs.

The store is the embedded one, started as the product starts it, append-only file and all, on a core of its own; the
workers (:mod:`benchmarks.held`) are on the other.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import msgspec

from benchmarks import machine
from benchmarks.errors import ProductFailed
from benchmarks.held import SITE, HeldSite, held
from benchmarks.usage import Meter, Usage
from presence.ledger import Ledger
from presence.naming import Names
from presence.roster import Attention, Reader, Tab
from presence.settings import PresenceSettings
from store.embedded import EmbeddedStore

# Of readers of news: one page a minute each.
VIEW_SECONDS = 60.0
COUNTS = 500
# So many lapsed leases at each of the three keys are as much as one count sweeps.
SWEPT, SWEEPS = 1000, 20
_ANSWER_SECONDS = 10.0

Step = Callable[[str], None]


class Counting(msgspec.Struct, frozen=True, kw_only=True):
    """What one count of a site takes.

    Attributes:
        server_seconds: The store's own account, the mean.
        p50_seconds, p99_seconds: From being asked to being answered.
    """

    server_seconds: float
    p50_seconds: float
    p99_seconds: float


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time.

    Attributes:
        store: What the store used.
        workers_cpu_seconds: Of all workers together, for presence alone: there are no sockets here.
        renewed: Readers whose leases were given, renewed or shortened.
        views: Readers that turned a page.
    """

    store: Usage
    workers_cpu_seconds: float
    renewed: int
    views: int


class Leases(msgspec.Struct, frozen=True, kw_only=True):
    """One size of site.

    Attributes:
        readers: How many.
        workers: That held them.
        renew_seconds: Between two renewals of a reader, by the terms in force.
        keys: In the store.
        bytes_per_reader: Of the store, with all keys.
        rest: Nobody comes or goes.
        views: Everybody turns a page now and then.
        counting: A count of so many leases.
        sweeping: The same, of which each deletes as many lapsed leases as one may.
    """

    readers: int
    workers: int
    renew_seconds: float
    keys: int
    bytes_per_reader: float
    rest: Stretch
    views: Stretch
    counting: Counting
    sweeping: Counting


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How long to watch, and whose core is which."""

    seconds: float
    counts: int
    cores: machine.Cores


async def measure(plan: Plan, readers: int, step: Step) -> Leases:
    """Measures one size; `step` is told what is being done.

    Raises:
        BenchmarkError: It cannot be measured.
    """
    step(f"{readers:,} leases: starting")
    settings = PresenceSettings()
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as directory:
        store = EmbeddedStore(Path(directory))
        url = await store.start()
        try:
            if store.pid is None:
                raise ProductFailed("the store has ended")
            _pin_threads(store.pid, plan.cores.server)
            with Meter(url) as meter:
                empty = meter.read()
                async with held(url, settings, readers) as site:
                    step(f"{readers:,} leases: writing")
                    await site.start()
                    grown = meter.read().since(empty)
                    # Each reader is renewed at least once.
                    seconds = max(plan.seconds, site.renew_seconds)
                    step(f"{readers:,} leases: at rest")
                    rest = await _stretch(site, meter, seconds, 0)
                    step(f"{readers:,} leases: turning pages")
                    views = await _stretch(site, meter, plan.seconds, readers / VIEW_SECONDS)
                    await site.stop()
                    step(f"{readers:,} leases: counting")
                    worker = site.workers[0]
                    ledger = worker.leases.ledger
                    return Leases(
                        readers=readers,
                        workers=len(site.workers),
                        renew_seconds=site.renew_seconds,
                        keys=await worker.redis.dbsize(),
                        bytes_per_reader=grown.memory_bytes / readers,
                        rest=rest,
                        views=views,
                        counting=await _count(ledger, meter, plan.counts),
                        sweeping=await _sweep(ledger, meter, max(1, plan.counts * SWEEPS // COUNTS)),
                    )
        finally:
            await store.stop()


def _pin_threads(pid: int, core: int) -> None:
    # Its threads were started before.
    for thread in Path(f"/proc/{pid}/task").iterdir():
        machine.pin(int(thread.name), core)


async def _stretch(site: HeldSite, meter: Meter, seconds: float, views_per_second: float) -> Stretch:
    if views_per_second:
        # Those on the way from one page to the next are as many at the end as at the beginning.
        await site.read(1.0, views_per_second)
    renewed, cpu, before = site.renewed, time.process_time(), meter.read()
    views = await site.read(seconds, views_per_second)
    return Stretch(
        store=meter.read().since(before),
        workers_cpu_seconds=time.process_time() - cpu,
        renewed=site.renewed - renewed,
        views=views,
    )


async def _count(ledger: Ledger, meter: Meter, counts: int) -> Counting:
    before, taken = meter.scripts(), []
    for _ in range(counts):
        began = time.perf_counter()
        await ledger.count(SITE)
        taken.append(time.perf_counter() - began)
    after = meter.scripts()
    return _counting(after.seconds - before.seconds, taken)


async def _sweep(ledger: Ledger, meter: Meter, counts: int) -> Counting:
    """Each count after so many leases have lapsed that it sweeps all it may."""
    seconds, taken = 0.0, []
    for number in range(counts):
        for attention in Attention:
            readers = [_passing(f"{number}-{attention}-{each}", attention) for each in range(SWEPT)]
            await ledger.renew(SITE, 0, readers, Names((b"k" * 32,), 1 << 52), 0.001, grace_seconds=0.001)
        await asyncio.sleep(0.01)
        before, began = meter.scripts(), time.perf_counter()
        await ledger.count(SITE)
        taken.append(time.perf_counter() - began)
        seconds += meter.scripts().seconds - before.seconds
    return _counting(seconds, taken)


def _passing(name: str, attention: Attention) -> Reader:
    reader = Reader(name.encode(), [])
    reader.tabs.append(Tab(reader, attention))
    return reader


def _counting(server_seconds: float, taken: list[float]) -> Counting:
    return Counting(
        server_seconds=server_seconds / len(taken),
        p50_seconds=median(taken),
        p99_seconds=quantiles(taken, n=100)[98] if len(taken) > 1 else taken[0],
    )
