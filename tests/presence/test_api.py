"""GET /api/v1/sites/{site}/presence, over a real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from presence.bounds import Bounds
from presence.description import DESCRIBED
from tests.patience import PATIENCE_SECONDS, until
from tests.presence.portals import BROWSER, ORIGIN, Portal, answered, portal


@pytest.fixture
async def house(valkey_url: str, prefix: str) -> AsyncIterator[Portal]:
    async with portal(valkey_url, prefix) as one:
        yield one


@pytest.fixture
async def http(house: Portal) -> AsyncIterator[ClientSession]:
    async with ClientSession(house.url, headers=BROWSER) as session:
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
    assert list(said) == ["site", "online", "as_of", "stale", "states", "raw", "apart", "freshness_seconds", "bounds"]
    assert said["states"] == {"reading": 0, "idle": 0, "background": 0}
    assert (said["site"], said["online"], said["stale"]) == ("demo", 0, False)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(said["as_of"])) < timedelta(minutes=1)
    assert said["freshness_seconds"] == max(said["bounds"].values())
    assert set(said["bounds"]) == {*Bounds.__struct_fields__}


async def test_it_says_what_the_sockets_say(house: Portal, http: ClientSession) -> None:
    async with http.ws_connect("/ws?site=demo") as socket:
        assert (await answered(socket))["online"] == 1
        await until(lambda: house.presence.count("demo").online == 1)
        async with http.get("/api/v1/sites/demo/presence") as answer:
            assert (await answer.json())["online"] == 1
        async with http.get("/api/v1/sites/other/presence") as answer:
            assert (await answer.json())["online"] == 0


async def test_it_says_who_is_in_a_section_and_on_a_page(http: ClientSession) -> None:
    section = http.ws_connect("/ws?site=demo&section=news&path=/1")
    async with section as one, http.ws_connect("/ws?site=demo&path=/1") as other:
        await answered(one)
        await answered(other)
        said: dict[str, Any] = {}
        async with asyncio.timeout(PATIENCE_SECONDS):
            while said != {"section": {"section": "news", "online": 1}, "page": {"path": "/1", "online": 2}}:
                async with http.get("/api/v1/sites/demo/presence?path=/1&section=news") as answer:
                    told = await answer.json()
                said = {name: told[name] for name in ("section", "page")}
        # A page that nobody is on.
        async with http.get("/api/v1/sites/demo/presence?path=/2") as answer:
            assert (await answer.json())["page"] == {"path": "/2", "online": 0}


@pytest.mark.parametrize(
    "query", ["path=/1&path=/2", "path=1", "path=/%00", "path=/" + "a" * 512, "section=a/b", "section=" + "a" * 65]
)
async def test_a_place_of_a_wrong_form_is_a_problem_that_names_it(http: ClientSession, query: str) -> None:
    async with http.get(f"/api/v1/sites/demo/presence?{query}") as answer:
        assert answer.status == 400
        (error,) = (await answer.json(content_type=None))["errors"]
    assert error["field"] == query.partition("=")[0]


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
    async with http.get("/api/v1/sites/demo/presence?path=/&section=news") as answer:
        said = await answer.json()
    assert set(said) == set(described["schema"]["properties"]) - {"small"}
    assert set(said) - {"page", "section"} == set(described["schema"]["required"])
    assert set(said["bounds"]) == set(described["example"]["bounds"])


async def test_it_says_below_which_number_a_site_is_not_exact(http: ClientSession) -> None:
    async with http.get("/api/v1/sites/shy/presence") as answer:
        assert (await answer.json())["small"] == 10
