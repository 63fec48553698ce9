"""Announcements that are tests: only for those who have asked for them, and like nothing else to look at."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, counter, embed
from tests.browser.wire import Wire, announcement, welcome
from tests.service import Service


async def _opened(readers: Readers, address: str, page: Page) -> Page:
    # Another fragment alone would not load the page anew.
    await page.goto("about:blank")
    await page.goto(address)
    await expect(counter(page)).to_contain_text("online")
    return page


async def test_reach_only_browsers_that_have_asked_for_them(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    address = portal.page(embed(service.url, site))
    other = await _opened(readers, address, await (await readers.arrive()).new_page())
    tester = await _opened(readers, f"{address}#loa-tests", await (await readers.arrive()).new_page())
    trial = await service.publish(site, "emergency", "Diễn tập", test=True)
    await expect(banners(tester)).to_contain_text("THỬ NGHIỆM: Khẩn cấp")
    marker = await service.publish(site, "info", "Thật")
    await expect(banners(other).locator("loa-title")).to_have_text(["Thật"])
    # What is real comes first, whatever the severity of a test.
    await expect(banners(tester).locator("loa-title")).to_have_text(["Thật", "Diễn tập"])
    # From then on, on every page of the site.
    await _opened(readers, address, tester)
    await expect(banners(tester)).to_have_count(2)
    await service.recall(trial)
    await expect(banners(tester).locator("loa-title")).to_have_text(["Thật"])
    await service.publish(site, "emergency", "Diễn tập lần hai", test=True)
    await expect(banners(tester)).to_have_count(2)
    await _opened(readers, f"{address}#loa-tests-off", tester)
    await expect(banners(tester).locator("loa-title")).to_have_text(["Thật"])
    await _opened(readers, address, tester)
    await service.recall(marker)
    await expect(banners(tester)).to_have_count(0)
    await expect(banners(other)).to_have_count(0)


async def test_tabs_opened_before_are_not_shown_them(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    """Tabs share a connection; who has asked for tests does not share it with who has not."""
    browser = await readers.arrive()
    address = portal.page(embed(service.url, site))
    before = await _opened(readers, address, await browser.new_page())
    tester = await _opened(readers, f"{address}#loa-tests", await browser.new_page())
    later = await _opened(readers, address, await browser.new_page())
    await service.publish(site, "breaking", "Diễn tập", test=True)
    for page in (tester, later):
        await expect(banners(page)).to_contain_text(["Diễn tập"])
    await service.publish(site, "notice", "Thật")
    await expect(banners(before).locator("loa-title")).to_have_text(["Thật"])
    # All the same it is one reader.
    await expect(counter(before)).to_have_text("1 người đang online")


async def test_looks_like_nothing_else_and_never_shouts(portal: Portal, service: Service, readers: Readers) -> None:
    browser = await readers.arrive()
    wire = Wire(welcome(announcements=[announcement(each, severity=each) for each in ("breaking", "emergency")]))
    await wire.attach(browser)
    page = await _opened(readers, portal.page(embed(service.url, "demo"), language="en"), await browser.new_page())
    await expect(banners(page)).to_have_count(2)
    wire.say("announcement", **announcement("trial", severity="emergency", test=True))
    card = page.get_by_role("status").locator("loa-card", has_text="Tin trial")
    await expect(card.locator("loa-word")).to_have_text("TEST: Emergency")
    await expect(page.get_by_role("alert")).to_be_empty()
    await expect(banners(page).locator("loa-title")).to_have_text(["Tin emergency", "Tin breaking", "Tin trial"])
    looks = await banners(page).evaluate_all(
        "(all) => all.map((one) => getComputedStyle(one)).map((one) => [one.borderBottomStyle, one.borderLeftColor])"
    )
    assert [style for style, _ in looks] == ["solid", "solid", "dashed"]
    assert len({color for _, color in looks}) == 3


async def test_where_nothing_may_be_kept_it_is_for_the_page_alone(
    portal: Portal, service: Service, readers: Readers
) -> None:
    browser = await readers.arrive()
    wire = Wire(welcome(identity="session"))
    await wire.attach(browser)
    address = portal.page(embed(service.url, "demo"))
    page = await _opened(readers, f"{address}#loa-tests", await browser.new_page())
    assert wire.query()["tests"] == "1"
    assert await page.evaluate("Object.keys(localStorage)") == []
    await _opened(readers, address, page)
    assert "tests" not in wire.query()
