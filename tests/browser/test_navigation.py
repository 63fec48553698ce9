"""Pages that become others without being loaded: the reader moves along, over the same connection."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, counter, embed
from tests.browser.wire import Wire, welcome
from tests.service import Service

# Browsers differ in how a script hears of it.
WITHOUT_NAVIGATION = "Object.defineProperty(window, 'navigation', { value: document.createElement('nav') })"
WITH_AND_WITHOUT = pytest.mark.parametrize("script", ["", WITHOUT_NAVIGATION], ids=["event", "wrapper"])


async def _wired(readers: Readers, script: str = "") -> tuple[BrowserContext, Wire]:
    browser = await readers.arrive()
    await browser.add_init_script(script)
    wire = Wire(welcome())
    await wire.attach(browser)
    return browser, wire


async def _open(readers: Readers, browser: BrowserContext, address: str) -> Page:
    page = await readers.open(address, browser)
    await expect(counter(page)).to_have_text("1 người đang online")
    return page


@WITH_AND_WITHOUT
async def test_a_reader_moves_without_a_new_connection(
    portal: Portal, service: Service, readers: Readers, script: str
) -> None:
    browser, wire = await _wired(readers, script)
    page = await _open(readers, browser, portal.page(embed(service.url, "demo", attributes='data-section="tin"')))
    await page.evaluate("history.pushState({}, '', '/tin/lũ')")
    await wire.told(type="page", path="/tin/l%C5%A9", section="tin", again=False)
    await page.evaluate("history.replaceState({}, '', '/tin/bão')")
    await wire.told(type="page", path="/tin/b%C3%A3o", again=False)
    wire.heard.clear()
    await page.evaluate("history.back()")
    await wire.told(type="page", again=False)
    assert len(wire.connections) == 1
    # What comes back is the page as it is now, which has been viewed.
    path = wire.heard[-1]["path"]
    await wire.connections[-1].close(code=1011)
    await wire.connected(2)
    assert wire.query().items() >= {"path": path, "again": "1"}.items()


@WITH_AND_WITHOUT
async def test_the_pages_own_wrappers_go_on_working(
    portal: Portal, service: Service, readers: Readers, script: str
) -> None:
    browser, wire = await _wired(readers, script)
    wrap = """<script>
      var calls = [];
      function wrap(name, mark) {
        const before = history[name];
        history[name] = function (...given) { calls.push(mark); return before.apply(this, given); };
      }
      wrap('pushState', 'early');
    </script>"""
    page = await _open(readers, browser, portal.page(embed(service.url, "demo"), head=wrap))
    await page.evaluate("wrap('pushState', 'late'); history.pushState({ mine: 1 }, '', '/khac')")
    await wire.told(type="page", path="/khac")
    assert await page.evaluate("[calls, history.state, location.pathname]") == [
        ["late", "early"],
        {"mine": 1},
        "/khac",
    ]
    # What it may not do, it may not do: the page hears of that, and we do not stumble.
    assert await page.evaluate(
        "try { history.pushState({}, '', 'https://elsewhere.example/') } catch (e) { e.name }"
    ) == ("SecurityError")


async def test_the_same_page_is_told_of_once(portal: Portal, service: Service, readers: Readers) -> None:
    """A query or a fragment is no other page, and a page may write its address as often as it likes."""
    browser, wire = await _wired(readers)
    page = await _open(readers, browser, portal.page(embed(service.url, "demo")))
    await page.evaluate("history.replaceState({}, '', '?trang=2'); location.hash = 'cuoi'")
    await page.evaluate("for (let i = 0; i < 50; i++) history.replaceState({}, '', '/cuon?' + i)")
    await wire.told(type="page", path="/cuon")
    await page.evaluate("history.pushState({}, '', '/het')")
    await wire.told(type="page", path="/het")
    assert [message["path"] for message in wire.heard if message["type"] == "page"] == ["/cuon", "/het"]


async def test_what_the_script_element_says_goes_first_and_may_change(
    portal: Portal, service: Service, readers: Readers
) -> None:
    browser, wire = await _wired(readers)
    attributes = 'data-path="/goc" data-section="tin"'
    page = await _open(readers, browser, portal.page(embed(service.url, "demo", attributes=attributes)))
    await page.evaluate("history.pushState({}, '', '/khong-phai')")
    await page.evaluate("document.querySelector('script[data-site]').dataset.section = 'the-thao'")
    # Another section, and the same view of the same page.
    await wire.told(type="page", path="/goc", section="the-thao", again=True)
    await page.evaluate("document.querySelector('script[data-site]').dataset.path = '/moi'")
    await wire.told(type="page", path="/moi", section="the-thao", again=False)


async def test_the_api_finds_the_reader_where_it_has_gone(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    page = await readers.open(portal.page(embed(service.url, site)))
    await expect(counter(page)).to_have_text("1 người đang online")
    await page.evaluate("history.pushState({}, '', '/noi-moi')")
    await service.shows(site, "path=/noi-moi", lambda answer: answer["page"]["online"] == 1)
    assert (await service.presence(site))["online"] == 1
