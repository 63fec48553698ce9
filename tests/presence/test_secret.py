"""One secret for all workers."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from presence.errors import SecretReplaced
from presence.secret import SharedSecret


async def test_workers_that_start_together_agree(redis: Redis, prefix: str) -> None:
    found = await asyncio.gather(*(SharedSecret(redis, prefix).get() for _ in range(8)))
    assert len(set(found)) == 1
    assert len(found[0]) == 32
    assert await SharedSecret(redis, prefix).get() == found[0]


async def test_a_configured_secret_is_not_written_to_the_store(redis: Redis, prefix: str) -> None:
    assert await SharedSecret(redis, prefix, "s" * 32).get() == b"s" * 32
    await SharedSecret(redis, prefix, "s" * 32).restore()
    assert await redis.keys(f"{prefix}:*") == []


async def test_a_store_that_lost_it_gets_it_back(redis: Redis, prefix: str) -> None:
    ours = SharedSecret(redis, prefix)
    secret = await ours.get()
    await redis.delete(f"{prefix}:presence:secret")
    await ours.restore()
    assert await SharedSecret(redis, prefix).get() == secret


async def test_a_worker_with_another_secret_than_the_store_must_not_go_on(redis: Redis, prefix: str) -> None:
    ours = SharedSecret(redis, prefix)
    await ours.get()
    await redis.set(f"{prefix}:presence:secret", b"made by another worker")
    with pytest.raises(SecretReplaced):
        await ours.restore()
