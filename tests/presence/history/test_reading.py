"""Numbers for many who ask, also while the store is away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from redis.exceptions import RedisError

from gateway.sites import SiteSettings
from presence.history.books import Books, Numbers
from presence.history.chronicle import Chronicle
from presence.history.reading import FRESH_SECONDS, Reader

DAY_MS = 86_400_000
SITES = {"demo": SiteSettings(timezone="UTC")}


class Store(Chronicle):
    """One that is asked, and may be away."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False

    async def books(self, site: str, days: Sequence[str]) -> Books:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise RedisError("away")
        return Books({}, Numbers(self.asked, 0), "", None)


class Times:
    def __init__(self) -> None:
        self.now = 100.0
        self.store_ms = 1_795_651_200_000


def reading(store: Store, times: Times) -> Reader:
    return Reader(store, SITES, store_ms=lambda: times.store_ms, clock=lambda: times.now)


async def test_the_store_is_asked_once_a_second_however_many_ask() -> None:
    store, times = Store(), Times()
    reader = reading(store, times)
    answers = await asyncio.gather(*(reader.read("demo") for _ in range(20)))
    assert store.asked == 1
    assert {answer.books.total.visits for answer in answers if answer is not None} == {1}
    times.now += FRESH_SECONDS + 0.1
    await reader.read("demo")
    assert store.asked == 2


async def test_the_last_numbers_stay_while_the_store_is_away_until_the_day_is_over() -> None:
    store, times = Store(), Times()
    reader = reading(store, times)
    store.away = True
    assert await reader.read("demo") is None
    store.away = False
    first = await reader.read("demo")
    assert first is not None and not first.stale
    store.away = True
    times.now += 10.0
    assert await reader.read("demo") == first._replace(stale=True)
    times.now += 10.0
    times.store_ms += DAY_MS
    assert await reader.read("demo") is None
