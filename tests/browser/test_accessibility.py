"""axe finds nothing to complain of: the demo portal with banners, light and dark, wide and narrow, in two languages."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.browser.figures import Figures, stats
from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, counter
from tests.browser.wire import Wire, announcement, welcome
from tests.service import Service


@pytest.mark.parametrize(
    ("color_scheme", "width", "language"),
    [("light", 1280, "vi"), ("dark", 1280, "en"), ("light", 360, "en"), ("dark", 360, "vi")],
)
async def test_axe_finds_nothing(
    service: Service, readers: Readers, color_scheme: Literal["light", "dark"], width: int, language: str
) -> None:
    browser = await readers.arrive(width=width, color_scheme=color_scheme, reduced_motion="reduce")
    wire = Wire(
        welcome(
            online=5716,
            announcements=[
                announcement(severity, severity=severity, body="Nội dung", url="https://example.vn/")
                for severity in ("notice", "breaking", "emergency", "info")
            ],
        )
    )
    await wire.attach(browser)
    page = await readers.open(f"{service.url}/demo/?lang={language}", browser)
    await expect(counter(page).last).to_contain_text("online")
    await expect(banners(page)).to_have_count(3)
    wire.say("announcement", **announcement("urgent", severity="emergency", title="Sơ tán"))
    await expect(page.get_by_role("alert").locator("loa-card")).to_have_count(1)
    await page.locator("loa-banner > button").click()
    await expect(banners(page)).to_have_count(5)
    results = await Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_elements_that_can_be_paused(
    service: Service, portal: Portal, readers: Readers, color_scheme: Literal["light", "dark"]
) -> None:
    browser = await readers.arrive(color_scheme=color_scheme)
    await Wire(welcome(online=5716)).attach(browser)
    await Figures(stats()).attach(browser)
    head = "<style>html { color-scheme: light dark }</style>"
    body = f"""<main><h1>Tin</h1><p><loa-counter pausable></loa-counter></p>
      <p><loa-counter pausable paused></loa-counter></p>
      <loa-stats pausable></loa-stats></main>
      <script src="{service.url}/widget.js" data-site="demo" async></script>"""
    page = await readers.open(portal.page(body, head=head), browser)
    await expect(page.get_by_role("button", name="Tạm dừng")).to_have_count(2)
    await expect(page.get_by_role("button", name="Tiếp tục")).to_have_count(1)
    await expect(page.locator("loa-stats [part=number]").last).to_have_text("9.000")
    results = await Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
