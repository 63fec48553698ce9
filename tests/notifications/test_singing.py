"""The canary between a real store, a feed and a hub; and what becomes of a feed that is cut off."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway.hub import Hub
from notifications import canary as canary_rules
from notifications.feed import Feed
from notifications.log import Log
from notifications.singing import Singer
from store.connection import connect
from store.settings import RedisSettings
from tests.notifications.conftest import SETTINGS
from tests.notifications.making import by, draft
from tests.passage import Passage
from tests.patience import until


@contextlib.asynccontextmanager
async def heard(feed_url: str, redis: Redis, prefix: str) -> AsyncIterator[tuple[Feed, Singer]]:
    """A feed over a connection of its own that leads to `feed_url`, with a singer over `redis`."""
    client = connect(RedisSettings(), feed_url, connections=1, read_timeout_seconds=1.0, name="feed")
    singer = Singer(redis, prefix)
    feed = Feed(Log(client, prefix, SETTINGS), Hub(65536), singer=singer)
    task = asyncio.create_task(feed.run())
    try:
        await feed.followed_once()
        yield feed, singer
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await client.aclose()


async def test_comes_back_through_the_feed_and_the_hub(redis: Redis, store_url: str, prefix: str, log: Log) -> None:
    async with heard(store_url, redis, prefix) as (feed, singer):
        before = await log.head()
        for number in (1, 2, 3):
            await singer.sing()
            await until(lambda number=number: singer.canary.heard == number)  # type: ignore[misc]
        assert sum(singer.canary.buckets) == 3
        assert singer.canary.failure == ""
        # It is in no version of the log and in no trail; of its stream only the newest is kept, for a while.
        after = await log.head()
        assert before is not None
        assert after is not None
        assert (after.version, after.chain) == (before.version, before.chain)
        assert await redis.keys(f"{prefix}:*audit*") == []
        assert (feed.followed, feed.told) == (0, 0)
        assert await redis.xlen(singer.key) == 1
        assert 0 < await redis.ttl(singer.key) <= 60


async def test_goes_on_where_the_store_has_lost_everything(redis: Redis, store_url: str, prefix: str) -> None:
    async with heard(store_url, redis, prefix) as (_, singer):
        await singer.sing()
        await until(lambda: singer.canary.heard == 1)
        await redis.delete(singer.key)
        await singer.sing()
        await until(lambda: singer.canary.heard == 2)


async def test_one_that_is_sent_twice_is_no_failure(redis: Redis, prefix: str) -> None:
    singer = Singer(redis, prefix)
    await redis.xadd(singer.key, {b"n": 1}, id="1-0")
    await singer.sing()
    assert singer.canary.failure == ""


async def test_says_what_the_store_refuses_it_with(redis: Redis, prefix: str) -> None:
    singer = Singer(redis, prefix)
    await redis.set(singer.key, "not a stream")
    await singer.sing()
    assert singer.canary.failure.startswith("WRONGTYPE")


async def test_announcements_and_canaries_are_heard_together(
    redis: Redis, store_url: str, prefix: str, log: Log
) -> None:
    async with heard(store_url, redis, prefix) as (feed, singer):
        for _ in range(5):
            await asyncio.gather(singer.sing(), log.publish(draft(), by=by("t")))
        await until(lambda: feed.active == 5 and singer.canary.heard == 5)


@pytest.mark.slow
async def test_a_feed_that_is_cut_off_is_known_although_the_store_answers_and_recovers(
    redis: Redis, store_url: str, prefix: str, short_directory: Any, log: Log
) -> None:
    """Only the feed's connection hangs, and new ones of its do: everything else reaches the store."""
    way = Passage(store_url, f"{short_directory}/{prefix}.s")
    async with way.standing() as passage, heard(passage.url, redis, prefix) as (feed, singer):
        await singer.sing()
        await until(lambda: singer.canary.heard == 1)
        passage.hold()
        await log.publish(draft(), by=by("t"))
        cut_at = singer.clock()
        for _ in range(6):
            await singer.sing()
        assert await redis.ping()
        assert singer.canary.failure == ""
        assert "has not been heard" in singer.canary.trouble(cut_at + 10)
        assert singer.canary.heard == 1
        passage.release()
        await singer.sing()
        await until(lambda: singer.canary.heard == singer.canary.number)
        await until(lambda: feed.active == 1)
        assert singer.canary.trouble(singer.clock()) == ""


@pytest.mark.slow
async def test_a_connection_that_leads_elsewhere_is_given_up(
    redis: Redis, store_url: str, prefix: str, short_directory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The feed's connection answers, and nothing arrives: as one to a server that others no longer write to."""
    monkeypatch.setattr(canary_rules, "DEAF_SECONDS", 0.05)
    way = Passage(store_url, f"{short_directory}/{prefix}.s")
    async with way.standing() as passage, heard(passage.url, redis, prefix) as (feed, singer):
        before = passage.connections
        real, singer.key = singer.key, f"{singer.key}-elsewhere"
        wanted = singer.key
        while feed.outages == 0:
            # Written where the feed does not look.
            singer.key = real
            await singer.sing()
            await redis.delete(real)
            singer.key = wanted
            await asyncio.sleep(0.02)
        singer.key = real
        await singer.sing()
        await until(lambda: singer.canary.heard == singer.canary.number)
        assert passage.connections > before
