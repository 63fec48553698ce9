"""A browser that was away: offline, asleep in the back-forward cache, reloaded. What was recalled or has expired
meanwhile is gone, and does not come into view for a moment either: each frame the browser draws is looked at."""

from __future__ import annotations

import asyncio

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, counter, embed
from tests.patience import PATIENCE_SECONDS
from tests.service import Service

# From when the document begins, and again from when it comes back out of the cache: for each frame, what is in view.
_WATCH = """
  window.drawn = [];
  (function look() {
    const cards = [...document.querySelectorAll('loa-card')].filter((card) => card.checkVisibility());
    window.drawn.push(cards.map((card) => card.querySelector('loa-title').textContent).join());
    requestAnimationFrame(look);
  })();
  window.addEventListener('pageshow', ({ persisted }) => {
    if (persisted) { window.drawn = []; window.woken = true; }
  });
"""


async def _watched(readers: Readers, address: str, context: BrowserContext | None = None) -> Page:
    """A page that has been welcomed, and whose frames are looked at."""
    browser = context or await readers.arrive()
    await browser.add_init_script(_WATCH)
    page = await readers.open(address, browser)
    await expect(counter(page)).to_contain_text("online")
    return page


async def _drawn(page: Page) -> list[str]:
    """What was in view, each change once; after a few more frames."""
    await page.evaluate(
        "new Promise((done) => { let left = 20; (function on() { left-- ? requestAnimationFrame(on) : done() })() })"
    )
    drawn: list[str] = await page.evaluate("drawn.filter((view, at) => view !== drawn[at - 1])")
    return drawn


async def _back(page: Page) -> None:
    """Returns to the page before, as it lies in the cache."""
    await page.go_back(wait_until="commit")
    await page.wait_for_function("window.woken")


async def _expired(service: Service, id: str) -> None:
    """Waits until the service says so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await service.shown(id))["status"] != "expired":
            await asyncio.sleep(0.1)


async def test_what_was_recalled_goes_once_the_browser_is_back_and_stays_away(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    readers.forgive_failed_connections()
    browser = await readers.arrive()
    page = await _watched(readers, portal.page(embed(service.url, site)), browser)
    id = await service.publish(site, "breaking", "Nhầm")
    await expect(banners(page)).to_have_count(1)
    await browser.set_offline(True)
    await expect(page.locator("loa-counter")).to_have_attribute("stale", "")
    await service.recall(id)
    await service.publish(site, "info", "Mới")
    await browser.set_offline(False)
    await expect(banners(page).locator("loa-title")).to_have_text(["Mới"])
    # Another loss, another return: it is told everything once more.
    await browser.set_offline(True)
    await expect(page.locator("loa-counter")).to_have_attribute("stale", "")
    await browser.set_offline(False)
    await expect(page.locator("loa-counter")).not_to_have_attribute("stale", "")
    drawn = await _drawn(page)
    assert drawn[drawn.index("Mới") :] == ["Mới"]


async def test_a_reload_after_the_recall_never_draws_it(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    readers.forgive_failed_connections()
    browser = await readers.arrive()
    kept = {"Cache-Control": "max-age=3600"}
    page = await _watched(readers, portal.page(embed(service.url, site), headers=kept), browser)
    id = await service.publish(site, "emergency", "Nhầm")
    await expect(banners(page)).to_have_count(1)
    await browser.set_offline(True)
    await expect(page.locator("loa-counter")).to_have_attribute("stale", "")
    await service.recall(id)
    await browser.set_offline(False)
    await page.reload()
    await expect(counter(page)).to_contain_text("online")
    assert await _drawn(page) == [""]


async def test_a_page_that_comes_back_from_the_cache_never_draws_what_was_recalled(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    address, elsewhere = portal.page(embed(service.url, site)), portal.page("<p>Trang khác</p>")
    page = await _watched(readers, address)
    wrong, right = [await service.publish(site, "breaking", title) for title in ("Nhầm", "Đúng")]
    await expect(banners(page)).to_have_count(2)
    await page.goto(elsewhere)
    await service.recall(wrong)
    await _back(page)
    await expect(banners(page).locator("loa-title")).to_have_text(["Đúng"])
    # Nothing, or what is still true, but nothing that is not.
    assert set(await _drawn(page)) <= {"", "Đúng"}
    await service.recall(right)
    await expect(banners(page)).to_have_count(0)


async def test_a_page_that_comes_back_from_the_cache_never_draws_what_has_expired(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    readers.forgive_failed_connections()
    browser = await readers.arrive()
    address, elsewhere = portal.page(embed(service.url, site)), portal.page("<p>Trang khác</p>")
    page = await _watched(readers, address, browser)
    # Long enough for it to be seen before, on a busy machine.
    id = await service.publish(site, "breaking", "Hết hạn", expires_in=30)
    await expect(banners(page)).to_have_count(1)
    await page.goto(elsewhere)
    await _expired(service, id)
    # Offline nobody tells it that the time is over.
    await browser.set_offline(True)
    await _back(page)
    assert await _drawn(page) == [""]
