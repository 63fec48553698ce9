"""Operators keep webhooks over the API."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import msgspec
import pytest
from aiohttp import web
from redis.asyncio import Redis

from notifications import explanation, openapi
from notifications.settings import NotificationsSettings
from notifications.trail import Trail
from notifications.webhooks.api import WebhooksApi
from notifications.webhooks.description import DESCRIBED
from notifications.webhooks.hooks import Hooks
from notifications.webhooks.webhook import MOST_WEBHOOKS
from tests.notifications.making import by, draft
from tests.notifications.service import Answer
from tests.notifications.webhooks.conftest import SETTINGS, delivering
from tests.notifications.webhooks.office import Office, serving
from tests.notifications.webhooks.receiver import Receiver
from tests.patience import until

API = openapi.describe(NotificationsSettings(), DESCRIBED)
URL = "https://chat.example.vn/loa/a-path-that-is-a-secret"
WANTED = {"url": URL, "sites": ["demo"], "events": ["announcement.live"]}


async def add(office: Office, **members: Any) -> Answer:
    return await office.ask("operator", "POST", "", {**WANTED, **members})


async def test_is_added_shown_and_removed(office: Office) -> None:
    made = await add(office)
    assert made.status == 201
    secret = made.json["secret"]
    path = made.headers["Location"].removeprefix("/api/v1/webhooks")
    shown = await office.ask("operator", "GET", path)
    assert shown.json == {name: value for name, value in made.json.items() if name != "secret"}
    assert (shown.json["disabled"], shown.json["waiting"]) == ("", 0)
    listed = await office.ask("operator", "GET")
    assert listed.json == {"webhooks": [shown.json]}
    assert secret.encode() not in shown.body + listed.body
    assert (await office.ask("operator", "DELETE", path)).status == 204
    assert [(await office.ask("operator", method, path)).status for method in ("GET", "DELETE")] == [404, 404]


async def test_takes_the_right_to_operate_its_sites(office: Office) -> None:
    path = "/" + (await add(office)).json["id"]
    everywhere = {**WANTED, "sites": ["demo", "tinh"]}
    calls = [
        ("POST", "", WANTED), ("POST", "", everywhere), ("GET", "", None), ("GET", path, None),
        ("POST", path + "/test", None), ("POST", path + "/rotate", None), ("DELETE", path, None),
    ]  # fmt: skip
    for who, statuses in {
        "": [401] * 7,
        "editor": [403] * 7,
        "local-operator": [403, 403, 200, 404, 404, 404, 404],
        "admin": [201, 201, 200, 200, 200, 200, 204],
    }.items():
        assert [(await office.ask(who, *call)).status for call in calls] == statuses, who
    own = {**WANTED, "sites": ["tinh"]}
    assert (await office.ask("local-operator", "POST", "", own)).status == 201
    assert (await office.ask("local-operator", "POST", "", {"url": URL, "events": WANTED["events"]})).status == 403
    sites = [one["sites"] for one in (await office.ask("local-operator", "GET")).json["webhooks"]]
    assert sites == [["tinh"]]
    hook = {"name": "cms", "sites": ["demo"], "then": "live"}
    statuses = [(await office.ask(who, "POST", "/in", hook)).status for who in ("editor", "local-operator", "operator")]
    assert statuses == [403, 403, 201]
    assert (await office.ask("local-operator", "DELETE", "/in/cms")).status == 403
    assert (await office.ask("local-operator", "GET", "/in")).json == {"hooks": []}


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        ({"url": "http://chat.example.vn/"}, {"url": "/url"}),
        ({"url": "https://user:word@chat.example.vn/"}, {"url": "/url"}),
        ({"url": "https://localhost/"}, {"url": "/url"}),
        ({"url": "ftp://chat.example.vn/"}, {"url": "/url"}),
        ({"url": 7, "events": ["announcement.live", "all"]}, {"url": "/url", "events": "/events/1"}),
        ({"events": []}, {"events": "/events"}),
        ({"sites": ["demo", "khac"]}, {"sites": "/sites/1"}),
        ({"tests": "yes", "secret": "x"}, {"tests": "/tests", "secret": "/secret"}),
    ],
)
async def test_says_what_is_wrong(valkey: Redis, prefix: str, members: dict[str, Any], wrong: dict[str, str]) -> None:
    async with serving(valkey, prefix, NotificationsSettings()) as office:
        answer = await add(office, **members)
        assert (answer.status, answer.wrong) == (422, wrong)


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        ({"name": "Cms"}, {"name": "/name"}),
        ({"name": "-"}, {"name": "/name"}),
        ({"sites": []}, {"sites": "/sites"}),
        ({"then": "scheduled"}, {"then": "/then"}),
    ],
)
async def test_says_what_is_wrong_with_a_hook(office: Office, members: dict[str, Any], wrong: dict[str, str]) -> None:
    answer = await office.ask("operator", "POST", "/in", {"name": "cms", "sites": ["demo"], "then": "live", **members})
    assert (answer.status, answer.wrong) == (422, wrong)


async def test_there_are_so_many_and_no_more(office: Office) -> None:
    for _ in range(MOST_WEBHOOKS):
        assert (await add(office)).status == 201
    assert (await add(office)).status == 409
    await office.hook()
    taken = await office.ask("operator", "POST", "/in", {"name": "cms", "sites": ["demo"], "then": "live"})
    assert (taken.status, taken.wrong) == (409, {"name": "/name"})


async def test_a_test_says_what_came_of_it_and_a_rotation_signs_with_both(office: Office, receiver: Receiver) -> None:
    made = (await add(office, url=receiver.url)).json
    path, before = f"/{made['id']}", made["secret"]
    tried = await office.ask("operator", "POST", path + "/test")
    assert tried.json == {"outcome": "delivered", "status": 204, "why": ""}
    rotated = (await office.ask("operator", "POST", path + "/rotate")).json
    assert rotated["hours"] == 24
    receiver.answering = lambda _: web.Response(status=404)
    tried = await office.ask("operator", "POST", path + "/test")
    assert tried.json == {"outcome": "failed", "status": 404, "why": "the receiver answered 404"}
    first, second = receiver.got
    assert first.type == "webhook.test" and first.id != second.id
    assert second.signed_with(before) and second.signed_with(rotated["secret"])
    assert first.signed_with(before) and not first.signed_with(rotated["secret"])


async def test_the_dead_are_listed_retried_and_dropped_by_who_may(
    office: Office, receiver: Receiver, store_url: str, prefix: str
) -> None:
    made = (await add(office, url=receiver.url)).json
    receiver.answering = lambda _: web.Response(status=400)

    async def dead(who: str = "operator") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await office.ask(who, "GET", "/dead")).json["dead"]
        return found

    async def all_dead() -> bool:
        return len(await dead()) == 2

    async with delivering(store_url, prefix, msgspec.structs.replace(SETTINGS, webhook_retries=[])):
        for title in ("Một", "Hai"):
            await office.log.publish(draft(title=title), by=by("editor"))
        await until(all_dead)
        assert await dead("local-operator") == []
        last, first = await dead()
        assert {"webhook": made["id"], "tries": 1, "why": "the receiver answered 400"}.items() <= first.items()
        path = f"/dead/{first['id']}/retry"
        assert [(await office.ask(who, "POST", path)).status for who in ("editor", "local-operator")] == [403, 403]
        receiver.answering = lambda _: web.Response(status=204)
        assert (await office.ask("operator", "POST", path)).status == 204
        await receiver.until(lambda got: len(got) == 3)
    assert receiver.got[0].id == receiver.got[2].id
    assert (await office.ask("operator", "POST", path)).status == 404
    assert (await office.ask("operator", "DELETE", f"/dead/{last['id']}")).status == 204
    assert [(await office.ask("operator", "DELETE", f"/dead/{id}")).status for id in (last["id"], "-", "x")] == [
        404
    ] * 3


async def test_an_enabled_one_cannot_be_enabled(office: Office) -> None:
    made = (await add(office)).json
    assert (await office.ask("operator", "POST", f"/{made['id']}/enable")).status == 404


async def test_every_act_is_in_the_trail_without_secrets(office: Office, redis: Redis, prefix: str) -> None:
    made = (await add(office)).json
    path = f"/{made['id']}"
    await office.ask("operator", "POST", path + "/rotate")
    await office.ask("operator", "DELETE", path)
    entries = [line.entry async for line in Trail(redis, prefix).lines()]
    said = [msgspec.json.decode(entry) for entry in entries]
    assert [one["act"] for one in said] == ["webhook.add", "webhook.rotate", "webhook.remove"]
    assert {(one["owner"], one["role"], one["address"]) for one in said} == {("user:operator", "operator", "192.0.2.1")}
    assert said[0]["after"]["url"] == "https://chat.example.vn/…"
    whole = b"".join(entries)
    assert b"a-path-that-is-a-secret" not in whole and b"whsec_" not in whole


async def test_the_description_has_every_route_and_is_kept(office: Office, receiver: Receiver) -> None:
    schemas = API["components"]["schemas"]

    def hold(answer: Answer, path: str, method: str) -> None:
        told = DESCRIBED[path][method]["responses"][str(answer.status)]
        if "content" in told:
            (content,) = told["content"].values()
            schema = {**content["schema"], "components": {"schemas": schemas}}
            jsonschema.validate(answer.json, schema)

    base = "/api/v1/webhooks"
    made = await add(office, url=receiver.url)
    path = f"/{made.json['id']}"
    hold(made, base, "post")
    hold(await add(office, url=7), base, "post")
    hold(await office.ask("operator", "GET"), base, "get")
    hold(await office.ask("", "GET"), base, "get")
    hold(await office.ask("operator", "GET", path), base + "/{id}", "get")
    hold(await office.ask("operator", "POST", path + "/test"), base + "/{id}/test", "post")
    hold(await office.ask("operator", "POST", path + "/rotate"), base + "/{id}/rotate", "post")
    hold(await office.ask("operator", "POST", path + "/enable"), base + "/{id}/enable", "post")
    hold(await office.ask("operator", "GET", "/dead"), base + "/dead", "get")
    secret = await office.hook()
    hold(await office.ask("operator", "GET", "/in"), base + "/in", "get")
    example = DESCRIBED["/api/v1/hooks/{name}"]["post"]["requestBody"]["content"]["application/json"]["example"]
    hooked = await office.post(example, secret)
    assert hooked.status == 201
    hold(hooked, "/api/v1/hooks/{name}", "post")
    hold(await office.post({"type": "x"}, secret), "/api/v1/hooks/{name}", "post")
    hold(await office.post(example, "whsec_" + "A" * 32), "/api/v1/hooks/{name}", "post")
    hold(await office.ask("operator", "DELETE", path), base + "/{id}", "delete")


def test_the_description_names_every_route_and_no_other() -> None:
    routes = WebhooksApi(None, None, {}, asking=None, acting=None).routes()  # type: ignore[arg-type]
    hooks: Any = Hooks
    routes += hooks(None, None, None, {}, delivered=None, client_of=None, store_ms=None).routes()
    described = {
        (method.upper(), path) for path, item in DESCRIBED.items() for method in item if method != "parameters"
    }
    assert described == {(route.method, route.path) for route in routes}
    for path, item in DESCRIBED.items():
        named = {one["name"] for one in item.get("parameters", [])}
        assert named == set(re.findall(r"{(\w+)}", path))
    assert "addWebhook" in explanation.page(API)
