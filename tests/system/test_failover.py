"""A service on a primary that Sentinel watches, which is killed while announcements are made.

Replication is asynchronous: what the dead primary acknowledged and had not passed on is lost, and nothing here asks
for more. What is promised: the service finds the new primary by itself, an announcement made from then on reaches
everybody, readers and the API agree on what there is, and numbers are right again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.patience import PATIENCE_SECONDS
from tests.service import Service
from tests.store.replicated import NAME, Server, trio
from tests.system.follower import Follower

PATIENCE = 2 * PATIENCE_SECONDS


@pytest.fixture
def servers(
    short_directory: Path, free_port: Callable[[], int], tmp_path: Path
) -> Iterator[tuple[Server, Server, Server]]:
    directory = short_directory / tmp_path.name
    directory.mkdir()
    with trio(directory, [free_port() for _ in range(3)]) as servers:
        yield servers


async def test_announcing_while_the_primary_dies(servers: tuple[Server, Server, Server], tmp_path: Path) -> None:
    primary, _, watcher = servers
    redis = f'\n[redis]\nurl = "redis://{NAME}/0"\nsentinels = ["127.0.0.1:{watcher.port}"]\ncommand_seconds = 2.0\n'
    with Service(tmp_path, 0, redis) as service:
        async with Follower(service.url, "demo") as one, Follower(service.url, "demo") as two:
            for reader in (one, two):
                await reader.until(lambda reader=reader: reader.online == 2)
            made: list[str] = []
            refused = 0
            killed = False
            deadline = time.monotonic() + PATIENCE
            after = 0
            while after < 3:
                assert time.monotonic() < deadline, service.log()[-3000:]
                if len(made) == 5 and not killed:
                    await asyncio.to_thread(primary.kill)
                    killed = True
                try:
                    made.append(await service.publish("demo", title=f"Tin {len(made)}"))
                    after += killed
                except (aiohttp.ClientError, TimeoutError):
                    refused += 1
                    await asyncio.sleep(0.2)
            # Those made since are there for everybody; those before are, or are not, for all alike.
            there = {id for id in made if await exists(service, id)}
            assert set(made[-3:]) <= there
            for reader in (one, two):
                await reader.until(lambda reader=reader: set(reader.view) & set(made) == there, PATIENCE)
                await reader.until(lambda reader=reader: reader.online == 2 and not reader.stale, PATIENCE)
            # The store's truth also holds for who comes only now.
            async with Follower(service.url, "demo") as late:
                await late.until(lambda: set(late.view) & set(made) == there, PATIENCE)


async def exists(service: Service, id: str) -> bool:
    """Whether the API knows it."""
    async with (
        aiohttp.ClientSession(headers=service.authorization) as client,
        client.get(f"{service.url}/api/v1/announcements/{id}") as answer,
    ):
        assert answer.status in {200, 404}
        return answer.status == 200
