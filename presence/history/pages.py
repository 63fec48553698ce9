"""The most read pages, over all workers: Redis holds who may be among them, and counts how many read each.

Cost, however many pages there are: every ten seconds each worker writes one list of at most 200 pages of each site;
once a minute one of them counts at most 400 pages and keeps the first 200 for a quarter of an hour; and so does each
worker once a second while editors ask.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from redis.asyncio import Redis

from gateway.sites import OfEach
from presence.history.keys import Keys
from presence.history.ranking import SHOWN, Ranked, Shortlist, Top, candidates, ranked, shortlist
from presence.history.series import MINUTE_MS
from presence.holding import Holding
from presence.ledger import Ledger
from presence.places import Place

PUBLISH_MS = 10_000
# A worker that has not written its list for so long has gone.
LISTED_MS = 30_000
CANDIDATES_SECONDS = 60
TREND_MINUTES = 10
KEPT = 200
KEPT_SECONDS = 15 * 60
FRESH_SECONDS = 1.0
# Readers that a page may have which only a list names that cannot be read: more than any that is counted.
UNBOUNDED = 2**32


T = TypeVar("T")


class _Listed(msgspec.Struct, array_like=True, frozen=True):
    """One worker's list as it is kept: when it was written, by Redis's clock, and what it says."""

    at_ms: int
    rest: int
    pages: dict[str, int]


class Pages:
    """The most read pages of all sites.

    Every method raises ``redis.exceptions.RedisError`` or ``OSError`` if the store does not answer.

    Args:
        redis: The store.
        prefix: First part of every key.
        ledger: The leases, over the same connection.
    """

    def __init__(self, redis: Redis, prefix: str, ledger: Ledger) -> None:
        self._redis = redis
        self._prefix = prefix
        self._ledger = ledger
        # Lists that cannot be read, by site and run: what they say, and since when they have said it.
        self._strange: dict[tuple[str, bytes], tuple[bytes, int]] = {}

    async def publish(self, holding: Holding, run: str, now_ms: int) -> bool:
        """Says which pages are most read on this worker; returns whether there are any."""
        own = shortlist(holding.places)
        key = Keys(self._prefix, holding.site).candidates
        async with self._redis.pipeline(transaction=True) as pipeline:
            if own.pages:
                pipeline.hset(key, run, msgspec.json.encode(_Listed(now_ms, own.rest, own.pages)))
                pipeline.expire(key, CANDIDATES_SECONDS)
            else:
                pipeline.hdel(key, run)
            await pipeline.execute()
        return bool(own.pages)

    async def withdraw(self, site: str, run: str) -> None:
        """Nobody reads anything on this worker any more."""
        await self._redis.hdel(Keys(self._prefix, site).candidates, run)

    async def count(self, site: str, now_ms: int) -> Ranked:
        """The most read pages as they are now, in their order, each reader counted once."""
        stored: dict[Any, Any] = await self._redis.hgetall(Keys(self._prefix, site).candidates)
        lists = [_understood(one, _Listed) for one in stored.values()]
        await self._clear(site, stored, lists, now_ms)
        live = [Shortlist(one.pages, one.rest) for one in lists if one and one.at_ms > now_ms - LISTED_MS]
        paths, rest = candidates(live)
        if None in lists:
            rest = UNBOUNDED
        places = [Place("page", path, "") for path in paths]
        readers = await self._ledger.count_places(site, places)
        return ranked(dict(zip(paths, readers, strict=True)), rest)

    async def _clear(
        self, site: str, stored: Mapping[bytes, bytes], lists: Sequence[_Listed | None], now_ms: int
    ) -> None:
        """Removes lists of workers that have gone: the key's own end never comes as long as others write to it."""
        strange: dict[tuple[str, bytes], tuple[bytes, int]] = {}
        over: list[bytes] = []
        for (run, text), listed in zip(stored.items(), lists, strict=True):
            at_ms = listed.at_ms if listed is not None else now_ms
            if listed is None:
                before = self._strange.get((site, run))
                strange[site, run] = before if before is not None and before[0] == text else (text, now_ms)
                at_ms = strange[site, run][1]
            if at_ms <= now_ms - CANDIDATES_SECONDS * 1000:
                over.append(run)
        self._strange = {**{key: one for key, one in self._strange.items() if key[0] != site}, **strange}
        if over:
            await self._redis.hdel(Keys(self._prefix, site).candidates, *over)

    async def keep(self, site: str, now_ms: int) -> None:
        """Keeps how it is now, to compare with later."""
        now = (await self.count(site, now_ms)).top(KEPT)
        if now.pages:
            key = Keys(self._prefix, site).pages(now_ms // MINUTE_MS)
            await self._redis.set(key, msgspec.json.encode(now), ex=KEPT_SECONDS)

    async def kept(self, site: str, now_ms: int) -> Ranked | None:
        """How it was ten minutes ago, or within a minute of that; None if nobody has kept it."""
        keys = Keys(self._prefix, site)
        then = now_ms // MINUTE_MS - TREND_MINUTES
        for stored in await self._redis.mget([keys.pages(minute) for minute in (then, then - 1, then + 1)]):
            if stored and (ranking := _understood(stored, Ranked)) is not None:
                return ranking
        return None


class TopPages:
    """The most read pages for editors who ask: counted at most once a second for each site.

    Args:
        pages: Counts them, over a connection that may be shared.
        holdings: By site.
        store_ms: An estimate of Redis's clock, in milliseconds since the epoch.
        clock: Seconds, steady.
    """

    def __init__(
        self,
        pages: Pages,
        holdings: Mapping[str, Holding],
        *,
        store_ms: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pages = pages
        self._store_ms = store_ms
        self._clock = clock
        self._locks = OfEach(holdings, lambda *_: asyncio.Lock())
        self._known: dict[str, tuple[float, Top]] = {}

    async def read(self, site: str) -> Top:
        """The most read pages.

        Raises:
            redis.exceptions.RedisError: The store does not answer.
        """
        async with self._locks[site]:
            now = self._clock()
            known = self._known.get(site)
            if known is None or now - known[0] > FRESH_SECONDS:
                at_ms = self._store_ms()
                ranking = (await self._pages.count(site, at_ms)).top(SHOWN)
                known = self._known[site] = (now, Top(ranking, await self._pages.kept(site, at_ms), at_ms))
            return known[1]


def _understood(stored: bytes | str, kind: type[T]) -> T | None:
    """What a worker has written; None if it is of another release, which in an upgrade shares the store for a while."""
    try:
        return msgspec.json.decode(stored, type=kind)
    except msgspec.MsgspecError:
        return None
