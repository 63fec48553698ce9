"""Networks that break WebSockets: the number and the banners come all the same, by the next best way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.browser.detour import Detour
from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, counter, embed
from tests.browser.wire import announcement

SOON = "Math.random = () => 0.01"


async def _open(readers: Readers, portal: Portal, detour: Detour) -> Page:
    readers.forgive_failed_connections()
    browser = await readers.arrive()
    # Chances that are the best, so that no test waits for what is random.
    await browser.add_init_script(SOON)
    return await readers.open(portal.page(embed(detour.url, "demo")), browser)


@pytest.mark.parametrize("way", ["events", "poll"])
async def test_the_next_best_way_is_taken(portal: Portal, readers: Readers, way: str) -> None:
    async with Detour(way) as detour:
        page = await _open(readers, portal, detour)
        await detour.met(way)
        await expect(counter(page)).to_have_text("1 người đang online")
        assert detour.tries == {"events": ["ws", "ws", "events"], "poll": ["ws", "ws", "events", "poll"]}[way]
        # Its first word makes it a reader.
        await detour.told(type="state", state="reading", seen=True)
        detour.say("presence", online=3, stale=False)
        detour.say("announcement", **announcement(), cursor="00000000.9")
        await expect(counter(page)).to_have_text("3 người đang online")
        await expect(banners(page)).to_have_count(1)
        await detour.told(type="ack", id="a", did="rendered")
        await page.evaluate("history.pushState({}, '', '/khac')")
        await detour.told(type="page", path="/khac", again=False)
        # Sent away, it comes back when and as it should.
        detour.say("close", code=1012, reason="restart", retry_ms=100)
        talk = await detour.met(way, 2)
        assert (talk.query["since"], talk.query["again"], talk.query["path"]) == ("00000000.9", "1", "/khac")
        await expect(page.locator("loa-counter")).not_to_have_attribute("stale", "")
        # The next page does not try in vain.
        tries = len(detour.tries)
        await page.goto(portal.page(embed(detour.url, "demo")))
        await detour.met(way, 3)
        assert detour.tries[tries:] == [way]


async def test_a_session_that_the_server_has_forgotten_is_begun_anew(portal: Portal, readers: Readers) -> None:
    async with Detour("poll", poll_seconds=0.1) as detour:
        page = await _open(readers, portal, detour)
        first = await detour.met("poll")
        await expect(counter(page)).to_have_text("1 người đang online")
        first.way = "gone"
        second = await detour.met("poll")
        assert second is not first
        await expect(page.locator("loa-counter")).not_to_have_attribute("stale", "")
        assert second.query["again"] == "1"


async def test_a_browser_whose_websockets_work_keeps_to_them_through_an_outage(
    portal: Portal, readers: Readers
) -> None:
    async with Detour("ws", "events", "poll") as detour:
        page = await _open(readers, portal, detour)
        await detour.met("ws")
        await expect(counter(page)).to_have_text("1 người đang online")
        detour.open.clear()
        detour.say("close", code=1011, reason="")
        await detour.until(lambda: len(detour.tries) >= 4)
        detour.open.update(("ws", "events", "poll"))
        await detour.met("ws", 2)
        assert set(detour.tries) == {"ws"}


async def test_after_a_while_websockets_are_tried_again(portal: Portal, readers: Readers) -> None:
    async with Detour("events") as detour:
        readers.forgive_failed_connections()
        browser = await readers.arrive()
        await browser.add_init_script(SOON)
        page = await browser.new_page()
        now = datetime.now(UTC)
        await page.clock.install(time=now)
        await page.goto(portal.page(embed(detour.url, "demo")))
        await detour.met("events")
        await expect(counter(page)).to_have_text("1 người đang online")
        await page.clock.pause_at(now + timedelta(seconds=30))
        detour.open.add("ws")
        # Not quite ten minutes, in which the server is heard of.
        for online in range(2, 20):
            detour.say("presence", online=online, stale=False)
            await expect(counter(page)).to_have_text(f"{online} người đang online")
            await page.clock.run_for(31_000)
        assert [talk.way for talk in detour.talks] == ["events"]
        detour.say("presence", online=1, stale=False)
        await expect(counter(page)).to_have_text("1 người đang online")
        await page.clock.run_for(55_000)
        talk = await detour.met("ws")
        assert talk.query["again"] == "1"
