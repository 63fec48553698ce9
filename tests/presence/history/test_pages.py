"""The most read pages over two workers, on real stores."""

from __future__ import annotations

import msgspec
import pytest
from redis.asyncio import Redis

from presence.history.keys import Keys
from presence.history.pages import LISTED_MS, Pages, TopPages
from presence.history.ranking import Ranked, before
from presence.history.series import MINUTE_MS
from presence.holding import Holding
from presence.identity import Identity
from presence.leases import holdings
from presence.ledger import Ledger
from presence.settings import PresenceSettings
from tests.presence.history.test_recorder import NOON, SITES

SETTINGS = PresenceSettings()


class Worker:
    """One that writes its leases by itself."""

    def __init__(self, redis: Redis, prefix: str, run: str) -> None:
        self.run = run
        self.holding: Holding = holdings(SITES, SETTINGS, Identity(b"s" * 32))["demo"]
        self.ledger = Ledger(redis, prefix)
        self.pages = Pages(redis, prefix, self.ledger)

    async def read(self, path: str, *readers: bytes) -> None:
        for reader in readers:
            self.holding.join(reader, page=path)
        seconds, _ = await self.ledger._redis.time()
        names = self.holding.names(seconds * 1000)
        await self.ledger.renew("demo", 0, self.holding.take_joins(), names, 30.0, grace_seconds=12.0)

    async def publish(self, now_ms: int = NOON) -> None:
        await self.pages.publish(self.holding, self.run, now_ms)


@pytest.fixture
def workers(redis: Redis, prefix: str) -> tuple[Worker, Worker]:
    return Worker(redis, prefix, "one"), Worker(redis, prefix, "other")


async def test_each_reader_is_counted_once_over_all_workers(workers: tuple[Worker, Worker]) -> None:
    one, other = workers
    await one.read("/a", b"1", b"2")
    await other.read("/a", b"2", b"3")
    await other.read("/b", b"4")
    assert await one.pages.count("demo", NOON) == Ranked({}, 0)
    for each in workers:
        await each.publish()
    assert await one.pages.count("demo", NOON) == Ranked({"/a": 3, "/b": 1}, 0)
    assert list((await other.pages.count("demo", NOON)).pages) == ["/a", "/b"]


async def test_a_worker_that_has_gone_names_no_pages(workers: tuple[Worker, Worker], redis: Redis) -> None:
    one, other = workers
    await one.read("/a", b"1")
    await other.read("/b", b"2")
    await other.publish(NOON - LISTED_MS)
    await one.publish()
    # One of another release says it in words that we do not know.
    await redis.hset(Keys(one.ledger._prefix, "demo").candidates, "newer", b'{"pages":1}')
    assert (await one.pages.count("demo", NOON)).pages == {"/a": 1}
    # One that holds nobody any more takes its list away.
    for tab in one.holding.roster.everyone()[0].tabs[:]:
        one.holding.leave(tab, 0.0)
    await one.publish()
    assert (await one.pages.count("demo", NOON)).pages == {}


async def test_it_is_compared_with_ten_minutes_ago(workers: tuple[Worker, Worker]) -> None:
    one, _ = workers
    await one.read("/a", b"1")
    await one.publish()
    await one.pages.keep("demo", NOON)
    assert await one.pages.kept("demo", NOON) is None
    for late in (9 * MINUTE_MS, 10 * MINUTE_MS, 11 * MINUTE_MS):
        assert await one.pages.kept("demo", NOON + late) == Ranked({"/a": 1}, 0)
    await one.read("/a", b"2")
    await one.read("/b", b"3")
    await one.publish(NOON + 10 * MINUTE_MS)
    clock = [0.0]
    top = TopPages(one.pages, {"demo": one.holding}, store_ms=lambda: NOON + 10 * MINUTE_MS, clock=lambda: clock[0])
    now, then, at_ms = await top.read("demo")
    assert (now.pages, at_ms) == ({"/a": 2, "/b": 1}, NOON + 10 * MINUTE_MS)
    assert [before(path, then) for path in now.pages] == [1, 0]
    # Within a second, whoever asks is told the same.
    await one.read("/c", b"4")
    await one.publish(NOON + 10 * MINUTE_MS)
    assert (await top.read("demo")).now == now
    clock[0] = 1.5
    assert (await top.read("demo")).now.pages == {"/a": 2, "/b": 1, "/c": 1}


async def test_what_is_kept_of_pages_is_bounded_and_goes(workers: tuple[Worker, Worker], redis: Redis) -> None:
    one, _ = workers
    for number in range(230):
        await one.read(f"/{number}", b"%d" % number)
    await one.publish()
    await one.pages.keep("demo", NOON)
    keys = [key async for key in redis.scan_iter(f"{one.ledger._prefix}:history:*")]
    assert len(keys) == 2
    for key in keys:
        assert await redis.ttl(key) > 0
    kept = await one.pages.kept("demo", NOON + 10 * MINUTE_MS)
    assert kept is not None
    assert (len(kept.pages), kept.rest) == (200, 1)
    assert before("/unheard", kept) is None
    assert msgspec.json.encode(kept)


async def test_what_another_release_has_written_is_passed_over_and_said(
    workers: tuple[Worker, Worker], redis: Redis, prefix: str
) -> None:
    one, _ = workers
    await one.read("/a", b"1", b"2")
    await one.publish()
    keys = Keys(prefix, "demo")
    await redis.hset(keys.candidates, "newer", b'{"form":2}')
    counted = await one.pages.count("demo", NOON)
    assert counted.pages == {"/a": 2}
    assert not counted.complete
    assert before("/b", counted) is None
    await redis.set(keys.pages(NOON // MINUTE_MS - 10), b'{"form":2}')
    assert await one.pages.kept("demo", NOON) is None
    await one.pages.keep("demo", NOON - 11 * MINUTE_MS)
    assert (await one.pages.kept("demo", NOON)) == counted


async def test_what_workers_that_have_gone_were_reading_is_removed(
    workers: tuple[Worker, Worker], redis: Redis, prefix: str
) -> None:
    """The key never ends by itself as long as others write to it."""
    one, other = workers
    key = Keys(prefix, "demo").candidates
    await one.read("/a", b"1")
    await other.read("/b", b"2")
    await redis.hset(key, "strange", b"of another release")
    await other.publish(NOON)
    for minute in range(3):
        now_ms = NOON + minute * MINUTE_MS
        await one.publish(now_ms)
        # Somebody may still write what cannot be read, until it has not changed for a minute.
        assert (await one.pages.count("demo", now_ms)).rest > 0 or minute > 1
    assert await redis.hkeys(key) == [b"one"]
    assert (await one.pages.count("demo", now_ms)).rest == 0
