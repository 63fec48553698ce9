"""The page that embeds the widget: nothing of it is asked, taken, changed or broken."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, counter, embed
from tests.browser.wire import Wire, announcement, welcome
from tests.service import Service


async def test_works_under_the_strictest_policy(service: Service, portal: Portal, readers: Readers, site: str) -> None:
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {service.url}",
            f"connect-src {service.url.replace('http', 'ws')}",
            "style-src 'self'",
            "base-uri 'none'",
            # No string may become markup or code.
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )
    page = await readers.open(portal.page(embed(service.url, site), headers={"Content-Security-Policy": policy}))
    await expect(counter(page)).to_have_text("1 người đang online")
    await service.publish(site, "breaking", "Tin", body="Nội dung", url="https://example.vn/")
    await expect(banners(page)).to_have_count(1)
    assert await page.locator("loa-banner").evaluate("(host) => getComputedStyle(host).position") == "fixed"
    await page.get_by_role("button", name="Đóng").click()
    await expect(banners(page)).to_have_count(0)


async def test_the_demo_portal_has_a_strict_policy_and_keeps_it(service: Service, readers: Readers) -> None:
    page = await readers.open(f"{service.url}/demo/")
    id = await service.publish("demo", "emergency", "Tin", url="https://example.vn/")
    await expect(banners(page)).to_contain_text(["Tin"])
    await service.recall(id)
    answer = await page.request.get(f"{service.url}/demo/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


# Everything a page might do to us without meaning it.
_HOSTILE = """
<style>
  * { letter-spacing: 9px !important; text-transform: uppercase !important; box-sizing: content-box !important }
  *::before { content: "x" !important }
  :not(:defined) { visibility: hidden !important; display: none !important }
  .loa, #loa, loa-banner, loa-card, body loa-card, loa-counter { display: none !important; color: lime !important }
  html body button, html body a, html body time, html body div {
    position: absolute !important; background: lime !important; font-size: 3px !important; color: lime !important }
  html body > * { opacity: 0 !important; transform: scale(0) !important; position: static !important }
</style>
<script>
  var loa = { mine: 1 };
  const halves = 'mine', script = 'mine', start = 'mine';
  let wire = 'mine';
  window.before = Object.keys(window).length;
  Array.prototype.page = () => {};
  Object.prototype.page = 'mine';
</script>
"""


async def test_a_page_that_uses_our_names_breaks_nothing_and_is_not_broken(
    portal: Portal, service: Service, readers: Readers
) -> None:
    browser = await readers.arrive()
    await Wire(welcome(announcements=[announcement(severity="breaking", url="https://example.vn/")])).attach(browser)
    body = f'<div class="loa" id="loa">Của trang</div><button id="own">Nút</button>{embed(service.url, "demo")}'
    page = await readers.open(portal.page(body, head=_HOSTILE), browser)
    await expect(banners(page)).to_be_visible()
    looks = await page.locator("loa-banner").evaluate("""(host) => {
      const of = (selector) => getComputedStyle(selector ? host.querySelector(selector) : host);
      return {
        position: of().position, opacity: of().opacity, transform: of().transform,
        card: of('loa-card').display, paper: of('loa-card').backgroundColor, ink: of('loa-title').color,
        spacing: of('loa-title').letterSpacing, size: of('loa-title').fontSize, button: of('button').position,
        link: of('a').color, before: getComputedStyle(host.querySelector('a'), '::before').content,
      };
    }""")
    assert looks == {
        "position": "fixed",
        "opacity": "1",
        "transform": "none",
        "card": "grid",
        "paper": "rgb(255, 255, 255)",
        "ink": "rgb(34, 34, 34)",
        "spacing": "normal",
        "size": "17.6px",
        "button": "static",
        "link": "rgb(34, 34, 34)",
        "before": "none",
    }
    assert await page.evaluate("[loa.mine, halves, script, start, wire]") == [1, "mine", "mine", "mine", "mine"]
    # `before` itself is the one that has been added since.
    assert await page.evaluate("Object.keys(window).length - before") == 1
    own = await page.locator("#own").evaluate("(own) => [getComputedStyle(own).position, own.offsetHeight > 0]")
    assert own[0] == "absolute"


async def test_the_page_is_not_moved_by_a_banner(service: Service, portal: Portal, readers: Readers, site: str) -> None:
    body = f"<main style='display: grid; gap: 9px'><h1>Tin</h1><p>Nội dung</p></main>{embed(service.url, site)}"
    page = await readers.open(portal.page(body))
    await expect(counter(page)).to_have_text("1 người đang online")
    measure = """[document.documentElement.scrollHeight, document.documentElement.scrollWidth,
      ...[...document.querySelectorAll('h1, p, loa-counter')]
        .map((each) => JSON.stringify(each.getBoundingClientRect()))]"""
    before = await page.evaluate(measure)
    await service.publish(site, "emergency", "Tin khẩn", body="Nội dung\n" * 10)
    await expect(banners(page)).to_be_visible()
    assert await page.evaluate(measure) == before


async def test_what_is_beside_the_cards_can_be_clicked(portal: Portal, service: Service, readers: Readers) -> None:
    browser = await readers.arrive(width=360, height=740)
    wire = Wire(welcome(announcements=[announcement("a"), announcement("b"), announcement("c", body="x\n" * 30)]))
    await wire.attach(browser)
    body = f"<button onclick='this.textContent = 1'>Nút</button>{embed(service.url, 'demo')}"
    page = await readers.open(portal.page(body), browser)
    await expect(banners(page)).to_have_count(3)
    await page.get_by_role("button", name="Nút").click()
    # However much there is to read, the page is never covered wholly, and all of it can be reached.
    assert await page.locator("loa-banner").evaluate("(host) => host.offsetHeight <= innerHeight * 0.7 + 1")
    await page.get_by_role("button", name="Đóng: Tin a").click()
    await expect(banners(page)).to_have_count(2)
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
