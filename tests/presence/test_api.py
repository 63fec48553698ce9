"""GET /api/v1/sites/{site}/presence, over a real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from presence.description import DESCRIBED
from tests.presence.portals import ORIGIN, Portal, portal
from tests.presence.workers import PATIENCE_SECONDS


@pytest.fixture
async def house(valkey_url: str, prefix: str) -> AsyncIterator[Portal]:
    async with portal(valkey_url, prefix) as one:
        yield one


@pytest.fixture
async def http(house: Portal) -> AsyncIterator[ClientSession]:
    async with ClientSession(house.url) as session:
        yield session


async def test_the_answer_says_the_number_its_time_and_its_bound(http: ClientSession) -> None:
    said: dict[str, Any] = {"stale": True}
    # Fresh as soon as the worker gets its turn; on a busy machine that may be the next count.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while said["stale"]:
            async with http.get("/api/v1/sites/demo/presence") as answer:
                assert answer.status == 200
                assert answer.content_type == "application/json"
                assert answer.headers["Cache-Control"] == "public, max-age=1"
                said = await answer.json()
    assert list(said) == ["site", "online", "as_of", "stale", "freshness_seconds", "bounds"]
    assert (said["site"], said["online"], said["stale"]) == ("demo", 0, False)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(said["as_of"])) < timedelta(seconds=5)
    assert said["freshness_seconds"] == max(said["bounds"].values())
    assert set(said["bounds"]) == {"join_seconds", "leave_seconds", "vanish_seconds", "lost_worker_seconds"}


async def test_it_says_what_the_sockets_say(house: Portal, http: ClientSession) -> None:
    async with http.ws_connect("/ws?site=demo") as socket:
        assert (await socket.receive_json())["online"] == 1
        async with http.get("/api/v1/sites/demo/presence") as answer:
            assert (await answer.json())["online"] == 1
        async with http.get("/api/v1/sites/other/presence") as answer:
            assert (await answer.json())["online"] == 0


async def test_an_unknown_site_is_a_problem(http: ClientSession) -> None:
    async with http.get("/api/v1/sites/nowhere/presence") as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"
        assert (await answer.json(content_type=None))["title"] == "No such site"


@pytest.mark.parametrize(
    ("site", "origin", "allowed"),
    [
        ("demo", ORIGIN, True),
        ("demo", "https://elsewhere.example", False),
        ("demo", "null", False),
        ("other", ORIGIN, False),
    ],
)
async def test_only_the_site_s_own_pages_may_read_it_from_a_script(
    http: ClientSession, site: str, origin: str, allowed: bool
) -> None:
    async with http.get(f"/api/v1/sites/{site}/presence", headers={"Origin": origin}) as answer:
        assert answer.status == 200
        assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is allowed
        assert answer.headers["Vary"] == "Origin"


async def test_it_is_only_read(http: ClientSession) -> None:
    async with http.post("/api/v1/sites/demo/presence") as answer:
        assert answer.status == 405


async def test_the_answer_is_as_described(http: ClientSession) -> None:
    described = DESCRIBED["/api/v1/sites/{site}/presence"]["get"]["responses"]["200"]["content"]["application/json"]
    async with http.get("/api/v1/sites/demo/presence") as answer:
        said = await answer.json()
    assert set(said) == set(described["schema"]["required"]) == set(described["schema"]["properties"])
    assert set(said["bounds"]) == set(described["example"]["bounds"])
