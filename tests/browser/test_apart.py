"""Pages that are no reader's: a robot's, one that nobody has looked at; and readers of whom nothing is kept."""

from __future__ import annotations

from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.conftest import launched
from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, counter, embed
from tests.browser.wire import Wire, announcement, welcome
from tests.service import Service

# A page in a tab that has not been looked at; `hiding = false` and the event bring it to the front.
OPENED_HIDDEN = """
window.hiding = true;
Object.defineProperty(document, 'hidden', { configurable: true, get: () => window.hiding });
"""
TO_FRONT = "hiding = false; document.dispatchEvent(new Event('visibilitychange'))"
TO_BACK = "hiding = true; document.dispatchEvent(new Event('visibilitychange'))"


async def _wired(readers: Readers, script: str) -> tuple[BrowserContext, Wire]:
    browser = await readers.arrive()
    await browser.add_init_script(script)
    wire = Wire(welcome(announcements=[announcement()]))
    await wire.attach(browser)
    return browser, wire


async def test_a_browser_that_is_driven_says_so(portal: Portal, service: Service, chromium: Browser) -> None:
    robot = await launched(chromium.browser_type)
    try:
        browser = await robot.new_context()
        wire = Wire(welcome())
        await wire.attach(browser)
        page = await browser.new_page()
        await page.goto(portal.page(embed(service.url, "demo")))
        assert await page.evaluate("navigator.webdriver") is True
        await wire.connected()
        assert wire.query()["apart"] == "robot"
    finally:
        await robot.close()


async def test_a_page_that_was_opened_in_the_background_is_read_once_it_is_seen(
    portal: Portal, service: Service, readers: Readers
) -> None:
    browser, wire = await _wired(readers, OPENED_HIDDEN)
    page = await readers.open(portal.page(embed(service.url, "demo")), browser)
    await expect(banners(page)).to_have_count(1)
    assert (wire.query()["apart"], wire.query()["state"]) == ("hidden", "background")
    # It has not been viewed, so coming back it is not there again.
    await wire.connections[-1].close(code=1011)
    await wire.connected(2)
    assert wire.query()["apart"] == "hidden"
    assert "again" not in wire.query()
    await expect(page.locator("loa-counter")).not_to_have_attribute("stale", "")
    assert not any(message["type"] == "ack" for message in wire.heard)
    await page.evaluate(TO_FRONT)
    await wire.told(type="state", state="reading", seen=True)
    await wire.told(type="ack", id="a", revision=1, did="rendered")
    await wire.connections[-1].close(code=1011)
    await wire.connected(3)
    assert "apart" not in wire.query()
    assert wire.query()["again"] == "1"


async def test_a_tab_that_nobody_has_seen_is_nowhere_until_it_is(
    portal: Portal, service: Service, readers: Readers
) -> None:
    browser, wire = await _wired(readers, "")
    first = await readers.open(portal.page(embed(service.url, "demo")), browser)
    await expect(counter(first)).to_have_text("1 người đang online")
    await browser.add_init_script(OPENED_HIDDEN)
    address = portal.page(embed(service.url, "demo"))
    second = await readers.open(address, browser)
    # It hears everything all the same.
    await expect(banners(second)).to_have_count(1)
    assert not any(message["type"] == "page" for message in wire.heard)
    await second.evaluate(TO_FRONT)
    await wire.told(type="page", path="/" + address.rpartition("/")[2], again=False)
    assert len(wire.connections) == 1


async def test_nothing_is_kept_where_the_site_does_not_want_it(
    portal: Portal, service: Service, readers: Readers
) -> None:
    browser = await readers.arrive()
    wire = Wire(welcome(identity="session", visitor="v1.of-this-page", announcements=[announcement()]))
    await wire.attach(browser)
    address = portal.page(embed(service.url, "demo"))
    await readers.open(portal.page("<p>Trang trước</p>"), browser)
    page = browser.pages[0]
    await page.evaluate("""localStorage['loa.visitor.demo'] = 'v1.earlier'; localStorage['loa.dismissed.demo'] = '[]';
      localStorage['loa.visitor.other'] = localStorage['mine'] = 'kept'""")
    await page.goto(address)
    await page.get_by_role("button", name="Đóng: Tin a").click()
    await expect(banners(page)).to_have_count(0)
    assert await page.evaluate("Object.keys(localStorage).sort()") == ["loa.visitor.other", "mine"]
    # For as long as the page lasts it is one reader.
    await wire.connections[-1].close(code=1011)
    await wire.connected(2)
    assert wire.query()["visitor"] == "v1.of-this-page"
    assert await page.evaluate("Object.keys(localStorage).length") == 2
