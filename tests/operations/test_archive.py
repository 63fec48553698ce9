"""Every version of the widget is kept for pages that pin one, and none that is not what its name says."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from gateway.problems import Problem
from gateway.widget import made
from operations.archive import Archive
from store.connection import connect
from store.settings import RedisSettings


async def test_a_version_is_there_after_the_next_one_came(redis: Redis, prefix: str) -> None:
    old, new = made(b"old"), made(b"new")
    archive = Archive(redis, prefix)
    await archive.keep(old)
    # Every worker of every node says so at its start.
    await asyncio.gather(*(Archive(redis, prefix).keep(new) for _ in range(5)))
    assert [await archive.find(each.name) for each in (old, new)] == [b"old", b"new"]
    assert await archive.find("0" * 32) is None
    assert await redis.hlen(f"{prefix}:widgets") == 2  # type: ignore[misc]
    assert await redis.ttl(f"{prefix}:widgets") == -1


async def test_what_somebody_else_put_there_is_not_served(redis: Redis, prefix: str) -> None:
    genuine = made(b"genuine")
    await redis.hset(f"{prefix}:widgets", genuine.name, b"evil")  # type: ignore[misc]
    assert await Archive(redis, prefix).find(genuine.name) is None


async def test_a_store_that_does_not_answer_is_no_not_found(tmp_path: object) -> None:
    away = connect(RedisSettings(connect_seconds=0.1), f"unix://{tmp_path}/nothing", name="test")
    with pytest.raises(Problem) as problem:
        await Archive(away, "loa").find("0" * 32)
    assert problem.value.status == 503
    assert problem.value.headers["Retry-After"]
    await away.aclose()
