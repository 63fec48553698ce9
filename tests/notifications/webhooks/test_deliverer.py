"""Webhooks delivered: on real servers, to a real receiver, by workers that come and go."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace
from redis.asyncio import Redis

from notifications.announcement import Change
from notifications.log import Log
from notifications.webhooks.registry import Registry
from tests.notifications.making import by, draft
from tests.notifications.webhooks.conftest import SETTINGS, delivering, tell
from tests.notifications.webhooks.receiver import Got, Receiver
from tests.patience import until

EDITOR = by("editor")


async def test_tells_what_happens_in_order(
    log: Log, registry: Registry, receiver: Receiver, store_url: str, prefix: str
) -> None:
    await log.publish(draft(title="Trước"), by=EDITOR)
    _, secret = await tell(registry, receiver.url)
    async with delivering(store_url, prefix):
        waiting = await log.create(draft(title="Chờ duyệt"), "submit", by=EDITOR)
        live = await log.publish(draft(), by=EDITOR)
        await log.update(live.announcement.id, Change(title="Lũ rút"), by=EDITOR)
        await log.recall(live.announcement.id, "nhầm", by=EDITOR)
        got = await receiver.until(lambda got: len(got) == 4)
    assert [one.type.partition(".")[2] for one in got] == ["submitted", "live", "updated", "recalled"]
    assert [one.json["data"]["revision"] for one in got] == [1, 1, 2, 3]
    assert got[0].json["data"]["id"] == waiting.announcement.id
    assert got[2].json["data"]["title"] == "Lũ rút"
    assert all(one.signed_with(secret) for one in got)
    assert not any(one.signed_with("whsec_" + "A" * 32) for one in got)
    assert len({one.id for one in got}) == 4


async def test_tells_only_of_its_sites_and_events_and_of_tests_if_it_wants(
    log: Log, registry: Registry, receiver: Receiver, store_url: str, prefix: str
) -> None:
    await tell(registry, receiver.url, "announcement.recalled", sites=("tinh",))
    await tell(registry, receiver.url, "announcement.live", sites=("demo",), tests=True)
    for members in ({"sites": ("demo",)}, {"sites": ("demo", "tinh")}, {"sites": ("demo",), "test": True}):
        one = await log.publish(draft(**members), by=EDITOR)
        await log.recall(one.announcement.id, by=EDITOR)
    async with delivering(store_url, prefix):
        got = await receiver.until(lambda got: len(got) == 4)
        await until(lambda: _nothing_waits(registry))
    said = sorted((one.type, len(one.json["data"]["sites"])) for one in got)
    assert said == [
        ("announcement.live", 1), ("announcement.live", 1), ("announcement.live", 2), ("announcement.recalled", 2),
    ]  # fmt: skip


async def test_tries_again_until_the_receiver_takes_it_with_the_same_id(
    log: Log, registry: Registry, receiver: Receiver, store_url: str, prefix: str
) -> None:
    await tell(registry, receiver.url)
    receiver.answering = lambda _: web.Response(status=500 if len(receiver.got) < 4 else 200)
    async with delivering(store_url, prefix) as deliverer:
        await log.publish(draft(), by=EDITOR)
        got = await receiver.until(lambda got: len(got) == 4)
        await until(lambda: _nothing_waits(registry))
        await until(lambda: deliverer.outcomes == {"failed": 3, "delivered": 1})
        assert deliverer.retries == 3
    assert len({(one.id, one.body) for one in got}) == 1


async def test_a_correction_never_overtakes_and_others_do_not_wait(
    log: Log, registry: Registry, receiver: Receiver, store_url: str, prefix: str
) -> None:
    await tell(registry, receiver.url)
    refusing = True
    receiver.answering = lambda got: web.Response(status=500 if refusing and "Kẹt" in got.body.decode() else 204)
    settings = replace(SETTINGS, webhook_retries=[0.05] * 30)
    async with delivering(store_url, prefix, settings):
        stuck = await log.publish(draft(title="Kẹt"), by=EDITOR)
        await log.update(stuck.announcement.id, Change(title="Kẹt nữa"), by=EDITOR)
        other = await log.publish(draft(title="Tin khác"), by=EDITOR)
        await receiver.until(lambda got: any(one.json["data"]["id"] == other.announcement.id for one in got))
        refusing = False
        await receiver.until(lambda got: got[-1].type == "announcement.updated")
    of_it = [one.json["data"]["revision"] for one in receiver.got if one.json["data"]["id"] == stuck.announcement.id]
    assert of_it == sorted(of_it)


async def test_what_fails_at_every_try_is_dead_with_a_reason_and_can_be_retried_or_dropped(
    log: Log, registry: Registry, receiver: Receiver, store_url: str, prefix: str
) -> None:
    webhook, _ = await tell(registry, receiver.url)
    receiver.answering = lambda _: web.Response(status=302, headers={"Location": receiver.url})
    settings = replace(SETTINGS, webhook_retries=[0.01, 0.01])
    async with delivering(store_url, prefix, settings) as deliverer:
        for title in ("Một", "Hai"):
            await log.publish(draft(title=title), by=EDITOR)
        await until(lambda: _dead(registry, 2))
        assert len(receiver.got) == 6
        await until(lambda: deliverer.dead == 2)
        dead = (await registry.dead())[0]
        assert (dead.webhook, dead.waiting.tries) == (webhook.id, 3)
        assert dead.waiting.why == "the receiver answered 302; redirects are not followed"
        receiver.answering = lambda _: web.Response(status=200)
        # Told by what it was about: two are sent at once, and either may have been the first to arrive, or to die.
        tried_again = (await registry.dead())[1]
        await registry.retry(tried_again.id, EDITOR)
        got = await receiver.until(lambda got: len(got) == 7)
        assert got[-1].id in {one.id for one in got[:-1]}
        assert got[-1].json["data"]["id"] == tried_again.waiting.announcement
    await registry.drop(dead.id, EDITOR)
    assert await registry.dead() == []


async def test_the_dead_are_bounded(
    log: Log, registry: Registry, receiver: Receiver, store_url: str, prefix: str
) -> None:
    await tell(registry, receiver.url)
    receiver.answering = lambda _: web.Response(status=400)
    async with delivering(store_url, prefix, replace(SETTINGS, webhook_retries=[], webhooks_dead=2)):
        for number in range(4):
            await log.publish(draft(title=str(number)), by=EDITOR)
        await receiver.until(lambda got: len(got) == 4)
        await until(lambda: _nothing_waits(registry))
    dead = await registry.dead()
    assert [one.waiting.announcement for one in dead] == [one.json["data"]["id"] for one in receiver.got[:1:-1]]


async def test_410_disables_it_until_it_is_enabled_again(
    log: Log, registry: Registry, receiver: Receiver, store_url: str, prefix: str
) -> None:
    webhook, _ = await tell(registry, receiver.url)
    receiver.answering = lambda _: web.Response(status=410)
    async with delivering(store_url, prefix):
        await log.publish(draft(), by=EDITOR)
        await until(lambda: _disabled(registry, webhook.id))
        await log.publish(draft(title="Không ai nghe"), by=EDITOR)
        receiver.answering = lambda _: web.Response(status=200)
        await registry.enable(webhook.id, EDITOR)
        last = await log.publish(draft(title="Nghe lại"), by=EDITOR)
        got = await receiver.until(lambda got: len(got) == 2)
    assert got[1].json["data"]["id"] == last.announcement.id
    assert (await registry.get(webhook.id)).disabled == ""


@pytest.mark.slow
async def test_waits_as_long_as_the_receiver_asks(
    log: Log, registry: Registry, receiver: Receiver, store_url: str, prefix: str
) -> None:
    await tell(registry, receiver.url)
    loop = asyncio.get_running_loop()
    came: list[float] = []

    def answering(_: Got) -> web.Response:
        came.append(loop.time())
        return web.Response(status=429 if len(came) == 1 else 200, headers={"Retry-After": "1"})

    receiver.answering = answering
    async with delivering(store_url, prefix):
        for title in ("Một", "Hai"):
            await log.publish(draft(title=title), by=EDITOR)
        await receiver.until(lambda got: len(got) == 3)
    assert came[1] - came[0] >= 0.9


@pytest.mark.slow
async def test_a_slow_receiver_is_given_up_and_keeps_nobody_else_waiting(
    log: Log, registry: Registry, receiver: Receiver, store_url: str, prefix: str
) -> None:
    released = asyncio.Event()

    async def answering(got: Got) -> web.Response:
        await released.wait()
        return web.Response(status=200)

    async with Receiver() as slow:
        slow.answering = answering
        webhook, _ = await tell(registry, slow.url)
        await tell(registry, receiver.url)
        async with delivering(store_url, prefix, replace(SETTINGS, webhook_seconds=0.5, webhook_retries=[600])):
            await log.publish(draft(), by=EDITOR)
            await receiver.until(lambda got: len(got) == 1)
            await until(lambda: _waits(registry, webhook.id, "no answer within 0.5 s"))
        released.set()


async def test_a_worker_that_ends_while_it_delivers_leaves_it_to_another(
    log: Log, registry: Registry, receiver: Receiver, store_url: str, prefix: str
) -> None:
    await tell(registry, receiver.url)
    forever = asyncio.Event()

    async def answering(got: Got) -> web.Response:
        if len(receiver.got) == 1:
            await forever.wait()
        return web.Response(status=200)

    receiver.answering = answering
    async with delivering(store_url, prefix) as first:
        await log.publish(draft(), by=EDITOR)
        await receiver.until(lambda got: len(got) == 1)
        assert first.delivering
    forever.set()
    async with delivering(store_url, prefix) as second:
        got = await receiver.until(lambda got: len(got) == 2)
        await until(lambda: second.outcomes.get("delivered") == 1)
    assert got[0].id == got[1].id


async def test_of_two_workers_one_delivers_and_the_other_takes_over_when_the_lease_ends(
    log: Log, registry: Registry, receiver: Receiver, store_url: str, prefix: str
) -> None:
    await tell(registry, receiver.url)
    async with delivering(store_url, prefix) as one, delivering(store_url, prefix) as other:
        await until(lambda: one.delivering or other.delivering)
        for number in range(20):
            await log.publish(draft(title=str(number)), by=EDITOR)
        # On a machine that stands still for longer than a lease another worker takes over, and what was under way then
        # comes twice.
        await receiver.until(lambda got: len({each.id for each in got}) == 20)
        await until(lambda: one.delivering != other.delivering)
        # As if it had been stopped for longer than its lease, and somebody else had taken it.
        await registry._redis.set(f"{prefix}:{{announcements}}:webhooks:lease", "stranger", px=300)
        await log.publish(draft(title="Sau"), by=EDITOR)
        await receiver.until(lambda got: got[-1].json["data"]["title"] == "Sau")
        await until(lambda: one.delivering != other.delivering)


async def test_tells_of_an_end_once_it_has_come(
    log: Log, registry: Registry, receiver: Receiver, store_url: str, prefix: str
) -> None:
    await tell(registry, receiver.url, "announcement.expired")
    recalled = await log.publish(draft(), by=EDITOR)
    ends = await log.publish(draft(), by=EDITOR)
    key = f"{prefix}:{{announcements}}"
    async with delivering(store_url, prefix):
        await log.recall(recalled.announcement.id, by=EDITOR)
        webhook = (await registry.all())[0].webhook
        await until(lambda: _follows(registry._redis, f"{key}:webhooks:expiring:{webhook.id}", 1))
        # An hour later: it has expired by the store's clock.
        past = replace(ends.announcement, expires_ms=ends.announcement.published_ms)
        await registry._redis.hset(f"{key}:state", past.id, msgspec.json.encode(past))
        await registry._redis.zadd(f"{key}:webhooks:expiring:{webhook.id}", {past.id: past.expires_ms})
        got = await receiver.until(lambda got: len(got) == 1)
        await until(lambda: _nothing_waits(registry))
    assert (got[0].type, got[0].json["data"]["status"]) == ("announcement.expired", "expired")
    assert got[0].id == f"msg_{past.id}_1_{past.id}-expired"


async def _nothing_waits(registry: Registry) -> bool:
    return all(one.waiting == 0 for one in await registry.all())


async def _dead(registry: Registry, count: int) -> bool:
    return len(await registry.dead()) == count


async def _disabled(registry: Registry, id: str) -> bool:
    return (await registry.get(id)).disabled == "the receiver answered 410: it wants no more"


async def _waits(registry: Registry, id: str, why: str) -> bool:
    stored = await registry._redis.hvals(registry._keys.waiting(id))
    return len(stored) == 1 and why in stored[0].decode()


async def _follows(redis: Redis, key: str, count: int) -> bool:
    return await redis.zcard(key) == count
