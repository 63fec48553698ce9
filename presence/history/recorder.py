"""Writes one worker's part of history to Redis: views and visits, the record, the minutes. One task, one connection.

A browser never waits for it, and neither do the leases. What happens when:

- *Redis is away.* Views and visits wait in memory, by the day they belong to; nothing is measured, so those minutes
  are a gap. All that waits is written when it is back.
- *It lost the end of what it had acknowledged.* It is sent again, as far back as :mod:`presence.history.tally` keeps.
- *The worker is killed.* The views since the last write are lost, ``history_ms`` of them at most. Its readers are not:
  they come back, and are the same readers.
- *It leaves in good order.* What is left is written when the last session has gone.
- *Midnight.* It wakes when a day ends. A view is put under the day before only if the loop is late, or waits for a
  store that does not answer, and by as much. Whoever is here when a day begins is a reader of that day too.

A test drives it by :meth:`Recorder.note` and :meth:`Recorder.write`, with times of its own.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Mapping

import structlog
from redis.exceptions import RedisError

from gateway.sites import OfEach
from gateway.tasks import told_to_stop
from presence.days import Day, day_at
from presence.history.chronicle import Chronicle
from presence.history.pages import PUBLISH_MS, Pages
from presence.history.sampling import Sampler
from presence.history.tally import Tally
from presence.holding import Holding
from presence.identity import Identity, name
from store.errors import reason

log = structlog.get_logger(__name__)

RETRY_SECONDS = 0.5
# What is left when the worker goes is given so long to be written; all must be gone within 15 s of the signal.
FAREWELL_SECONDS = 2.0


class Recorder:
    """The history of all sites, as one worker writes it.

    Args:
        chronicle: History in Redis; its connection is used by nobody else.
        pages: The most read pages, over the same connection.
        holdings: What this worker holds, by site.
        identity: Names readers.
        store_ms: An estimate of Redis's clock, in milliseconds since the epoch.
        write_ms: Time between two writes.
        clock: Seconds, steady.

    Attributes:
        errors: Times the store failed.
        run: Names this run of this worker.
    """

    def __init__(
        self,
        chronicle: Chronicle,
        pages: Pages,
        holdings: Mapping[str, Holding],
        identity: Identity,
        *,
        store_ms: Callable[[], int],
        write_ms: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.errors = 0
        self.run = secrets.token_hex(8)
        self._chronicle = chronicle
        self._pages = pages
        self._store_ms = store_ms
        self._write_seconds = write_ms / 1000
        self._clock = clock
        self._away = False
        self._written_at = clock()
        self._sites = OfEach(holdings, lambda _, held: _Site(held, identity))

    def seen(self, site: str, reader: bytes, viewed: bool) -> None:
        """A reader is here, and has opened a page if `viewed`. Runs in a handshake."""
        self._sites[site].tally.seen(reader, viewed)

    @property
    def views(self) -> dict[str, int]:
        """Page views of each site since the worker started."""
        return {site: one.tally.views for site, one in self._sites.items()}

    @property
    def lag_seconds(self) -> float:
        """How long the oldest that has not been written waits, at most; 0 if all is."""
        if all(one.tally.idle for one in self._sites.values()):
            return 0.0
        return max(0.0, self._clock() - self._written_at)

    async def loop(self) -> None:
        """Runs until cancelled."""
        while not told_to_stop():
            await asyncio.sleep(min(RETRY_SECONDS if self._away else self._write_seconds, self._until_midnight()))
            began = self._clock()
            now_ms = self._store_ms()
            self.note(now_ms)
            try:
                await self.write(now_ms)
            except (RedisError, OSError) as error:
                self._lost(error)
                continue
            self._away = False
            # All that was noted before this began is written.
            self._written_at = began

    async def finish(self) -> None:
        """Writes what is left, when nothing is seen any more; gives up a store that does not answer in time."""
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                now_ms = self._store_ms()
                self.note(now_ms)
                await self.write(now_ms)
                for site, one in self._sites.items():
                    if one.listed:
                        await self._pages.withdraw(site, self.run)
        except (RedisError, OSError, LookupError, TimeoutError) as error:
            left = sum(not one.tally.idle for one in self._sites.values())
            if left:
                log.warning("views and visits could not be written at the end", sites=left, why=reason(error))

    def note(self, now_ms: int) -> None:
        """What was seen and counted until `now_ms` is put under its day and its minute."""
        for one in self._sites.values():
            one.note(now_ms)

    async def write(self, now_ms: int) -> None:
        """Tells Redis all that waits.

        Raises:
            redis.exceptions.RedisError: It does not answer; what waits goes on waiting.
        """
        for site, one in self._sites.items():
            await self._write_tally(site, one)
            if one.peak > one.record:
                one.record = await self._chronicle.record(site, one.peak, one.peak_at)
            if now_ms >= one.publish_at_ms:
                # Most of many sites have nobody here: they cost nothing.
                if one.listed or len(one.holding.places):
                    one.listed = await self._pages.publish(one.holding, self.run, now_ms)
                one.publish_at_ms = now_ms + PUBLISH_MS
            await self._write_minutes(site, one, now_ms)

    async def _write_minutes(self, site: str, one: _Site, now_ms: int) -> None:
        first = False
        while (minute := one.sampler.due(now_ms)) is not None:
            first |= await self._chronicle.minute(site, minute)
            one.sampler.written()
        # Whoever has written the minute, and nobody else, keeps how the pages stood.
        if first:
            await self._pages.keep(site, now_ms)

    async def _write_tally(self, site: str, one: _Site) -> None:
        forced = False
        while (batch := one.tally.next(one.names)) is not None:
            last = await self._chronicle.apply(site, self.run, batch, forced=forced)
            if last >= batch.number:
                one.tally.done(self._clock())
                forced = False
                continue
            forced = not one.tally.rewind(last, self._clock())
            log.warning("the store has lost views and visits it had; telling it again", site=site, last=last)
            # What else this worker knows best: who is here today, and the most readers it has counted.
            one.record = 0
            if one.day is not None:
                one.tally.close(one.day.name, one.everyone())

    def _until_midnight(self) -> float:
        """Seconds until the next day of any site begins, and no more than a beat of the loop where that is now."""
        ends = [one.day.ends_ms for one in self._sites.values() if one.day is not None]
        return max(0.001, (min(ends) - self._store_ms()) / 1000) if ends else 0.001

    def _lost(self, error: Exception) -> None:
        self.errors += 1
        if not self._away:
            log.warning("history cannot be written; it waits", why=reason(error))
        self._away = True


class _Site:
    """What is noted of one site.

    Attributes:
        holding: What the worker holds.
        tally: Views and visits.
        sampler: Minutes.
        day: The day it is there; None before the first note.
        peak, peak_at: Most readers that were counted, and when.
        record: The record as this worker knows it.
        publish_at_ms, listed: When it says next which pages are read here, and whether it has named any.
    """

    def __init__(self, holding: Holding, identity: Identity) -> None:
        self.tally = Tally()
        self.sampler = Sampler()
        self.day: Day | None = None
        self.peak = 0
        self.peak_at = ""
        self.record = 0
        self.publish_at_ms = 0
        self.listed = False
        self.holding = holding
        self._zone = holding.zone
        self._identity = identity

    def note(self, now_ms: int) -> None:
        """See :meth:`Recorder.note`."""
        if self.day is None:
            self.day = day_at(self._zone, now_ms)
        # What was seen until now was seen on the day that was: the loop wakes when one ends.
        self.tally.close(self.day.name)
        # Not back to a day that was over: an estimate of the time may go back a little, days do not.
        if now_ms >= self.day.ends_ms:
            self.day = day_at(self._zone, now_ms)
            self.tally.close(self.day.name, self.everyone())
        gauge = self.holding.gauge
        if self.sampler.observe(now_ms, gauge.rounds, gauge.online, gauge.stale):
            count = gauge.count(0)
            if count.online is not None and count.as_of is not None and count.online > self.peak:
                self.peak, self.peak_at = count.online, count.as_of

    def everyone(self) -> list[bytes]:
        """All readers held."""
        return [reader.id for reader in self.holding.roster.everyone()]

    def names(self, day: str, readers: list[bytes]) -> Iterable[bytes]:
        """What Redis calls readers on a day."""
        key = self._identity.key_of_day(self.holding.site, day)
        return [name(key, reader) for reader in readers]
