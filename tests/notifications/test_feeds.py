from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from xml.etree import ElementTree

import aiohttp
import msgspec
import pytest
from aiohttp import web

from gateway.problems import problems
from gateway.sites import SiteSettings
from notifications.feeds import DESCRIBED, PATH, Feeds
from notifications.log import Log
from notifications.syndication import ATOM, FORMATS
from tests.notifications.conftest import Told, feeding
from tests.notifications.making import by, draft

SITES = {"demo": SiteSettings(name="Cổng thông tin"), "tinh": SiteSettings(language="en")}


class Reader:
    """Fetches documents."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self._http = http
        self._base = base

    async def get(self, path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        async with self._http.get(self._base + path, headers=headers) as response:
            return response.status, response.headers, await response.read()

    async def items(self, site: str = "demo") -> list[dict[str, str]]:
        """What the JSON Feed of a site says."""
        _, _, body = await self.get(f"/feeds/{site}.json")
        return list(msgspec.json.decode(body)["items"])


@contextlib.asynccontextmanager
async def reading(store_url: str, prefix: str) -> AsyncIterator[tuple[Reader, Told]]:
    """A service that follows the log, and somebody who reads it."""
    async with feeding(store_url, prefix) as (feed, told):
        await feed.followed_once()
        app = web.Application(middlewares=[problems])
        app.add_routes(Feeds(feed, SITES, "https://loa.example.vn").routes())
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        try:
            async with aiohttp.ClientSession() as http:
                yield Reader(http, f"http://{host}:{port}"), told
        finally:
            await runner.cleanup()


async def test_says_what_is_live_and_what_was_withdrawn(log: Log, store_url: str, prefix: str) -> None:
    async with reading(store_url, prefix) as (reader, told):
        assert await reader.items() == []
        flood = (await log.publish(draft(title="Lũ"), by=by("x"), key="1")).announcement
        storm = (await log.publish(draft(title="Bão"), by=by("x"), key="2")).announcement
        await told.until(lambda: len(told.shown) == 2)
        assert [item["title"] for item in await reader.items()] == ["Bão", "Lũ"]
        assert await reader.items("tinh") == []
        await log.recall(flood.id, "", by=by("x"), key="3")
        await told.until(lambda: flood.id not in told.shown)
        assert [item["title"] for item in await reader.items()] == ["Đã thu hồi: Lũ", "Bão"]
        assert [item["id"].rpartition("#")[2] for item in await reader.items()] == [flood.id, storm.id]


async def test_every_format_is_served_under_its_name(store_url: str, prefix: str) -> None:
    async with reading(store_url, prefix) as (reader, _):
        for format, (kind, _) in FORMATS.items():
            status, headers, body = await reader.get(f"/feeds/demo.{format}")
            assert status == 200
            assert headers["Content-Type"].startswith(kind)
            assert body
        _, _, body = await reader.get("/feeds/tinh.atom")
        assert ElementTree.fromstring(body).findtext(f"{{{ATOM}}}title") == "Announcements of tinh"


async def test_is_sent_anew_only_after_a_change(log: Log, store_url: str, prefix: str) -> None:
    async with reading(store_url, prefix) as (reader, told):
        _, headers, _ = await reader.get("/feeds/demo.atom")
        tag = headers["ETag"]
        status, _, body = await reader.get("/feeds/demo.atom", **{"If-None-Match": tag})
        assert (status, body) == (304, b"")
        await log.publish(draft(), by=by("x"), key="1")
        await told.until(lambda: bool(told.shown))
        status, headers, _ = await reader.get("/feeds/demo.atom", **{"If-None-Match": tag})
        assert status == 200
        assert headers["ETag"] != tag


@pytest.mark.parametrize("path", ["/feeds/nowhere.atom", "/feeds/demo.doc"])
async def test_what_there_is_not(store_url: str, prefix: str, path: str) -> None:
    async with reading(store_url, prefix) as (reader, _):
        status, headers, body = await reader.get(path)
        assert status == 404
        assert headers["Content-Type"].startswith("application/problem+json")
        assert msgspec.json.decode(body)["detail"]


def test_the_description_names_every_format() -> None:
    (call,) = DESCRIBED[PATH].values()
    (choice,) = [each["schema"]["enum"] for each in call["parameters"] if each["name"] == "format"]
    assert choice == [*FORMATS]
    assert [*call["responses"]["200"]["content"]] == [kind for kind, _ in FORMATS.values()]
