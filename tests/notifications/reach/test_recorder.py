"""A worker's reach from what its feed tells and its sessions say to what anybody reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from types import SimpleNamespace
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from notifications.announcement import Announcement
from notifications.log import Log
from notifications.reach.ledger import Ledger
from notifications.reach.recorder import Recorder
from notifications.reach.sums import Reach
from tests.notifications.conftest import SETTINGS, feeding
from tests.notifications.making import by, draft
from tests.patience import until

KEY = b"k" * 32


class Hub:
    """As far as reach looks: so many sessions on each site, and two that have asked for its tests."""

    def sessions(self, channel: Hashable) -> int:
        return 4 if isinstance(channel, str) else 2


class Refusing:
    """A store that refuses to write, until it does not."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.away = True

    async def apply(self, entries: Any) -> list[int]:
        if self.away:
            raise RedisError("away")
        return await self._ledger.apply(entries)


class Worker:
    """A feed, and reach beside it."""

    def __init__(self, feed: Any, ledger: Any) -> None:
        self.feed = feed
        self.recorder = Recorder(ledger, KEY, feed, Hub(), lambda session: session.reader, write_ms=1000)  # type: ignore[arg-type, attr-defined, return-value]

    def greet(self, reader: bytes | None) -> Any:
        """A session that has just come."""
        session: Any = SimpleNamespace(site="demo", since="", reader=reader, tests=False)
        self.feed.greet(session)
        return session

    def say(self, session: Any, one: Announcement, did: str = "rendered", **said: Any) -> None:
        self.recorder.heard(session, {"type": "ack", "id": one.id, "revision": one.revision, "did": did, **said})


@pytest.fixture
async def worker(store_url: str, prefix: str, redis: Redis) -> AsyncIterator[Worker]:
    async with feeding(store_url, prefix, SETTINGS) as (feed, _):
        made = Worker(feed, Ledger(redis, prefix, 90))
        await until(lambda: feed.fresh)
        yield made


async def publish(log: Log, worker: Worker, **members: Any) -> Announcement:
    """Publishes, and waits until the worker has told it."""
    told = worker.feed.told
    one = (await log.create(draft(**members), "publish", by=by("t"))).announcement
    await until(lambda: worker.feed.told > told)
    return one


async def read(redis: Redis, prefix: str, one: Announcement) -> Reach:
    return await Ledger(redis, prefix, 90).read(one)


async def test_what_was_told_heard_and_greeted_is_read(worker: Worker, log: Log, redis: Redis, prefix: str) -> None:
    here, robot = worker.greet(b"here"), worker.greet(None)
    one = await publish(log, worker)
    later = worker.greet(b"later")
    for session in (here, robot, later):
        worker.say(session, one, waited=10)
    worker.say(here, one, "clicked")
    worker.recorder.heard(here, {"type": "ack"})
    await worker.recorder.write()
    reach = await read(redis, prefix, one)
    # The hub that tells stands for one session, and four are on the site.
    assert (reach.connected, reach.received, reach.greeted) == (4, 1, 1)
    assert (reach.rendered, reach.clicked, reach.dismissed, reach.measured) == (2, 1, 0, 1)
    assert (worker.recorder.hearing.taken, worker.recorder.batches) == (3, 1)
    await worker.recorder.write()
    assert worker.recorder.batches == 1, "without news nothing is written"


async def test_of_a_test_those_count_who_have_asked_for_tests(
    worker: Worker, log: Log, redis: Redis, prefix: str
) -> None:
    one = await publish(log, worker, test=True)
    await worker.recorder.write()
    assert (await read(redis, prefix, one)).connected == 2


async def test_garbage_makes_no_key(worker: Worker, redis: Redis, prefix: str) -> None:
    session = worker.greet(b"here")
    for id in ("", "a" * 26, "\x00", "x" * 4000, "0" * 26):
        worker.recorder.heard(session, {"type": "ack", "id": id, "revision": 1, "did": "rendered"})
    await worker.recorder.write()
    assert await redis.keys(f"{prefix}:*reach*") == []
    assert worker.recorder.hearing.ignored["unknown"] == 5


async def test_what_a_store_that_was_away_missed_is_told_later(
    worker: Worker, log: Log, redis: Redis, prefix: str
) -> None:
    store = Refusing(Ledger(redis, prefix, 90))
    worker.recorder._ledger = store  # type: ignore[assignment]
    here = worker.greet(b"here")
    one = await publish(log, worker)
    worker.say(here, one)
    with pytest.raises(RedisError):
        await worker.recorder.write()
    worker.say(worker.greet(b"other"), one)
    store.away = False
    await worker.recorder.finish()
    assert ((await read(redis, prefix, one)).rendered, worker.recorder.hearing.outbox.idle) == (2, True)


async def test_an_announcement_that_was_there_before_the_worker_counts_who_is_greeted(
    log: Log, store_url: str, redis: Redis, prefix: str
) -> None:
    one = (await log.create(draft(), "publish", by=by("t"))).announcement
    async with feeding(store_url, prefix, SETTINGS) as (feed, _):
        worker = Worker(feed, Ledger(redis, prefix, 90))
        worker.recorder._hub = SimpleNamespace(sessions=lambda site: 0)  # type: ignore[assignment]
        await until(lambda: feed.fresh)
        session = worker.greet(b"reader")
        worker.say(session, one)
        await worker.recorder.write()
        reach = await read(redis, prefix, one)
        assert (reach.connected, reach.greeted, reach.rendered, reach.measured) == (0, 1, 1, 0)
