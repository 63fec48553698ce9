from __future__ import annotations

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from notifications.cap.markup import MAX_BYTES
from tests.notifications.cap.files import SENDER, SENT, alert, cancel, info, update
from tests.notifications.cap.service import serving_cap
from tests.notifications.conftest import SETTINGS


async def test_alert_update_cancel(redis: Redis, store_url: str, prefix: str) -> None:
    async with serving_cap(redis, store_url, prefix) as hub:
        first = await hub.send(alert(info("<web>javascript:x</web>")))
        assert first.status == 201
        said = first.json
        assert first.headers["Location"] == f"/api/v1/announcements/{said['id']}"
        assert (said["outcome"], said["status"], said["revision"], said["replayed"]) == ("created", "live", 1, False)
        assert said["identity"] == f"{SENDER},VN-7,{SENT}"
        assert said["sessions"] == 3
        assert said["notes"] == ["the link in vi is left out: it must begin with https:// or http://"]
        again = await hub.send(alert(info("<web>javascript:x</web>")))
        assert (again.status, again.json) == (201, {**said, "replayed": True, "sessions": 0})
        second = await hub.send(update())
        assert (second.status, second.json["outcome"], second.json["id"]) == (200, "updated", said["id"])
        third = await hub.send(cancel())
        assert (third.status, third.json["outcome"], third.json["status"]) == (200, "recalled", "recalled")
        assert third.json["reason"] == "Lũ lên nhanh"


@pytest.mark.parametrize("kind", ["application/cap+xml", "application/xml", "text/xml; charset=utf-8"])
async def test_takes_every_way_to_say_xml(valkey: Redis, valkey_url: str, prefix: str, kind: str) -> None:
    async with serving_cap(valkey, valkey_url, prefix) as hub:
        assert (await hub.send(alert(), **{"Content-Type": kind})).status == 201


@pytest.mark.parametrize(
    ("data", "line", "element", "what"),
    [
        (b"<alert>\n<x>", 2, "alert/x", "line 2: not well-formed: no element found"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]>\n<x>&a;</x>', 1, "", "line 1: has a DTD"),
        (alert(sender=None), 2, "alert", "line 2: missing required element `sender` in `alert`"),
        (alert(info(), status="Real"), 6, "alert/status", "line 6: `status` 'Real' is none of"),
        (update(), 9, "alert/references", "line 9: unknown reference"),
        (b"", 0, "", "the file is empty"),
    ],
)
async def test_what_is_wrong_is_told_with_line_and_element(
    valkey: Redis, valkey_url: str, prefix: str, *, data: bytes, line: int, element: str, what: str
) -> None:
    async with serving_cap(valkey, valkey_url, prefix) as hub:
        # That the token was used is written down at most once a minute: now, or it was just before.
        await hub.send(b"")
        before = sorted([key async for key in valkey.scan_iter(f"{prefix}*")])
        answer = await hub.send(data)
        assert answer.status == 400
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        (error,) = answer.json["errors"]
        assert (error["line"], error["field"]) == (line, element)
        assert error["detail"].startswith(what)
        assert answer.json["title"] == "Not a valid CAP message"
        assert sorted([key async for key in valkey.scan_iter(f"{prefix}*")]) == before


async def test_what_is_ignored_is_accepted_and_says_why(valkey: Redis, valkey_url: str, prefix: str) -> None:
    async with serving_cap(valkey, valkey_url, prefix) as hub:
        answer = await hub.send(update(msgType="Ack"))
        assert (answer.status, answer.json["outcome"], answer.json["id"]) == (202, "ignored", "")
        assert "of the type Ack" in answer.json["reason"]
        assert "Location" not in answer.headers


async def test_what_waits_is_accepted_and_says_why(valkey: Redis, valkey_url: str, prefix: str) -> None:
    settings = replace(SETTINGS, approvals=["*/emergency 2"])
    async with serving_cap(valkey, valkey_url, prefix, settings) as hub:
        answer = await hub.send(alert())
        assert (answer.status, answer.json["outcome"], answer.json["status"]) == (202, "waiting", "waiting")
        assert answer.json["sessions"] == 0
        assert answer.json["reason"]


async def test_another_message_under_the_same_name_is_a_conflict(valkey: Redis, valkey_url: str, prefix: str) -> None:
    async with serving_cap(valkey, valkey_url, prefix) as hub:
        await hub.send(alert())
        answer = await hub.send(alert(info(headline="Hết lũ")))
        assert answer.status == 409
        assert "VN-7" in answer.json["detail"]


@pytest.mark.parametrize(
    ("headers", "site", "status"),
    [
        ({"Authorization": ""}, "demo", 401),
        ({"Authorization": "Bearer loa_1_2"}, "demo", 401),
        ({}, "nowhere", 404),
        ({"Content-Type": "application/json"}, "demo", 415),
        ({"Content-Encoding": "gzip"}, "demo", 415),
    ],
)
async def test_what_is_not_let_in(
    valkey: Redis, valkey_url: str, prefix: str, *, headers: dict[str, str], site: str, status: int
) -> None:
    async with serving_cap(valkey, valkey_url, prefix) as hub:
        assert (await hub.send(alert(), site, **headers)).status == status
        assert await hub.desk.all() == []


async def test_what_is_too_long_is_not_read(valkey: Redis, valkey_url: str, prefix: str) -> None:
    async with serving_cap(valkey, valkey_url, prefix) as hub:
        assert (await hub.send(b"<" * (MAX_BYTES + 1))).status == 413
        assert (await hub.send(b"<" * MAX_BYTES)).status == 400


async def test_a_deep_and_a_full_file_are_refused_while_others_are_served(
    valkey: Redis, valkey_url: str, prefix: str
) -> None:
    async with serving_cap(valkey, valkey_url, prefix) as hub:
        for data in (b"<a>" * 80_000, alert(*["<x/>"] * 60_000)[:MAX_BYTES]):
            assert (await hub.send(data)).status == 400
        assert (await hub.send(alert())).status == 201
