"""Sentinels: addresses, what is refused, and where connections go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from store.connection import connect
from store.settings import RedisSettings
from store.urls import address
from tests.patience import PATIENCE_SECONDS
from tests.store.replicated import NAME, trio


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("10.0.0.5:26380", ("10.0.0.5", 26380)),
        ("redis.example.vn", ("redis.example.vn", 26379)),
        ("[::1]:26380", ("::1", 26380)),
        ("[::1]", ("::1", 26379)),
    ],
)
def test_an_address(text: str, pair: tuple[str, int]) -> None:
    assert address(text) == pair


@pytest.mark.parametrize("text", ["", ":1", "a:", "a:x", "a:0", "a:65536"])
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        address(text)


@pytest.mark.parametrize(
    "settings",
    [
        {"sentinels": ["10.0.0.5"]},
        {"url": "redis://loa:6379/0", "sentinels": ["10.0.0.5"]},
        {"url": "unix:///run/redis.sock", "sentinels": ["10.0.0.5"]},
        {"url": "redis://loa/0", "sentinels": ["10.0.0.5:port"]},
    ],
)
def test_settings_that_contradict_each_other(settings: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(settings, RedisSettings)


@pytest.mark.slow
async def test_a_client_follows_the_primary(
    short_directory: Path, free_port: Callable[[], int], nobodys_port: int
) -> None:
    directory = short_directory / "followed"
    directory.mkdir()
    ports = [free_port() for _ in range(3)]
    with trio(directory, ports) as (one, _, _):
        # The first of them is down; it is passed over.
        sentinels = [f"127.0.0.1:{nobodys_port}", f"127.0.0.1:{ports[2]}"]
        settings = RedisSettings(url=f"redis://{NAME}/0", sentinels=sentinels)
        client = connect(settings, settings.url, name="test")
        await client.set("a", "1")
        assert (await client.client_info())["laddr"] == f"127.0.0.1:{ports[0]}"
        await copied(ports[1])
        one.kill()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    await client.set("a", "2")
                    break
                except RedisError:
                    await asyncio.sleep(0.1)
        assert (await client.client_info())["laddr"] == f"127.0.0.1:{ports[1]}"
        # It comes back as what it was, is told better, and is cut off from those who held on to it.
        one.start()
        async with Redis(port=ports[0]) as old, asyncio.timeout(PATIENCE_SECONDS):
            while (await old.role())[0] != b"slave":
                await asyncio.sleep(0.1)
        assert await client.get("a") == b"2"
        await client.aclose()


@pytest.mark.slow
async def test_a_replica_is_not_taken_for_the_primary(short_directory: Path, free_port: Callable[[], int]) -> None:
    directory = short_directory / "mistaken"
    directory.mkdir()
    ports = [free_port() for _ in range(3)]
    with trio(directory, ports) as (one, _, watcher):
        settings = RedisSettings(url=f"redis://{NAME}/0", sentinels=[f"127.0.0.1:{ports[2]}"])
        watcher.kill()
        async with Redis(port=ports[0]) as primary:
            await primary.replicaof("127.0.0.1", str(ports[1]))
        watcher.start()
        client = connect(settings, settings.url, name="test")
        with pytest.raises(RedisConnectionError, match="is no primary any more"):
            await client.set("a", "1")
        await client.aclose()
        one.kill()


async def copied(port: int) -> None:
    """Waits until the server at `port` has what its primary has."""
    async with Redis(port=port) as replica, asyncio.timeout(PATIENCE_SECONDS):
        while await replica.get("a") is None:
            await asyncio.sleep(0.05)
