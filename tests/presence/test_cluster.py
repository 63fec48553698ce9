"""Leases on a Redis Cluster of three: a site's shards are on all of them, and one of them is killed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from msgspec.structs import replace

from tests.patience import PATIENCE_SECONDS, until
from tests.presence.workers import BRISK, Worker, worker
from tests.store.cluster import Cluster

pytestmark = pytest.mark.slow

READERS = 300
SHARDS = 12


async def test_no_number_is_wrong_while_a_server_dies_and_comes_back_empty(three: Cluster, prefix: str) -> None:
    settings = replace(BRISK, shards=SHARDS, lease_seconds=60.0)
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(worker(three.url, prefix, settings=settings)) for _ in range(2)]
        for number in range(READERS):
            workers[number % 2].open(path=f"/{number % 7}", section="tin")
        await until(lambda: all(said(one) == READERS for one in workers))
        # Each of them has a part of the readers.
        assert all(any(":reading" in key for key in keys) for keys in three.held())
        wrong: list[int | None] = []
        watching = asyncio.create_task(watch(workers, wrong))
        victim = three.leader_of(workers[0].ledger.keys("demo", 0)[0])
        await asyncio.to_thread(victim.kill)
        await until(lambda: all(one.stale for one in workers))
        await asyncio.to_thread(victim.start)
        await until(lambda: all(said(one) == READERS for one in workers))
        watching.cancel()
        await asyncio.wait([watching])
        assert wrong == []
        # Who comes now is counted as before.
        workers[0].open()
        await until(lambda: all(said(one) == READERS + 1 for one in workers))
        assert not any(one.failures for one in workers)


def said(one: Worker) -> int | None:
    """The number where it is one that is stood by."""
    return None if one.stale else one.online


async def watch(workers: list[Worker], wrong: list[int | None]) -> None:
    """Notes every number that is stood by and is not the truth."""
    while True:
        wrong += [said(one) for one in workers if not one.stale and one.online != READERS]
        await asyncio.sleep(0.005)


async def test_places_and_readers_are_counted_over_all_shards(three: Cluster, prefix: str) -> None:
    settings = replace(BRISK, shards=SHARDS)
    async with (
        worker(three.url, prefix, settings=settings) as one,
        worker(three.url, prefix, settings=settings) as other,
    ):
        seen = one.open(path="/a", show="page")
        for _ in range(40):
            other.open(path="/a")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while seen.told("page").get("online") != 41:
                await asyncio.sleep(0.01)
        # The site was counted just before the page: it may have been one batch behind.
        await until(lambda: one.online == 41)
