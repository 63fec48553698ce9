"""History over a real port."""

from __future__ import annotations

import asyncio
import csv
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.instants import rfc3339
from presence.history.description import DESCRIBED, HISTORY, PAGES, STATS
from presence.history.sampling import Minute
from presence.history.series import MINUTE_MS, floor
from tests.patience import PATIENCE_SECONDS, until
from tests.presence.portals import BROWSER, EDITOR, ORIGIN, SITES, Portal, answered, portal

DEMO = "/api/v1/sites/demo"


@pytest.fixture
async def house(valkey_url: str, prefix: str) -> AsyncIterator[Portal]:
    async with portal(valkey_url, prefix) as one:
        yield one


@pytest.fixture
async def http(house: Portal) -> AsyncIterator[ClientSession]:
    async with ClientSession(house.url, headers=BROWSER) as session:
        yield session


def instant_of(at_ms: int) -> str:
    return rfc3339(at_ms).replace(".000", "")


async def until_said(http: ClientSession, path: str, **wanted: Any) -> dict[str, Any]:
    """The answer, as soon as it holds all that is wanted."""
    said: dict[str, Any] = {}
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not wanted.items() <= said.items():
                async with http.get(path) as answer:
                    said = await answer.json()
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(said) from None
    return said


@pytest.mark.slow
async def test_pages_and_readers_are_in_the_numbers_of_the_day(valkey_url: str, prefix: str) -> None:
    # Where it is noon: were the day to end meanwhile, all this would be yesterday's.
    demo = msgspec.structs.replace(SITES["demo"], timezone=f"Etc/GMT{datetime.now(UTC).hour - 12:+d}")
    async with (
        portal(valkey_url, prefix, sites={**SITES, "demo": demo}) as house,
        ClientSession(house.url, headers=BROWSER) as http,
        http.ws_connect("/ws?site=demo&path=/1") as one,
    ):
        visitor = (await answered(one))["visitor"]
        async with http.ws_connect(f"/ws?site=demo&path=/2&visitor={visitor}") as two:
            await answered(two)
            await one.send_json({"type": "page", "path": "/3"})
            await one.send_json({"type": "page", "path": "/4", "tab": "b"})
            # None of these is a page view: it was there before, it is nowhere, it only shows more, or only watches.
            await one.send_json({"type": "page", "path": "/4", "tab": "b", "again": True})
            await one.send_json({"type": "page", "path": "nowhere"})
            await one.send_json({"type": "page", "show": "page", "again": True})
            async with (
                http.ws_connect(f"/ws?site=demo&path=/1&again=1&visitor={visitor}") as three,
                http.ws_connect("/ws?site=demo&watch=1") as watching,
                http.ws_connect("/ws?site=demo&path=/5") as another,
            ):
                for socket in (three, watching, another):
                    await answered(socket)
                said = await until_said(http, f"{DEMO}/stats", today={"visits": 2, "views": 5}, online=2, stale=False)
                await until(lambda: house.recorder.views["demo"] == 5)
        async with http.get("/api/v1/sites/other/stats") as answer:
            assert (await answer.json())["total"] == {"visits": 0, "views": 0}
    assert said["week"] == said["month"] == said["total"] == said["today"]
    assert said["yesterday"] == {"visits": None, "views": None}
    assert said["since"] == said["date"]


@pytest.mark.slow
async def test_the_stats_are_as_described_and_may_be_read_by_the_site_s_pages(http: ClientSession) -> None:
    described = DESCRIBED[STATS]["get"]["responses"]["200"]["content"]["application/json"]
    async with http.ws_connect("/ws?site=demo") as socket:
        await answered(socket)
        said = await until_said(http, f"{DEMO}/stats", online=1, stale=False)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while said["record"] is None:
                said = await until_said(http, f"{DEMO}/stats", online=1)
    assert list(said) == [*described["schema"]["properties"]] == described["schema"]["required"]
    assert set(said["record"]) == set(described["example"]["record"])
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://elsewhere.example", None)):
        async with http.get(f"{DEMO}/stats", headers={"Origin": origin}) as answer:
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed
            assert answer.headers["Vary"] == "Origin"
            assert answer.headers["Cache-Control"] == "public, max-age=5"
    async with http.get("/api/v1/sites/nowhere/stats") as answer:
        assert answer.status == 404
        assert (await answer.json(content_type=None))["title"] == "No such site"


@pytest.mark.slow
async def test_minutes_and_hours_are_answered_and_gaps_are_gaps(http: ClientSession, house: Portal) -> None:
    now_ms = house.presence.store_ms()
    # Hours ago: the worker itself writes the minutes of now.
    at_ms = floor("minute", now_ms - 200 * MINUTE_MS)
    await house.chronicle.minute("demo", Minute(at_ms, 12, 7.5, True))
    begin, end = instant_of(at_ms - MINUTE_MS), instant_of(at_ms + 2 * MINUTE_MS)
    asked = f"{DEMO}/history?from={begin}&to={end}"
    points = [
        {"at": begin, "peak": None, "mean": None},
        {"at": instant_of(at_ms), "peak": 12, "mean": 7.5},
        {"at": instant_of(at_ms + MINUTE_MS), "peak": None, "mean": None},
    ]
    async with http.get(asked, headers={"Origin": ORIGIN}) as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=30"
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        said = await answer.json()
    described = DESCRIBED[HISTORY]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert list(said) == [*described["properties"]] == described["required"]
    assert said == {
        "site": "demo",
        "timezone": "Asia/Ho_Chi_Minh",
        "resolution": "minute",
        "from": begin,
        "to": end,
        "points": points,
    }
    async with http.get(f"{asked}&format=csv") as answer:
        assert answer.content_type == "text/csv"
        rows = [*csv.DictReader((await answer.text()).splitlines())]
    assert rows == [{name: "" if value is None else str(value) for name, value in point.items()} for point in points]
    async with http.get(f"{DEMO}/history?resolution=hour") as answer:
        hours = (await answer.json())["points"]
    assert len(hours) == 30 * 24
    assert {"at": instant_of(floor("hour", at_ms)), "peak": 12, "mean": 7.5} in hours
    async with http.get("/api/v1/sites/other/history?from=2001-01-01&to=2099-01-01") as answer:
        every = (await answer.json())["points"]
    # But for the minute that is not over.
    assert 14 * 1440 - 2 <= len(every) <= 14 * 1440
    assert all(point["peak"] is None for point in every[:-30])


@pytest.mark.slow
async def test_many_days_are_sent_small_and_only_once(house: Portal) -> None:
    now_ms = house.presence.store_ms()
    for minute in range(200, 230):
        await house.chronicle.minute("demo", Minute(floor("minute", now_ms - minute * MINUTE_MS), minute, 7.5, True))
    end = instant_of(floor("minute", now_ms - 100 * MINUTE_MS))
    # A fixed minute inside of what is kept: the oldest one that is kept goes as the next begins.
    begin = instant_of(floor("minute", now_ms - 13 * 1440 * MINUTE_MS))
    asked = f"{house.url}{DEMO}/history?from={begin}&to={end}"
    async with ClientSession(auto_decompress=False, headers=BROWSER) as http:
        async with http.get(asked, headers={"Accept-Encoding": "identity"}) as answer:
            plain, tag = await answer.read(), answer.headers["ETag"]
            assert "Content-Encoding" not in answer.headers
        async with http.get(asked, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert {"Origin", "Accept-Encoding"} == set(answer.headers["Vary"].split(", "))
            small, other_tag = await answer.read(), answer.headers["ETag"]
        assert gzip.decompress(small) == plain
        assert len(small) < len(plain) / 5
        assert tag != other_tag
        async with http.get(asked, headers={"Accept-Encoding": "gzip", "If-None-Match": other_tag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
            assert answer.headers["ETag"] == other_tag
            assert answer.headers["Cache-Control"] == "public, max-age=30"
        await house.chronicle.minute("demo", Minute(floor("minute", now_ms - 300 * MINUTE_MS), 5, 2.5, True))
        async with http.get(asked, headers={"Accept-Encoding": "gzip", "If-None-Match": other_tag}) as answer:
            assert answer.status == 200
            assert answer.headers["ETag"] != other_tag


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("resolution=day", "resolution"),
        ("format=xml", "format"),
        ("from=x", "from"),
        ("from=2026-11-26&to=2026-11-25", "to"),
        ("to=2026-11-26&to=2026-11-25", "to"),
    ],
)
async def test_a_wrong_parameter_is_a_problem_that_names_it(http: ClientSession, query: str, field: str) -> None:
    async with http.get(f"{DEMO}/history?{query}") as answer:
        assert answer.status == 400
        problem = await answer.json(content_type=None)
    assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.slow
async def test_the_most_read_pages_are_for_editors(http: ClientSession, house: Portal) -> None:
    async with (
        http.ws_connect("/ws?site=demo&path=/1") as one,
        http.ws_connect("/ws?site=demo&path=/1") as two,
        http.ws_connect("/ws?site=demo&path=/2") as three,
    ):
        for socket in (one, two, three):
            await answered(socket)
        await until(lambda: len(house.presence.holdings["demo"].roster) == 3)
        # The list of a worker may be ten seconds old; not here.
        await house.pages.publish(house.presence.holdings["demo"], "run", house.presence.store_ms())
        wanted = [
            {"path": "/1", "readers": 2, "before": None, "change": None},
            {"path": "/2", "readers": 1, "before": None, "change": None},
        ]
        said: dict[str, Any] = {"pages": []}
        async with asyncio.timeout(PATIENCE_SECONDS):
            while said["pages"] != wanted:
                async with http.get(f"{DEMO}/pages", headers={"Authorization": EDITOR}) as answer:
                    assert answer.headers["Cache-Control"] == "no-store"
                    assert "Access-Control-Allow-Origin" not in answer.headers
                    said = await answer.json()
                await asyncio.sleep(0.05)
    described = DESCRIBED[PAGES]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert list(said) == [*described["properties"]] == described["required"]
    assert said["complete"]
    async with http.get(f"{DEMO}/pages") as answer:
        assert answer.status == 401
    async with http.get("/api/v1/sites/nowhere/pages", headers={"Authorization": EDITOR}) as answer:
        assert answer.status == 404
    async with http.get("/api/v1/sites/other/pages", headers={"Authorization": EDITOR}) as answer:
        assert answer.status == 403


async def test_while_the_store_is_away_it_is_said(
    http: ClientSession, house: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise RedisConnectionError("away")

    monkeypatch.setattr(house.chronicle, "strings", away)
    monkeypatch.setattr(house.chronicle, "books", away)
    monkeypatch.setattr(house.pages, "count", away)
    for path in ("history", "pages"):
        async with http.get(f"{DEMO}/{path}", headers={"Authorization": EDITOR}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
            assert (await answer.json(content_type=None))["title"] == "Store unavailable"
    # The portal block shows dashes, and no error.
    async with http.get(f"{DEMO}/stats") as answer:
        said = await answer.json()
    assert (said["stale"], said["date"], said["total"]) == (True, None, {"visits": None, "views": None})
