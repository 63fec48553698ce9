"""The numbers of days for many who ask at once: read from the store at most once a second for each site.

While the store is away the last that was read stays, marked as such. It never becomes 0.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple
from zoneinfo import ZoneInfo

from redis.exceptions import RedisError

from gateway.sites import OfEach, Sites
from presence.history.books import Books
from presence.history.calendar import Periods, periods
from presence.history.chronicle import Chronicle

FRESH_SECONDS = 1.0


class Reading(NamedTuple):
    """What was read, of which days, and whether the store has not answered since."""

    periods: Periods
    books: Books
    stale: bool


class Reader:
    """Answers for one worker.

    Args:
        chronicle: History in Redis, over a connection that may be shared.
        sites: The portals, for their midnights.
        store_ms: An estimate of Redis's clock, in milliseconds since the epoch.
        clock: Seconds, steady.
    """

    def __init__(
        self,
        chronicle: Chronicle,
        sites: Sites,
        *,
        store_ms: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chronicle = chronicle
        self._zones = OfEach(sites, lambda _, one: ZoneInfo(one.timezone))
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._known: dict[str, tuple[float, Reading]] = {}
        self._store_ms = store_ms
        self._clock = clock

    async def read(self, site: str) -> Reading | None:
        """The numbers of a site; None if they have never been read and cannot be now.

        Raises:
            KeyError: There is no such site.
        """
        # Who comes while another asks waits for that answer, and finds it fresh.
        async with self._locks[site]:
            read_at, known = self._known.get(site, (0.0, None))
            now = self._clock()
            if known is not None and now - read_at <= FRESH_SECONDS:
                return known
            today = periods(self._zones[site], self._store_ms())
            try:
                reading = Reading(today, await self._chronicle.books(site, today.days), stale=False)
            except (RedisError, OSError):
                # Yesterday's numbers are none of today's.
                if known is None or known.periods != today:
                    return None
                reading = known._replace(stale=True)
            self._known[site] = (now, reading)
            return reading
