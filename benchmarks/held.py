"""Readers held as workers hold them, without the sockets: rosters, terms, batches and scripts are the product's own.

One worker carries some 18,000 sessions on one core, so a site of 200,000 readers is that of a dozen workers. Here all
of them live in one process and each does to the store what it would do: it renews, counts, writes who comes and goes,
and asks for the places its readers see.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from math import ceil
from zoneinfo import ZoneInfo

from benchmarks.errors import ProductFailed
from benchmarks.portal import spot
from presence.holding import Holding
from presence.identity import Identity
from presence.leases import Leases
from presence.ledger import Ledger
from presence.naming import Naming
from presence.roster import Tab
from presence.secret import SharedSecret
from presence.settings import PresenceSettings
from store.connection import connect
from store.settings import RedisSettings

SITE, PREFIX = "demo", "bench"
# Of one worker; docs/benchmarks.md, count pushes.
WORKER_SESSIONS = 18_000
# Between leaving a page and being at the next one.
TURN_SECONDS = 0.3
_WRITTEN_SECONDS = 300.0
_LOOK_AGAIN_SECONDS = 0.05


class HeldWorker:
    """One worker's readers.

    Args:
        url: The store.
        secret: Of all workers.
        settings: Of presence.
        readers: Numbers of its readers, of those of the whole site.
        online: Readers of the whole site, by which terms stretch.
    """

    def __init__(self, url: str, secret: str, settings: PresenceSettings, readers: range, online: int) -> None:
        identity = Identity(secret.encode())
        self.redis = connect(RedisSettings(), url, connections=1, name="presence")
        self.holding = Holding(SITE, Naming(identity, SITE, ZoneInfo("Asia/Ho_Chi_Minh")), settings)
        self.leases = Leases(
            Ledger(self.redis, PREFIX), settings, {SITE: self.holding}, SharedSecret(self.redis, PREFIX, secret)
        )
        # As a worker has it that finds a large site.
        self.holding.terms.update(time.monotonic(), online)
        self._next = online
        self._reading = deque([self._open(b"%016d" % number, number) for number in readers])
        self._turning: deque[tuple[float, bytes, int]] = deque()

    def _open(self, reader: bytes, number: int) -> Tab:
        section, page = spot(number)
        tab = self.holding.join(reader, section=section, page=page)
        for place in (tab.section, tab.page):
            # It shows the numbers of both.
            if place is not None:
                self.holding.places.watch(place)
        return tab

    def _close(self, tab: Tab) -> None:
        for place in (tab.section, tab.page):
            if place is not None:
                self.holding.places.unwatch(place)
        self.holding.leave(tab, time.monotonic())

    def turn_pages(self, count: int) -> None:
        """So many readers, those longest on theirs, close their page, and open another in a moment."""
        now = time.monotonic()
        while self._turning and self._turning[0][0] <= now:
            _, reader, number = self._turning.popleft()
            self._reading.append(self._open(reader, number))
        for _ in range(min(count, len(self._reading))):
            tab = self._reading.popleft()
            self._close(tab)
            self._turning.append((now + TURN_SECONDS, tab.reader.id, self._next))
            self._next += 1


class HeldSite:
    """All workers of one site.

    Attributes:
        workers: They.
    """

    def __init__(self, url: str, settings: PresenceSettings, readers: int) -> None:
        secret = secrets.token_hex(16)
        count = ceil(readers / WORKER_SESSIONS)
        edges = [readers * number // count for number in range(count + 1)]
        self.workers = [
            HeldWorker(url, secret, settings, range(first, last), readers) for first, last in pairwise(edges)
        ]
        self._batch_seconds = settings.batch_ms / 1000
        self._readers = readers
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def renew_seconds(self) -> float:
        """Between two renewals of a reader, by the terms in force."""
        return self.workers[0].holding.terms.renew_seconds

    @property
    def renewed(self) -> int:
        """Readers whose leases were given, renewed or shortened since the start, over all workers."""
        return sum(worker.leases.ledger.figures.batched for worker in self.workers)

    async def start(self) -> None:
        """Begins to keep leases; returns when all have been written and every worker has counted them.

        Raises:
            ProductFailed: They are not all there in time.
        """
        self._tasks = [asyncio.create_task(worker.leases.run()) for worker in self.workers]
        deadline = time.monotonic() + _WRITTEN_SECONDS
        while any(worker.holding.gauge.online != self._readers for worker in self.workers):
            self._look_after()
            if time.monotonic() > deadline:
                raise ProductFailed(f"{self.workers[0].holding.gauge.online} of {self._readers} leases were counted")
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def read(self, seconds: float, views_per_second: float = 0.0) -> int:
        """Lets readers read, and turn pages at this rate all together; returns how many turned."""
        began, turned = time.monotonic(), 0
        while True:
            # Looked at once more in the end: what is due by then is made up, if this process stood still meanwhile.
            passed = min(time.monotonic() - began, seconds)
            self._look_after()
            due = int(passed * views_per_second) - turned
            for number, worker in enumerate(self.workers):
                worker.turn_pages(due * (number + 1) // len(self.workers) - due * number // len(self.workers))
            turned += due
            if passed == seconds:
                return turned
            await asyncio.sleep(self._batch_seconds)

    def _look_after(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()

    async def stop(self) -> None:
        """Ends the tasks; leases stay as they are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def close(self) -> None:
        """Ends all."""
        await self.stop()
        for worker in self.workers:
            await worker.redis.aclose()


@asynccontextmanager
async def held(url: str, settings: PresenceSettings, readers: int) -> AsyncIterator[HeldSite]:
    """A site with so many readers, not yet written to the store."""
    site = HeldSite(url, settings, readers)
    try:
        yield site
    finally:
        await site.close()
