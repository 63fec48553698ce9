from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from store.connection import Pool, connect, without_password
from store.settings import RedisSettings
from tests.patience import PATIENCE_SECONDS


async def test_answers_are_bytes_in_the_same_shape_from_both_servers(redis: Redis, prefix: str) -> None:
    await redis.xadd(f"{prefix}:log", {"k": "v"}, id="1-0")
    assert await redis.xread({f"{prefix}:log": "0-0"}, count=1) == [
        [f"{prefix}:log".encode(), [(b"1-0", {b"k": b"v"})]]
    ]


async def test_more_commands_than_connections_wait_their_turn(store_url: str, prefix: str) -> None:
    client = connect(RedisSettings(), store_url, connections=2)
    try:
        await asyncio.gather(*(client.incr(f"{prefix}:n") for _ in range(50)))
        assert await client.get(f"{prefix}:n") == b"50"
        pool = client.connection_pool
        assert isinstance(pool, Pool)
        # All but those that found a connection free; with one at a time nobody has to wait any more.
        assert 0 < pool.waits <= 50
        assert pool.waited_seconds > 0
        before = pool.waits
        await client.get(f"{prefix}:n")
        assert pool.waits == before
    finally:
        await client.aclose()


async def test_a_blocking_read_may_be_longer_than_a_command(store_url: str, prefix: str) -> None:
    settings = RedisSettings(command_seconds=0.05)
    patient = connect(settings, store_url, connections=1, read_timeout_seconds=None)
    hurried = connect(settings, store_url, connections=1)
    try:
        assert not await patient.xread({f"{prefix}:none": "$"}, block=150)
        with pytest.raises(RedisTimeoutError):
            await hurried.xread({f"{prefix}:none": "$"}, block=150)
    finally:
        await patient.aclose()
        await hurried.aclose()


async def test_a_lost_connection_is_retried_once(store_url: str, prefix: str) -> None:
    client = connect(RedisSettings(), store_url, connections=1)
    other = connect(RedisSettings(), store_url, connections=1)
    try:
        identity = await client.client_id()
        await other.client_kill_filter(_id=str(identity), skipme=False)
        assert await client.set(f"{prefix}:k", "v")
    finally:
        await client.aclose()
        await other.aclose()


async def test_nobody_there_is_told_at_once(short_directory: object) -> None:
    client = connect(RedisSettings(), f"unix://{short_directory}/nobody.sock")
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(RedisConnectionError):
            await client.ping()
    await client.aclose()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:geheim@host:6380/3", "redis://user@host:6380/3"),
        ("redis://:geheim@host", "redis://host"),
        ("unix:///run/redis.sock?db=2&password=geheim", "unix:///run/redis.sock?db=2"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("rediss://host?ssl_ca_certs=ca.pem&ssl_password=geheim", "rediss://host?ssl_ca_certs=ca.pem"),
        ("rediss://[::1]:6379", "rediss://[::1]:6379"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown
