"""What portals embed as it is described, held against the routes and against what is taken and refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway import widget
from gateway.problems import problems
from gateway.sites import SiteSettings
from notifications import explanation, openapi
from notifications.settings import NotificationsSettings
from presence import badge, embed
from presence.description import DESCRIBED as ALL
from presence.description_embedding import DESCRIBED
from tests.presence.test_badge import Told

SITES = {"demo": SiteSettings()}


async def _no_earlier(name: str) -> None:
    return None


def routes() -> list[web.RouteDef]:
    """What the rooms serve of it."""
    told: Any = Told()
    told.at_places = {("page", "/1"): 1, ("section", "a"): 2}
    return [
        *badge.routes(told, told, SITES),
        *embed.routes(SITES),
        *widget.routes(widget.join(["let a;"]), _no_earlier),
    ]


@pytest.fixture
async def client() -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application(middlewares=[problems])
    app.add_routes(routes())
    async with TestClient(TestServer(app)) as client:
        yield client


def test_every_route_is_described_and_no_other() -> None:
    pinned = {route.path for route in routes() if "{name" in route.path}
    assert {route.path for route in routes()} - pinned == set(DESCRIBED)
    assert all(set(item) == {"get"} for item in DESCRIBED.values())


def example(parameter: dict[str, Any], last: bool) -> str:
    """One of the values a parameter takes."""
    values = {"section": "a", "path": "/1", "text": "#", "color": "0a7", "background": "teal"}
    if "enum" in parameter["schema"]:
        return str(parameter["schema"]["enum"][-1 if last else 0])
    return values[parameter["name"]]


@pytest.mark.parametrize("path", DESCRIBED)
@pytest.mark.parametrize("last", [False, True])
async def test_what_is_described_is_taken(
    client: TestClient[web.Request, web.Application], path: str, last: bool
) -> None:
    call = DESCRIBED[path]["get"]
    taken = {one["name"]: example(one, last) for one in call.get("parameters", []) if one["in"] == "query"}
    async with client.get(path.format(site="demo"), params=taken) as answer:
        assert answer.status == 200
        assert answer.content_type in call["responses"]["200"]["content"]


@pytest.mark.parametrize("path", [path for path in DESCRIBED if "parameters" in DESCRIBED[path]["get"]])
async def test_what_is_beyond_is_refused_as_described(
    client: TestClient[web.Request, web.Application], path: str
) -> None:
    call = DESCRIBED[path]["get"]
    for one in call["parameters"]:
        if one["in"] != "query":
            continue
        longer = "x" * (one["schema"].get("maxLength", 0) + 1)
        async with client.get(path.format(site="demo"), params={one["name"]: longer}) as answer:
            assert answer.status == 400, one["name"]
            assert "400" in call["responses"]
            assert [error["field"] for error in (await answer.json(content_type=None))["errors"]] == [one["name"]]
    async with client.get(path.format(site="nowhere")) as answer:
        assert answer.status == 404
    assert "404" in call["responses"]


def test_all_of_it_is_explained_to_people() -> None:
    described = openapi.describe(NotificationsSettings(), ALL)
    page = explanation.page(described)
    for item in ALL.values():
        assert f'id="{item["get"]["operationId"]}"' in page
    tags = {tag["name"] for tag in described["tags"]}
    assert {tag for item in ALL.values() for tag in item["get"]["tags"]} <= tags
