"""What the reader does with the page: reading, idle, in the background. Said when it changes, and only then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.async_api import Page, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, counter, embed
from tests.browser.test_apart import OPENED_HIDDEN, TO_BACK, TO_FRONT
from tests.browser.wire import Wire, welcome
from tests.service import Service


async def _clocked(readers: Readers, wire: Wire, address: str) -> Page:
    browser = await readers.arrive()
    await browser.add_init_script(OPENED_HIDDEN.replace("true;", "false;", 1))
    await wire.attach(browser)
    page = await browser.new_page()
    now = datetime.now(UTC)
    await page.clock.install(time=now)
    await page.goto(address)
    await expect(counter(page)).to_have_text("1 người đang online")
    await page.clock.pause_at(now + timedelta(seconds=30))
    return page


def _states(wire: Wire) -> list[str]:
    return [message["state"] for message in wire.heard if message["type"] == "state"]


async def test_a_page_that_is_left_untouched_for_a_minute_is_idle(
    portal: Portal, service: Service, readers: Readers
) -> None:
    wire = Wire(welcome())
    page = await _clocked(readers, wire, portal.page("<p>Tin</p>" + embed(service.url, "demo")))
    for step, touch in enumerate(
        (
            page.keyboard.press("a"),
            page.mouse.move(50, 60),
            page.evaluate("document.querySelector('p').dispatchEvent(new Event('scroll'))"),
            page.evaluate("document.querySelector('p').dispatchEvent(new Event('touchmove'))"),
        )
    ):
        # Each touch begins the minute anew.
        await touch
        await page.clock.run_for(50_000)
        wire.say("presence", online=step + 2, stale=False)
        await expect(counter(page)).to_have_text(f"{step + 2} người đang online")
    assert _states(wire) == []
    await page.clock.run_for(10_000)
    await wire.told(type="state", state="idle")
    await page.mouse.move(70, 80)
    await wire.told(type="state", state="reading")
    await page.mouse.move(90, 100)
    await page.evaluate(TO_BACK)
    await wire.told(type="state", state="background")
    # In the background nothing becomes idle.
    wire.say("tick")
    await page.clock.run_for(59_000)
    wire.say("presence", online=9, stale=False)
    await expect(counter(page)).to_have_text("9 người đang online")
    await page.clock.run_for(10_000)
    wire.heard.clear()
    await page.evaluate(TO_FRONT)
    await wire.told(type="state", state="reading")
    assert _states(wire) == ["reading"]


async def test_one_that_comes_back_says_what_it_does_as_it_comes(
    portal: Portal, service: Service, readers: Readers
) -> None:
    wire = Wire(welcome())
    page = await _clocked(readers, wire, portal.page(embed(service.url, "demo")))
    await page.evaluate(TO_BACK)
    await wire.told(type="state", state="background")
    wire.heard.clear()
    await wire.connections[-1].close(code=1011)
    await page.clock.run_for(1_000)
    await wire.connected(2)
    assert wire.query()["state"] == "background"
    assert "apart" not in wire.query()
    await expect(page.locator("loa-counter")).not_to_have_attribute("stale", "")
    assert wire.heard == []


async def test_the_api_tells_readers_from_those_in_the_background(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    browser = await readers.arrive()
    await browser.add_init_script(OPENED_HIDDEN.replace("true;", "false;", 1))
    page = await readers.open(portal.page(embed(service.url, site)), browser)
    await readers.open(portal.page(embed(service.url, site)))
    both = {"reading": 2, "idle": 0, "background": 0}
    await service.shows(site, "", lambda answer: answer["states"] == both)
    await page.evaluate(TO_BACK)
    await service.shows(site, "", lambda answer: answer["states"] == {**both, "reading": 1, "background": 1})
