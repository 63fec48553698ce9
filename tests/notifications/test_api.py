from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from notifications.keys import Keys, TokenKeys
from notifications.settings import NotificationsSettings
from store.connection import connect
from store.settings import RedisSettings
from tests.notifications.conftest import SETTINGS
from tests.notifications.making import ahead, wall
from tests.notifications.service import Editor, Room, serving_api

DRAFT = {"sites": ["demo"], "severity": "breaking", "title": "Lũ lên nhanh", "url": "https://a.vn/x", "expires_in": 60}
NOBODY = "01kavg3n4m7q2x8r5t9w0y1z3b"


@pytest.fixture
async def room(redis: Redis, prefix: str) -> AsyncIterator[Room]:
    async with serving_api(redis, prefix, SETTINGS) as room:
        yield room


async def test_publishes_and_says_how_it_went(room: Room) -> None:
    answer = await room.editor.send("POST", "", DRAFT, headers={"Idempotency-Key": "k1"})
    assert answer.status == 201
    told = answer.json
    assert (told["revision"], told["status"], told["version"], told["sessions"]) == (1, "live", 1, 3)
    assert told["durability"] in {"disk", "memory"}
    assert told["replayed"] is False
    assert answer.headers["Location"].endswith(told["id"])
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Idempotency-Key"] == "k1"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers
    shown = (await room.editor.send("GET", f"/{told['id']}")).json
    assert shown == {name: told[name] for name in shown}


async def test_a_repeated_request_gets_the_first_answer(room: Room) -> None:
    key = {"Idempotency-Key": "bai-4711"}
    answers = await asyncio.gather(*[room.editor.send("POST", "", DRAFT, headers=key) for _ in range(5)])
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert sorted(answer.json["replayed"] for answer in answers) == [False, True, True, True, True]
    other = await room.editor.send("POST", "", {**DRAFT, "title": "khác"}, headers=key)
    assert other.status == 409
    assert "Idempotency-Key" in other.wrong


async def test_every_answer_names_a_key_to_repeat_it_with(room: Room) -> None:
    first = await room.editor.send("POST", "", DRAFT)
    again = await room.editor.send("POST", "", DRAFT, headers={"Idempotency-Key": first.headers["Idempotency-Key"]})
    assert again.json["id"] == first.json["id"]
    assert again.json["replayed"] is True


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 201])
async def test_refuses_keys_that_are_not_visible_ascii(room: Room, key: str) -> None:
    answer = await room.editor.send("POST", "", DRAFT, headers={"Idempotency-Key": key})
    assert answer.status == 400
    assert "Idempotency-Key" in answer.wrong


async def test_names_every_wrong_field(room: Room) -> None:
    wrong = {"sites": ["demo", "nowhere"], "severity": "x", "title": "", "url": "javascript:alert(1)", "colour": 1}
    answer = await room.editor.send("POST", "", wrong)
    assert answer.status == 422
    assert set(answer.wrong.values()) == {"/sites/1", "/severity", "/title", "/url", "/colour"}
    assert all({"field", "pointer", "detail"} == set(error) for error in answer.json["errors"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"nonsense", 400),
        (b"\xff\xfe", 400),
        (b'{"title": "\xff"}', 400),
        (b'{"title": "\\ud800"}', 400),
        (b"[" * 60_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b"{}", 422),
        (b" " * 65_537, 413),
    ],
)
async def test_refuses_bodies_it_cannot_read(room: Room, body: bytes, status: int) -> None:
    answer = await room.editor.send("POST", "", body, headers={"Content-Type": "application/json"})
    assert answer.status == status
    assert answer.json["status"] == status


async def test_refuses_a_long_body_that_does_not_say_so(room: Room) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b" " * 1024

    answer = await room.editor.send("POST", "", body(), headers={"Content-Type": "application/json"})
    assert answer.status == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
async def test_takes_json_only(room: Room, kind: str) -> None:
    answer = await room.editor.send("POST", "", msgspec.json.encode(DRAFT), headers={"Content-Type": kind})
    assert answer.status == 415


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "x-loa", "identity, gzip"])
async def test_takes_bodies_as_they_are_only(room: Room, coding: str) -> None:
    """Also those that are what they say: what they grow to is nobody's to find out."""
    for body in (gzip.compress(msgspec.json.encode(DRAFT)), b"{}"):
        # aiohttp, which looks into them first, closes a connection on which it could not read one.
        headers = {"Content-Type": "application/json", "Content-Encoding": coding, "Connection": "close"}
        answer = await room.editor.send("POST", "", body, headers=headers)
        # And what it knows at once to be none it refuses itself.
        assert answer.status == 415 or (answer.status, coding) == (400, "deflate")
        assert answer.status == 400 or answer.headers["Accept-Encoding"] == "identity"
    assert (await room.log.page()).found == []
    headers = {"Content-Type": "application/json", "Content-Encoding": "identity"}
    assert (await room.editor.send("POST", "", msgspec.json.encode(DRAFT), headers=headers)).status == 201


async def test_asks_for_a_token(room: Room) -> None:
    good = room.editor.token
    for token in ("", "x", "loa_00000000_" + 64 * "0", good[:-1] + ("0" if good[-1] != "0" else "1")):
        room.editor.token = token
        for method, path in (("POST", ""), ("GET", ""), ("GET", f"/{NOBODY}"), ("POST", f"/{NOBODY}/recall")):
            answer = await room.editor.send(method, path, DRAFT if method == "POST" else None)
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    answer = await room.editor.send("GET", headers={"Authorization": f"Basic {good}"})
    assert answer.status == 401


async def test_who_may_not_act_is_not_told_about_keys(room: Room) -> None:
    room.editor.token = "x"
    answer = await room.editor.send("POST", "", DRAFT, headers={"Idempotency-Key": "a b"})
    assert answer.status == 401


async def test_a_header_that_is_no_text_is_refused_like_any_other(room: Room) -> None:
    host, port = room.editor.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"GET /api/v1/announcements HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: \xff\xfe x\r\n\r\n"
    )
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert head.split()[1] == b"401"
    assert b"WWW-Authenticate: Bearer" in head
    assert msgspec.json.decode(body)["status"] == 401


async def test_a_revoked_token_stops_working_at_once(room: Room) -> None:
    assert (await room.editor.send("GET")).status == 200
    assert await room.tokens.revoke(room.editor.token.split("_")[1])
    assert (await room.editor.send("GET")).status == 401


async def test_a_role_that_may_not_is_refused(room: Room, redis: Redis, prefix: str) -> None:
    id = room.editor.token.split("_")[1]
    stored = await redis.hget(TokenKeys(prefix).tokens, id)
    assert isinstance(stored, bytes)
    await redis.hset(TokenKeys(prefix).tokens, id, stored.replace(b'"editor"', b'"viewer"'))
    answer = await room.editor.send("POST", "", DRAFT)
    assert answer.status == 403


async def test_wrong_tokens_slow_down_their_address_and_never_a_right_one(redis: Redis, prefix: str) -> None:
    settings = NotificationsSettings(failed_logins_per_minute=2)
    async with serving_api(redis, prefix, settings) as room:
        good = room.editor.token
        room.editor.token = "loa_00000000_" + 64 * "0"
        statuses = [(await room.editor.send("GET")) for _ in range(4)]
        assert [answer.status for answer in statuses] == [401, 401, 429, 429]
        assert int(statuses[-1].headers["Retry-After"]) >= 1
        room.editor.token = good
        assert (await room.editor.send("POST", "", DRAFT)).status == 201


async def test_an_exempt_address_is_not_slowed_down(redis: Redis, prefix: str) -> None:
    settings = NotificationsSettings(failed_logins_per_minute=1)
    async with serving_api(redis, prefix, settings, address="") as room:
        room.editor.token = "wrong"
        assert [(await room.editor.send("GET")).status for _ in range(3)] == [401, 401, 401]


async def test_a_token_has_a_budget_for_acts(redis: Redis, prefix: str) -> None:
    settings = NotificationsSettings(publishes_per_second=0.01, publish_burst=2)
    async with serving_api(redis, prefix, settings) as room:
        answers = [await room.editor.send("POST", "", DRAFT) for _ in range(3)]
        assert [answer.status for answer in answers] == [201, 201, 429]
        assert int(answers[-1].headers["Retry-After"]) > 1
        assert (await room.editor.send("GET")).status == 200
        room.editor.token = (await room.tokens.create("another")).text
        assert (await room.editor.send("POST", "", DRAFT)).status == 201


async def test_corrects_in_place(room: Room) -> None:
    id = (await room.editor.send("POST", "", DRAFT)).json["id"]
    answer = await room.editor.send("PATCH", f"/{id}", {"title": "Đã đạt đỉnh", "revision": 1, "show_again": True})
    assert answer.status == 200
    assert (answer.json["revision"], answer.json["title"], answer.json["again"]) == (2, "Đã đạt đỉnh", 2)
    assert answer.json["url"] == DRAFT["url"]
    assert answer.headers["ETag"] == '"2"'


async def test_two_editors_do_not_overwrite_each_other(room: Room) -> None:
    id = (await room.editor.send("POST", "", DRAFT)).json["id"]
    assert (await room.editor.send("PATCH", f"/{id}", {"title": "hai"}, headers={"If-Match": '"1"'})).status == 200
    stale = await room.editor.send("PATCH", f"/{id}", {"title": "ba", "revision": 1})
    assert (stale.status, stale.json["revision"]) == (409, 2)
    assert stale.wrong == {"revision": "/revision"}
    stale = await room.editor.send("PATCH", f"/{id}", {"title": "ba"}, headers={"If-Match": '"1"'})
    assert (stale.status, stale.json["revision"], stale.headers["ETag"]) == (412, 2, '"2"')
    assert stale.json["changed"] == [{"field": "title", "before": DRAFT["title"], "after": "hai"}]
    assert stale.json["current"] == (await room.editor.send("GET", f"/{id}")).json
    for header, status in (("*", 200), ('W/"3"', 400), ("3", 400), ('"x"', 400)):
        answer = await room.editor.send("PATCH", f"/{id}", {"title": "ba"}, headers={"If-Match": header})
        assert answer.status == status
    both = await room.editor.send("PATCH", f"/{id}", {"title": "ba", "revision": 2}, headers={"If-Match": '"3"'})
    assert both.status == 400


async def test_recalls(room: Room) -> None:
    id = (await room.editor.send("POST", "", DRAFT)).json["id"]
    answer = await room.editor.send("POST", f"/{id}/recall", {"reason": "nhầm"}, headers={"Idempotency-Key": "r"})
    assert answer.status == 200
    assert (answer.json["status"], answer.json["revision"], answer.json["reason"]) == ("recalled", 2, "nhầm")
    again = await room.editor.send("POST", f"/{id}/recall")
    assert (again.status, again.json["revision"], again.json["replayed"]) == (200, 2, True)
    repeated = await room.editor.send("POST", f"/{id}/recall", {"reason": "nhầm"}, headers={"Idempotency-Key": "r"})
    assert repeated.json["replayed"] is True
    update = await room.editor.send("PATCH", f"/{id}", {"title": "x"})
    assert (update.status, update.json["state"]) == (409, "recalled")


@pytest.mark.parametrize("id", [NOBODY, "x", "..", "%00", "0" * 27, "01KAVG3N4M7Q2X8R5T9W0Y1Z3B", "l" * 26])
async def test_knows_what_there_is_not(room: Room, id: str) -> None:
    for method, path, body in (
        ("GET", f"/{id}", None),
        ("PATCH", f"/{id}", {"title": "x"}),
        ("POST", f"/{id}/recall", None),
    ):
        answer = await room.editor.send(method, path, body)
        assert answer.status == 404 or (id == ".." and answer.status == 405)


async def test_says_what_another_release_wrote(room: Room, redis: Redis, prefix: str) -> None:
    ids = [(await room.editor.send("POST", "", DRAFT)).json["id"] for _ in range(2)]
    state = Keys(prefix).state
    stored = await redis.hget(state, ids[0])
    assert isinstance(stored, bytes)
    await redis.hset(state, ids[0], stored.replace(b'"breaking"', b'"apocalyptic"'))
    shown = await room.editor.send("GET", f"/{ids[0]}")
    assert (shown.status, "outcome" in shown.json) == (503, False)
    assert "another release" in shown.json["detail"].lower()
    recalled = await room.editor.send("POST", f"/{ids[0]}/recall")
    assert (recalled.status, recalled.json["outcome"]) == (503, "not_sent")
    assert [one["id"] for one in (await room.editor.send("GET")).json["announcements"]] == [ids[1]]


async def test_lists(room: Room) -> None:
    ids = [
        (await room.editor.send("POST", "", {**DRAFT, "sites": [site]})).json["id"] for site in ("demo", "tinh", "demo")
    ]
    await room.editor.send("POST", f"/{ids[0]}/recall")

    async def listed(query: str) -> tuple[list[str], str]:
        answer = (await room.editor.send("GET", query)).json
        return [one["id"] for one in answer["announcements"]], answer["before"]

    assert set((await listed(""))[0]) == set(ids)
    assert set((await listed("?site=demo"))[0]) == {ids[0], ids[2]}
    assert (await listed("?status=recalled"))[0] == [ids[0]]
    first, before = await listed("?limit=2")
    rest, end = await listed(f"?limit=2&before={before}")
    assert first + rest == sorted(ids, reverse=True)
    assert end == ""


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("site=nowhere", "site"),
        ("status=none", "status"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=１", "limit"),
        ("before=x", "before"),
        ("page=2", "page"),
    ],
)
async def test_names_wrong_parameters(room: Room, query: str, field: str) -> None:
    answer = await room.editor.send("GET", f"?{query}")
    assert answer.status == 422
    assert set(answer.wrong) == {field}


async def test_says_so_when_the_store_does_not_answer(redis: Redis, prefix: str, short_directory: Path) -> None:
    """The token cannot be looked up: not let in, and not told that it is wrong."""
    away = connect(RedisSettings(), f"unix://{short_directory}/nobody.sock", connections=2)
    async with serving_api(redis, prefix, SETTINGS) as room:
        room.tokens._redis = away
        acts = (("POST", "", DRAFT), ("PATCH", f"/{NOBODY}", {"title": "x"}), ("POST", f"/{NOBODY}/recall", None))
        for method, path, body in (*acts, ("GET", "", None), ("GET", f"/{NOBODY}", None)):
            answer = await room.editor.send(method, path, body)
            assert answer.status == 503
            assert answer.headers["Retry-After"]
            assert "loa_" not in answer.body.decode()
            assert ("outcome" in answer.json) == (method != "GET")
        for method, path, body in acts:
            answer = await room.editor.send(method, path, body, headers={"Idempotency-Key": "k1"})
            assert (answer.json["outcome"], answer.json["idempotency_key"]) == ("not_sent", "k1")
            answer = await room.editor.send(method, path, body)
            assert len(answer.json["idempotency_key"]) >= 16
    await away.aclose()


async def test_says_whether_it_may_have_been_sent(redis: Redis, prefix: str, short_directory: Path) -> None:
    away = connect(RedisSettings(), f"unix://{short_directory}/nobody.sock", connections=2)
    async with serving_api(redis, prefix, SETTINGS) as room:
        room.log._committer._redis = away
        answer = await room.editor.send("POST", "", DRAFT)
        assert (answer.status, answer.json["title"], answer.json["outcome"]) == (503, "Not sent", "not_sent")
        key = answer.json["idempotency_key"]
        room.log._committer._redis = redis
        again: Any = await room.editor.send("POST", "", DRAFT, headers={"Idempotency-Key": key})
        assert (again.status, again.json["replayed"]) == (201, False)
    await away.aclose()


STRICT = msgspec.structs.replace(SETTINGS, approvals=["*/emergency 1"])


@pytest.fixture
async def strict(redis: Redis, prefix: str) -> AsyncIterator[Room]:
    async with serving_api(redis, prefix, STRICT) as room:
        yield room


async def test_an_emergency_goes_the_whole_way(strict: Room) -> None:
    other = Editor(strict.editor.http, strict.editor.base, (await strict.tokens.create("other", "approver")).text)
    wanted = {**DRAFT, "severity": "emergency", "texts": {"en": {"title": "Flood"}}, "audience": {"paths": ["/tin/**"]}}
    refused = await strict.editor.send("POST", "", wanted)
    assert (refused.status, refused.json["title"], refused.json["needed"]) == (403, "Approval needed", 1)
    assert refused.json["detail"].endswith("(0 did). Submit it, as `loa announce --submit` does.")
    written = await strict.editor.send("POST", "", {**wanted, "status": "draft"})
    assert (written.status, written.json["status"], written.json["sessions"]) == (201, "draft", 0)
    assert (written.json["published_at"], written.json["expires_at"]) == (None, None)
    path = f"/{written.json['id']}"
    assert (await strict.editor.send("POST", f"{path}/send", {})).status == 403
    assert (await strict.editor.send("POST", f"{path}/submit")).json["status"] == "waiting"
    returned = await other.send("POST", f"{path}/return", {"reason": "Địa danh nào?"})
    assert (returned.json["status"], returned.json["reason"]) == ("returned", "Địa danh nào?")
    assert (await other.send("POST", f"{path}/return", {})).wrong == {"reason": "/reason"}
    await strict.editor.send("PATCH", path, {"title": "Lũ sông Mã"})
    await strict.editor.send("POST", f"{path}/submit", {})
    assert (await strict.editor.send("POST", f"{path}/approve", {})).status == 403
    approved = await other.send("POST", f"{path}/approve", {}, headers={"If-Match": '"5"'})
    assert [one["name"] for one in approved.json["approvals"]] == ["other"]
    at = ahead("Asia/Ho_Chi_Minh")
    scheduled = await strict.editor.send("POST", f"{path}/schedule", {"starts_at": wall(at)})
    assert (scheduled.json["status"], scheduled.json["starts_at"]) == ("scheduled", f"{at:%Y-%m-%d}T01:00:00.000Z")
    assert (await strict.editor.send("POST", f"{path}/unschedule")).json["status"] == "approved"
    live = await strict.editor.send("POST", f"{path}/send")
    assert (live.json["status"], live.json["sessions"], live.json["texts"]) == ("live", 3, {"en": {"title": "Flood"}})
    assert (await other.send("POST", f"{path}/approve")).json["state"] == "live"
    assert (await strict.editor.send("GET", "?text=song%20ma&status=live")).json["announcements"][0]["id"] == path[1:]


async def test_a_viewer_sees_and_does_nothing(room: Room) -> None:
    viewer = Editor(room.editor.http, room.editor.base, (await room.tokens.create("viewer", "viewer")).text)
    one = (await room.editor.send("POST", "", DRAFT)).json
    assert (await viewer.send("GET", f"/{one['id']}")).status == 200
    assert (await viewer.send("GET", "")).status == 200
    for path in ("", f"/{one['id']}/recall", f"/{one['id']}/discard"):
        assert (await viewer.send("POST", path, DRAFT if not path else {})).status == 403
