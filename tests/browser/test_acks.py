"""What browsers say of announcements: what was seen, a while later; what was clicked and dismissed, at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from aiohttp import web
from playwright.async_api import BrowserContext, Page, expect

from server import joined
from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, counter, embed
from tests.browser.test_apart import OPENED_HIDDEN, TO_FRONT
from tests.browser.wire import Wire, announcement, instant, welcome
from tests.service import Service

# As late as it may be.
LATE = "Math.random = () => 0.999999"


async def _arrived(readers: Readers, wire: Wire, script: str = LATE) -> BrowserContext:
    browser = await readers.arrive()
    await browser.add_init_script(script)
    await wire.attach(browser)
    return browser


async def _opened(browser: BrowserContext, address: str) -> Page:
    page = await browser.new_page()
    await page.goto(address)
    await expect(counter(page)).to_contain_text("online")
    return page


class Ear:
    """A server that greets, and hears what is said while a page goes away: a real one, at the end of a real socket."""

    def __init__(self, greeting: dict[str, Any]) -> None:
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.url = ""
        self._greeting = greeting

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/widget.js", self._script)
        app.router.add_get("/ws", self._listen)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _script(self, request: web.Request) -> web.Response:
        return web.Response(body=joined().script, content_type="text/javascript", charset="utf-8")

    async def _listen(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({**self._greeting, "now": instant()})
        async for message in socket:
            self.heard.put_nowait(message.json())
        return socket


def acks(wire: Wire) -> list[tuple[str, str, int]]:
    return [(one["did"], one["id"], one["revision"]) for one in wire.heard if one["type"] == "ack"]


async def test_what_is_seen_is_told_within_seconds_and_for_how_long_it_was_kept(
    portal: Portal, service: Service, readers: Readers
) -> None:
    wire = Wire(welcome(announcements=[announcement("a"), announcement("b")]))
    browser = await _arrived(readers, wire)
    page = await browser.new_page()
    now = datetime.now(UTC)
    await page.clock.install(time=now)
    await page.goto(portal.page(embed(service.url, "demo")))
    await expect(banners(page)).to_have_count(2)
    # However long it took until here, the page's clock says no more than that.
    await page.clock.pause_at(now + timedelta(seconds=30))
    await wire.told(type="ack", id="b", did="rendered")
    assert sorted(acks(wire)) == [("rendered", "a", 1), ("rendered", "b", 1)]
    assert all(4_000 < one["waited"] <= 31_000 for one in wire.heard if one["type"] == "ack")
    # Not again, whatever happens.
    wire.say("announcement", **announcement("a"))
    wire.say("announcement", **announcement("c"))
    await expect(banners(page)).to_have_count(3)
    await page.clock.run_for(4_000)
    assert len(acks(wire)) == 2
    await page.clock.run_for(1_100)
    await wire.told(type="ack", id="c", did="rendered")
    assert len(acks(wire)) == 3


async def test_what_is_clicked_and_dismissed_is_told_at_once(
    portal: Portal, service: Service, readers: Readers
) -> None:
    address = portal.page(embed(service.url, "demo"))
    wire = Wire(welcome(announcements=[announcement("a", url=f"{address}#read")]))
    page = await _opened(await _arrived(readers, wire), address)
    await page.get_by_role("link", name="Xem chi tiết").click()
    await wire.told(type="ack", id="a", revision=1, did="clicked", waited=0)
    await page.get_by_role("button", name="Đóng").click()
    await wire.told(type="ack", id="a", revision=1, did="dismissed", waited=0)


async def test_a_page_that_goes_away_tells_before(portal: Portal, service: Service, readers: Readers) -> None:
    async with Ear(welcome(announcements=[announcement("a")])) as ear:
        address = portal.page(embed(ear.url, "demo"))
        browser = await readers.arrive()
        await browser.add_init_script(LATE)
        page = await _opened(browser, address)
        await expect(banners(page)).to_have_count(1)
        assert ear.heard.empty()
        await page.goto(portal.page("<p>Trang khác</p>"))
        async with asyncio.timeout(30):
            said = await ear.heard.get()
        assert {"type": "ack", "id": "a", "revision": 1, "did": "rendered"}.items() <= said.items()


async def test_a_card_on_a_page_that_nobody_sees_is_not_told_of(
    portal: Portal, service: Service, readers: Readers
) -> None:
    wire = Wire(welcome(announcements=[announcement("a")]))
    browser = await _arrived(readers, wire, OPENED_HIDDEN + "Math.random = () => 0")
    page = await _opened(browser, portal.page(embed(service.url, "demo")))
    await expect(banners(page)).to_have_count(1)
    wire.say("announcement", **announcement("b"))
    await expect(banners(page)).to_have_count(2)
    assert acks(wire) == []
    await page.evaluate(TO_FRONT)
    for id in ("a", "b"):
        await wire.told(type="ack", id=id, did="rendered")


async def test_tabs_that_share_a_connection_tell_once(portal: Portal, service: Service, readers: Readers) -> None:
    wire = Wire(welcome(announcements=[announcement("a")]))
    browser = await _arrived(readers, wire, "const chance = Math.random; Math.random = () => chance() / 1000")
    pages = [await _opened(browser, portal.page(embed(service.url, "demo"))) for _ in range(3)]
    assert len(wire.connections) == 1
    for page in pages:
        await expect(banners(page)).to_have_count(1)
    await wire.told(type="ack", id="a", did="rendered")
    # One after the other: when this is told, all has been told that they had to say of the first.
    wire.say("announcement", **announcement("b"))
    for page in pages:
        await expect(banners(page)).to_have_count(2)
    await wire.told(type="ack", id="b", did="rendered")
    await pages[-1].get_by_role("button", name="Đóng: Tin b").click()
    await wire.told(type="ack", id="b", did="dismissed")
    assert acks(wire) == [("rendered", "a", 1), ("rendered", "b", 1), ("dismissed", "b", 1)]


async def test_what_could_not_be_told_is_told_when_the_server_is_back(
    portal: Portal, service: Service, readers: Readers
) -> None:
    wire = Wire(welcome(announcements=[announcement("a")]))
    page = await _opened(await _arrived(readers, wire), portal.page(embed(service.url, "demo")))
    await expect(banners(page)).to_have_count(1)
    await wire.connections[-1].close(code=1011)
    await wire.connected(2)
    await wire.told(type="ack", id="a", revision=1, did="rendered")
