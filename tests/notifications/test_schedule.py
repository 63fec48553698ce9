"""What is scheduled goes out at its time, once, whoever is there; on a real Valkey and on Redis 6.2."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from redis.asyncio import Redis

from notifications.announcement import Announcement
from notifications.audit import Entry
from notifications.editorial import Editorial
from notifications.keys import Keys
from notifications.log import Log
from notifications.schedule import Schedule
from notifications.settings import NotificationsSettings
from notifications.trail import Trail
from tests.notifications.making import draft, person
from tests.patience import PATIENCE_SECONDS

WRITER = person("an")


@pytest.fixture
def editorial(log: Log, redis: Redis, prefix: str) -> Editorial:
    return Editorial(log, Trail(redis, prefix))


async def now_ms(redis: Redis) -> int:
    seconds, microseconds = await redis.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


async def scheduled(editorial: Editorial, starts_ms: int, **members: object) -> Announcement:
    wanted = draft(severity="info", starts_ms=starts_ms, **members)
    return (await editorial.create(wanted, then="scheduled", by=WRITER)).announcement


async def test_goes_out_at_its_time_once_though_all_workers_look(editorial: Editorial, log: Log, redis: Redis) -> None:
    one = await scheduled(editorial, await now_ms(redis) + 700)
    workers = [Schedule(log) for _ in range(4)]
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (found := await log.get(one.id)).status != "live":
                await asyncio.sleep(0.01)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    live = found.announcement
    assert live.revision == 2
    assert live.published_ms >= one.starts_ms
    assert live.late_ms == live.published_ms - one.starts_ms
    # It ends when it was to, however late it began.
    assert live.expires_ms == one.starts_ms + 3_600_000
    assert len(await log.tail(0)) == 1
    assert (await log.due())[1] == []


async def test_looks_again_when_the_next_is_due(editorial: Editorial, log: Log, redis: Redis) -> None:
    schedule = Schedule(log)
    assert await schedule.turn() == 1.0
    one = await scheduled(editorial, await now_ms(redis) + 3_600_000)
    assert await schedule.turn() == 1.0
    await editorial.schedule(
        (await editorial.unschedule(one.id, by=WRITER)).announcement.id, await now_ms(redis) + 60_000, by=WRITER
    )
    assert 0 < await schedule.turn() <= 1.0
    assert (await log.get(one.id)).status == "scheduled"


async def test_what_was_missed_goes_out_late_and_says_so(editorial: Editorial, log: Log, redis: Redis) -> None:
    starts_ms = await now_ms(redis) - 120_000
    one = await scheduled(editorial, starts_ms)
    await Schedule(log).turn()
    live = (await log.get(one.id)).announcement
    assert live.status == "live"
    assert live.late_ms >= 120_000
    assert live.expires_ms == starts_ms + 3_600_000


async def test_what_would_have_ended_meanwhile_is_missed_and_says_so(
    editorial: Editorial, log: Log, redis: Redis, prefix: str
) -> None:
    one = await scheduled(editorial, await now_ms(redis) - 120_000, expires_in=60)
    await Schedule(log).turn()
    missed = (await log.get(one.id)).announcement
    assert (missed.status, missed.reason) == ("missed", "its end had passed before it could be sent")
    assert await log.tail(0) == []
    lines = [msgspec.json.decode(line.entry, type=Entry) async for line in Trail(redis, prefix).lines()]
    assert [(entry.act, entry.owner) for entry in lines] == [("schedule", "an"), ("miss", "schedule")]


async def test_one_that_was_given_up_or_put_off_in_time_stays(editorial: Editorial, log: Log, redis: Redis) -> None:
    given_up = await scheduled(editorial, await now_ms(redis) + 3_600_000)
    await editorial.discard(given_up.id, by=WRITER)
    put_off = await scheduled(editorial, await now_ms(redis) + 3_600_000)
    await editorial.unschedule(put_off.id, by=WRITER)
    await editorial.schedule(put_off.id, await now_ms(redis) + 7_200_000, by=WRITER)
    assert [id for id, _ in (await log.due())[1]] == [put_off.id]
    await Schedule(log).turn()
    assert await log.tail(0) == []


async def test_where_no_more_may_be_active_it_waits_and_the_others_do_not_with_it(redis: Redis, prefix: str) -> None:
    log = Log(redis, prefix, NotificationsSettings(max_active=1))
    editorial = Editorial(log, Trail(redis, prefix))
    first = (await editorial.create(draft(severity="info"), by=WRITER)).announcement
    one = await scheduled(editorial, await now_ms(redis) - 1_000)
    ended = await scheduled(editorial, await now_ms(redis) - 120_000, expires_in=60)
    schedule = Schedule(log)
    await schedule.turn()
    assert (await log.get(one.id)).status == "scheduled"
    assert (await log.get(ended.id)).status == "missed"
    await editorial.recall(first.id, by=WRITER)
    await schedule.turn()
    assert (await log.get(one.id)).status == "live"


async def test_one_whose_announcement_is_lost_keeps_nobody_waiting(
    editorial: Editorial, log: Log, redis: Redis, prefix: str
) -> None:
    lost = await scheduled(editorial, await now_ms(redis) - 2_000)
    await redis.hdel(Keys(prefix).state, lost.id)
    one = await scheduled(editorial, await now_ms(redis) - 1_000)
    schedule = Schedule(log)
    await schedule.turn()
    await schedule.turn()
    assert (await log.get(one.id)).status == "live"


async def test_one_that_another_release_wrote_keeps_nobody_waiting(
    editorial: Editorial, log: Log, redis: Redis, prefix: str
) -> None:
    strange = await scheduled(editorial, await now_ms(redis) - 2_000)
    await redis.hset(Keys(prefix).state, strange.id, '{"severity":"of tomorrow"}')
    damaged = await scheduled(editorial, await now_ms(redis) - 1_500)
    await redis.hset(Keys(prefix).state, damaged.id, b'{"id":"\xff"}')
    one = await scheduled(editorial, await now_ms(redis) - 1_000)
    await Schedule(log).turn()
    assert (await log.get(one.id)).status == "live"


async def test_however_many_cannot_be_sent_those_behind_them_are(
    editorial: Editorial, log: Log, redis: Redis, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.log._DUE", 2)
    for late_ms in range(2_005, 2_000, -1):
        lost = await scheduled(editorial, await now_ms(redis) - late_ms)
        await redis.hdel(Keys(prefix).state, lost.id)
    one = await scheduled(editorial, await now_ms(redis) - 1_000)
    schedule = Schedule(log)
    await schedule.turn()
    assert (await log.get(one.id)).status == "live"
    two = await scheduled(editorial, await now_ms(redis) - 500)
    await schedule.turn()
    assert (await log.get(two.id)).status == "live"
