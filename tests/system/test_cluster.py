"""A service whose leases are on a Redis Cluster, one of whose servers is killed and replaced by its replica."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.patience import PATIENCE_SECONDS
from tests.service import Service
from tests.store.cluster import Cluster, cluster
from tests.store.replicated import Server
from tests.system.follower import Follower

pytestmark = pytest.mark.slow

READERS = 12
PATIENCE = 2 * PATIENCE_SECONDS


@pytest.fixture
def six(short_directory: Path, free_port: Callable[[], int], tmp_path: Path) -> Iterator[Cluster]:
    directory = short_directory / tmp_path.name
    directory.mkdir()
    with cluster(directory, free_port, replicas=True) as six:
        yield six


async def test_counts_on_a_cluster_and_lives_through_the_loss_of_a_server(
    six: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOA_PRESENCE_REDIS_URL", six.url)
    monkeypatch.setenv("LOA_PRESENCE_SHARDS", "6")
    with Service(tmp_path, 0) as service:
        assert f"leases at {six.url}" in service.log()
        async with AsyncExitStack() as stack:
            readers = [await stack.enter_async_context(Follower(service.url, "demo")) for _ in range(READERS)]
            for reader in readers:
                await reader.until(lambda reader=reader: reader.online == READERS)
            # So few readers may leave one of the servers without any.
            assert sum(any(":reading" in key for key in keys) for keys in six.held()) >= 2
            # Leases are there and nowhere else, and nothing else is there.
            assert {key.split(":")[1] for keys in six.held() for key in keys} == {"presence"}
            lines = json.loads((await service.loa("privacy", "--format", "json", "--lang", "en")).output)["lines"]
            leases = next(line for line in lines if line["pattern"] and line["pattern"].endswith(":reading"))
            assert (leases["entries"], None in {line["pattern"] for line in lines}) == (READERS, False)
            found = json.loads((await service.loa("doctor", "--json")).output)["findings"]
            assert sum(one["check"] == "leases: store" and one["level"] == "ok" for one in found) == 3

            victim = six.leader_of("loa:presence:{demo:0}:reading")
            victim.kill()
            # What is announced does not wait for numbers.
            id = await service.publish("demo", title="Trong lúc đó")
            for reader in readers:
                await reader.until(lambda reader=reader: id in reader.view)
                await reader.until(lambda reader=reader: reader.stale, PATIENCE)
            for reader in readers:
                await reader.until(lambda reader=reader: reader.online == READERS and not reader.stale, PATIENCE)
            assert (await service.presence("demo"))["online"] == READERS


async def test_one_server_for_leases_alone(
    short_directory: Path, tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = short_directory / tmp_path.name
    directory.mkdir()
    port = free_port()
    leases = Server(directory / "leases", port, ("--port", str(port), "--bind", "127.0.0.1"))
    leases.start()
    monkeypatch.setenv("LOA_PRESENCE_REDIS_URL", f"redis://127.0.0.1:{port}")
    try:
        with Service(tmp_path, 0) as service:
            async with Follower(service.url, "demo") as one, Follower(service.url, "demo") as two:
                await one.until(lambda: one.online == 2)
                await asyncio.to_thread(leases.kill)
                await one.until(lambda: one.stale)
                await unready(service, "store: that of leases ")
                await service.publish("demo", title="Trong lúc đó")
                await two.until(lambda: len(two.view) == 1)
                await asyncio.to_thread(leases.start)
                await one.until(lambda: one.online == 2 and not one.stale)
                await unready(service, "")
    finally:
        leases.kill()


async def unready(service: Service, why: str) -> None:
    """Waits until a reason why the node is not ready begins like this; of an empty one, until it is ready."""
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as client:
        while True:
            async with client.get(f"{service.ops_url}/readyz") as answer:
                reasons = (await answer.json())["reasons"]
            if any(one.startswith(why) for one in reasons) if why else not reasons:
                return
            await asyncio.sleep(0.1)


async def test_a_cluster_that_does_not_answer_is_named_at_start(
    tmp_path: Path, nobodys_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOA_PRESENCE_REDIS_URL", f"redis+cluster://u:geheim@127.0.0.1:{nobodys_port}")
    monkeypatch.setenv("LOA_REDIS_READY_SECONDS", "0")
    said = await Service(tmp_path, 0).loa("serve", "--port", "0")
    assert (said.code, said.errors.count("\n")) == (1, 1)
    assert f"redis+cluster://u@127.0.0.1:{nobodys_port} cannot be reached" in said.errors
    assert "geheim" not in said.errors + said.output
