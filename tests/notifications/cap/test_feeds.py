from __future__ import annotations

from xml.etree import ElementTree

import pytest
from redis.asyncio import Redis

from notifications.cap import message
from notifications.syndication import ATOM
from tests.notifications.cap.files import SENDER, alert, cancel, update
from tests.notifications.cap.service import PUBLIC_URL, Hub, serving_cap
from tests.notifications.making import by, draft


async def links(hub: Hub, path: str = "/feeds/demo.cap") -> list[str]:
    """Where the messages of a feed are, below the service."""
    answer = await hub.get(path)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    root = ElementTree.fromstring(answer.body)
    found = [entry.find(f"{{{ATOM}}}link") for entry in root.findall(f"{{{ATOM}}}entry")]
    return [str(link.get("href")).removeprefix(PUBLIC_URL) for link in found if link is not None]


async def read(hub: Hub, path: str) -> message.Message:
    """The message there, which has to be valid."""
    answer = await hub.get(path)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/cap+xml")
    return message.read(answer.body)


async def test_what_came_is_passed_on(redis: Redis, store_url: str, prefix: str) -> None:
    async with serving_cap(redis, store_url, prefix) as hub:
        assert await links(hub) == []
        id = (await hub.send(alert())).json["id"]
        await hub.told.until(lambda: id in hub.told.shown)
        assert await links(hub) == [f"/feeds/demo/{id}.cap"]
        first = await read(hub, f"/feeds/demo/{id}.cap")
        assert (first.kind, first.sender, first.source) == ("Alert", "loa@loa.example.vn", SENDER)
        assert first.infos[0].headline == "Lũ lên nhanh"
        await hub.send(update())
        await hub.told.until(lambda: hub.told.shown[id] == 2)
        second = await read(hub, f"/feeds/demo/{id}.cap")
        assert (second.kind, second.earlier) == ("Update", (first.identity,))
        await hub.send(cancel())
        await hub.told.until(lambda: id not in hub.told.shown)
        third = await read(hub, f"/feeds/demo/{id}.cap")
        assert third.kind == "Cancel"
        assert set(third.earlier) == {first.identity, second.identity}
        assert await links(hub) == [f"/feeds/demo/{id}.cap"]
        assert await links(hub, "/feeds/tinh.cap") == []


async def test_another_worker_that_comes_later_says_the_same(redis: Redis, store_url: str, prefix: str) -> None:
    async with serving_cap(redis, store_url, prefix) as hub:
        id = (await hub.send(alert())).json["id"]
        await hub.send(update())
        await hub.told.until(lambda: hub.told.shown.get(id) == 2)
        here = await hub.get(f"/feeds/demo/{id}.cap")
        async with serving_cap(redis, store_url, prefix) as other:
            there = await other.get(f"/feeds/demo/{id}.cap")
        assert (there.body, there.headers["ETag"]) == (here.body, here.headers["ETag"])


async def test_tests_are_left_out_unless_asked_for_and_drafts_always(
    valkey: Redis, valkey_url: str, prefix: str
) -> None:
    async with serving_cap(valkey, valkey_url, prefix) as hub:
        id = (await hub.send(alert(status="Exercise"))).json["id"]
        await hub.send(alert(status="Draft", identifier="VN-2"))
        await hub.told.until(lambda: id in hub.told.shown)
        assert await links(hub) == []
        assert (await hub.get(f"/feeds/demo/{id}.cap")).status == 404
        (link,) = await links(hub, "/feeds/demo.cap?tests=1")
        assert link == f"/feeds/demo/{id}.cap?tests=1"
        assert (await read(hub, link)).status == "Test"


async def test_is_sent_anew_only_after_a_change(valkey: Redis, valkey_url: str, prefix: str) -> None:
    async with serving_cap(valkey, valkey_url, prefix) as hub:
        one = (await hub.desk.log.publish(draft(), by=by("x"))).announcement
        await hub.told.until(lambda: one.id in hub.told.shown)
        for path in ("/feeds/demo.cap", f"/feeds/demo/{one.id}.cap"):
            answer = await hub.get(path)
            assert answer.headers["Cache-Control"] == "public, max-age=15"
            tag = answer.headers["ETag"]
            assert (await hub.get(path, **{"If-None-Match": tag})).status == 304
        await hub.desk.log.recall(one.id, by=by("x"))
        await hub.told.until(lambda: one.id not in hub.told.shown)
        assert (await hub.get(path, **{"If-None-Match": tag})).status == 200


@pytest.mark.parametrize(
    "path", ["/feeds/nowhere.cap", "/feeds/nowhere/a.cap", "/feeds/demo/a.cap", "/feeds/demo/../demo.cap/x"]
)
async def test_what_there_is_not(valkey: Redis, valkey_url: str, prefix: str, path: str) -> None:
    async with serving_cap(valkey, valkey_url, prefix) as hub:
        assert (await hub.get(path)).status == 404


async def test_the_other_feeds_are_where_they_were(valkey: Redis, valkey_url: str, prefix: str) -> None:
    async with serving_cap(valkey, valkey_url, prefix) as hub:
        answer = await hub.get("/feeds/demo.atom")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/atom+xml; charset=utf-8")
        assert (await hub.get("/feeds/demo.doc")).status == 404
