"""The page is never held up and never moved: as Chromium's own trace and its layout instability API measure it."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from tests.browser.figures import Figures, stats
from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners
from tests.browser.trace import traced
from tests.browser.wire import Wire, announcement, instant, welcome
from tests.service import Service

# The Long Tasks API calls a task long from here (W3C, section 1).
LONG_MS = 50

# What docs/embedding.md advises pages to have in their style sheets.
_RESERVED = """<style>
  loa-counter:not(:defined) { display: inline-block; min-width: 11.5em; min-height: 1lh; vertical-align: top }
  loa-stats { display: block; min-height: calc(7 * (1lh + .4em)) }
</style>"""
# As the metric is defined: what follows at once upon what a reader did is no shift.
_WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) shifts.push(value);
}).observe({ type: 'layout-shift', buffered: true });
"""
_PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


async def test_no_task_is_long_and_nothing_moves(
    chromium: Browser, portal: Portal, service: Service, readers: Readers
) -> None:
    browser = await readers.arrive()
    told = [announcement(severity, severity=severity, body="Nội dung\n" * 5) for severity in ("notice", "breaking")]
    wire, figures = Wire(welcome(online=987, announcements=told)), Figures(stats())
    await wire.attach(browser)
    await figures.attach(browser)
    body = f"""<h1>Tin</h1>
      <p>Trước · <loa-counter></loa-counter></p><p><loa-counter scope="page" pausable></loa-counter></p>
      <loa-stats></loa-stats><p>Dưới</p>{"<p>Nội dung của trang, nhiều đoạn.</p>" * 400}
      <script src="{service.url}/widget.js" data-site="demo" data-path="/tin" async></script>"""
    page = await browser.new_page()
    await page.add_init_script(_WATCH_SHIFTS)
    async with traced(chromium, page) as trace:
        await page.goto(portal.page(body, head=_RESERVED))
        await expect(banners(page)).to_have_count(2)
        for online in range(980, 1000):
            wire.say("presence", online=online)
            wire.say("presence", scope="page", path="/tin", online=online - 900, as_of=instant())
        wire.say("announcement", **announcement("late", severity="emergency"))
        await expect(banners(page)).to_have_count(3)
        await expect(page.locator("loa-counter [part=text]")).to_have_text(
            ["999 người đang online", "99 người đang đọc bài này"]
        )
        await expect(page.locator("loa-stats [part=number]").last).to_have_text("9.000")
        await page.locator("loa-card button").first.click()
        await expect(banners(page)).to_have_count(2)
        await page.evaluate(_PAINTED)
    tasks = trace.tasks("/widget")
    # It ran: the script itself, and something for what came over the wire.
    assert len(tasks) > 2
    assert tasks[-1] < LONG_MS
    assert await page.evaluate("shifts") == []
