"""The number in the page: right in every browser, in the page's language, and never in the way."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, counter, embed
from tests.browser.wire import Wire, welcome
from tests.service import Service

_PLACES = """[...document.querySelectorAll('p, i')].map((each) => {
  const { x, y, width, height } = each.getBoundingClientRect();
  return [x, y, width, height];
})"""


# Layout shifts as the browser itself measures them; those already past too, if buffered.
_WATCH_SHIFTS = """
window.moved = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => (moved += entry.value)))
  .observe({ type: 'layout-shift', buffered: true });
"""


async def _painted(page: Page) -> None:
    """Returns when what was changed has been painted."""
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


async def _places(page: Page) -> object:
    return await page.evaluate(_PLACES)


async def _told(readers: Readers, address: str, online: int | None) -> Page:
    browser = await readers.arrive()
    await Wire(welcome(online=online)).attach(browser)
    return await readers.open(address, browser)


async def test_a_second_browser_is_seen_in_both_and_its_leaving_too(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    address = portal.page(embed(service.url, site))
    first = await readers.open(address)
    await expect(counter(first)).to_have_text("1 người đang online")
    second = await readers.open(address)
    await expect(counter(first)).to_have_text("2 người đang online")
    await expect(counter(second)).to_have_text("2 người đang online")
    await second.close()
    await expect(counter(first)).to_have_text("1 người đang online")


async def test_two_tabs_of_a_browser_are_one_reader(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    address = portal.page(embed(service.url, site))
    browser = await readers.arrive()
    tabs = [await readers.open(address, browser) for _ in range(3)]
    # Another reader's coming shows that the count has been renewed since the tabs opened.
    other = await readers.open(address)
    for page in (*tabs, other):
        await expect(counter(page)).to_have_text("2 người đang online")


async def test_the_demo_portal_counts_its_reader(service: Service, readers: Readers) -> None:
    page = await readers.open(f"{service.url}/demo/")
    await expect(page.locator("footer").locator(counter(page))).to_have_text("1 người đang online")


@pytest.mark.parametrize(
    ("language", "online", "text"),
    [
        ("vi", 5716, "5.716 người đang online"),
        ("vi-VN", 1, "1 người đang online"),
        ("vi_VN", 1234567, "1.234.567 người đang online"),
        ("en", 5716, "5,716 readers online"),
        ("en-GB", 1, "1 reader online"),
        ("en", 0, "0 readers online"),
        ("fr", 5716, "5,716 readers online"),
    ],
)
async def test_is_written_in_the_language_of_the_page(
    *, portal: Portal, service: Service, readers: Readers, language: str, online: int, text: str
) -> None:
    page = await _told(readers, portal.page(embed(service.url, "demo"), language=language), online)
    await expect(counter(page)).to_have_text(text)


async def test_the_nearest_language_counts(portal: Portal, service: Service, readers: Readers) -> None:
    body = f'<div lang="en">{embed(service.url, "demo")}</div>'
    page = await _told(readers, portal.page(body, language="vi"), 3)
    await expect(counter(page)).to_have_text("3 readers online")


async def test_where_a_page_does_not_say_its_language_the_sites_is_taken(
    portal: Portal, service: Service, readers: Readers
) -> None:
    browser = await readers.arrive(locale="en-GB")
    await Wire(welcome(online=3, language="vi")).attach(browser)
    page = await readers.open(portal.page(embed(service.url, "demo"), language=""), browser)
    await expect(counter(page)).to_have_text("3 người đang online")


async def test_what_is_not_known_is_not_shown_as_0(portal: Portal, service: Service, readers: Readers) -> None:
    page = await _told(readers, portal.page(embed(service.url, "demo")), None)
    await page.wait_for_function("document.querySelector('loa-banner')")
    await expect(counter(page)).to_have_text("\u00a0")


async def test_the_last_number_stays_while_the_service_is_away(
    mortal_service: Service, portal: Portal, readers: Readers
) -> None:
    readers.forgive_failed_connections()
    service = mortal_service
    page = await readers.open(portal.page(embed(service.url, service.sites[0])))
    element = page.locator("loa-counter")
    await expect(counter(page)).to_have_text("1 người đang online")
    await expect(element).not_to_have_attribute("stale", "")
    service.kill()
    await expect(element).to_have_attribute("stale", "")
    await expect(counter(page)).to_have_text("1 người đang online")
    assert "Số liệu lúc" in str(await counter(page).get_attribute("title"))
    service.start()
    await expect(element).not_to_have_attribute("stale", "")
    await expect(counter(page)).to_have_text("1 người đang online")


async def test_the_element_may_stand_before_or_after_the_script_or_come_later(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    body = f'<loa-counter></loa-counter><script src="{service.url}/widget.js" data-site="{site}"></script><loa-counter>'
    page = await readers.open(portal.page(body))
    await expect(counter(page)).to_have_text(["1 người đang online"] * 2)
    await page.evaluate("document.body.append(document.createElement('loa-counter'))")
    await expect(counter(page)).to_have_text(["1 người đang online"] * 3)


async def test_a_page_that_has_such_an_element_of_its_own_keeps_it(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    own = "<script>customElements.define('loa-counter', class extends HTMLElement {})</script>"
    page = await readers.open(portal.page(embed(service.url, site), head=own))
    await page.wait_for_function("document.querySelector('loa-banner')")
    assert await page.evaluate("document.querySelector('loa-counter').shadowRoot") is None


# Each font rounds the widths of its runs in another way.
@pytest.mark.parametrize("font", ["16px serif", "13.3px sans-serif", "italic 700 17.7px serif", "11.1px monospace"])
@pytest.mark.parametrize("online", [1, 4321])
async def test_nothing_moves_when_the_number_comes(
    portal: Portal, service: Service, readers: Readers, online: int, font: str
) -> None:
    body = f'<p style="font: {font}">Trước · {embed(service.url, "demo")} <i>sau</i></p><p>Dưới</p>'
    browser = await readers.arrive()
    wire = Wire(None)
    await wire.attach(browser)
    page = await readers.open(portal.page(body), browser)
    await wire.connected()
    await expect(counter(page)).to_have_text("\u00a0")
    before = await _places(page)
    await page.evaluate(_WATCH_SHIFTS.replace("buffered: true", "buffered: false"))
    wire.say(**welcome(online=online))
    await expect(counter(page)).to_contain_text("người đang online")
    await _painted(page)
    assert await page.evaluate("moved") == 0
    assert await _places(page) == before


async def test_nothing_moves_on_a_page_that_reserves_the_line(service: Service, readers: Readers) -> None:
    page = await readers.open(f"{service.url}/demo/", width=360, height=4000)
    await expect(counter(page)).to_contain_text(["người đang đọc bài này", "người đang online"])
    await expect(page.locator("loa-stats [part=number]").nth(1)).to_have_text(re.compile(r"\d"))
    await _painted(page)
    await page.evaluate(_WATCH_SHIFTS)
    await _painted(page)
    assert await page.evaluate("moved") == 0


async def test_is_no_live_region_and_takes_the_looks_of_the_text_around_it(
    portal: Portal, service: Service, readers: Readers
) -> None:
    body = f'<p style="font: italic 21px serif; color: rgb(1, 2, 3)">{embed(service.url, "demo")}</p>'
    page = await _told(readers, portal.page(body), 7)
    await expect(counter(page)).to_have_text("7 người đang online")
    looks = await counter(page).evaluate(
        "(e) => { const s = getComputedStyle(e); return [s.fontStyle, s.fontSize, s.color] }"
    )
    assert looks == ["italic", "21px", "rgb(1, 2, 3)"]
    assert await page.locator("loa-counter").evaluate(
        "(e) => [e, ...e.shadowRoot.querySelectorAll('*')].every((one) => !one.ariaLive && !one.role)"
    )
