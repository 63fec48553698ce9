"""The operators' page in a real browser: what it shows, that it goes on by itself and can be paused, and axe."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, embed
from tests.browser.test_console_people import add, inside, name
from tests.service import Service

__all__ = ["name"]


async def opened(service: Service, readers: Readers, name: str) -> Page:
    """The page of an operator."""
    await add(service, name, "operator")
    page = await inside(service, readers, name)
    await page.goto(f"{service.url}/console/ops")
    await expect(page.get_by_role("img").first).to_be_visible()
    return page


async def test_shows_readers_as_they_come_without_a_touch(
    *, service: Service, readers: Readers, portal: Portal, name: str, site: str
) -> None:
    page = await opened(service, readers, name)
    await readers.open(portal.page(embed(service.url, site)))
    await service.shows(site, "", lambda answer: answer["online"] == 1)
    figure = page.locator(f'[data-figure="site-{site}"]')
    await expect(figure.locator("strong")).to_have_text("1", timeout=60_000)
    # The same in words, for those who do not see it.
    await expect(figure.get_by_role("img", name=site)).to_be_attached()
    assert "hiện tại 1" in (await figure.locator("desc").text_content() or "")
    await expect(page.get_by_role("table")).to_contain_text("sẵn sàng")


async def test_can_be_paused_and_keeps_the_focus_where_it_is(service: Service, readers: Readers, name: str) -> None:
    page = await opened(service, readers, name)
    await page.locator(".as-of").evaluate("line => { line.textContent = 'old' }")
    await page.locator(".wide").focus()
    await expect(page.locator(".as-of")).not_to_have_text("old", timeout=60_000)
    await expect(page.locator(".wide")).to_be_focused()
    pause = page.get_by_role("button", name="Tạm dừng")
    await pause.focus()
    await page.keyboard.press("Enter")
    await expect(pause).to_have_attribute("aria-pressed", "true")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    async with page.expect_request("**/console/ops/live"):
        await page.keyboard.press("Enter")
    # Gone on with, it asks at once: the first question since it was paused.
    assert [url.rpartition("/")[2] for url in asked if "/ops/" in url] == ["live"]


@pytest.mark.parametrize(("color_scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)])
async def test_axe_finds_nothing_and_nothing_sticks_out(
    service: Service, readers: Readers, name: str, *, color_scheme: Literal["light", "dark"], width: int
) -> None:
    await add(service, name, "operator")
    browser = await readers.arrive(width=width, color_scheme=color_scheme, reduced_motion="reduce")
    page = await inside(service, readers, name, browser)
    await page.goto(f"{service.url}/console/ops")
    await expect(page.get_by_role("img").first).to_be_visible()
    results = await Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
