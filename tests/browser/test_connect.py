"""The connection: one a page, back by itself after anything, and quiet about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, counter, embed
from tests.browser.wire import Wire, announcement, welcome
from tests.service import Service


async def _clocked(readers: Readers, wire: Wire, address: str) -> Page:
    """A page whose time is ours, and whose chances are the worst."""
    browser = await readers.arrive()
    await browser.add_init_script("Math.random = () => 0.999999")
    await wire.attach(browser)
    page = await browser.new_page()
    now = datetime.now(UTC)
    await page.clock.install(time=now)
    await page.goto(address)
    await expect(counter(page)).to_contain_text("online")
    await page.clock.pause_at(now + timedelta(seconds=30))
    return page


async def _load(browser: BrowserContext, address: str) -> Page:
    page = await browser.new_page()
    await page.goto(address)
    await expect(counter(page)).to_contain_text("online")
    return page


async def test_says_where_the_reader_is(portal: Portal, service: Service, readers: Readers) -> None:
    browser = await readers.arrive()
    wire = Wire(welcome())
    await wire.attach(browser)
    address = portal.page(embed(service.url, "demo", attributes='data-section="thoi-su" data-path="/tin/lũ?x=1"'))
    await _load(browser, address)
    assert wire.query() == {"site": "demo", "path": "/tin/l%C5%A9", "section": "thoi-su"}
    assert wire.connections[-1].url.startswith(service.url.replace("http", "ws") + "/ws?")


async def test_comes_back_as_the_same_reader_with_the_cursor_it_had(
    portal: Portal, service: Service, readers: Readers
) -> None:
    address = portal.page(embed(service.url, "demo"))
    browser = await readers.arrive()
    wire = Wire(welcome(cursor="00000000.7"))
    await wire.attach(browser)
    page = await _load(browser, address)
    wire.say("announcement", **announcement(), cursor="00000000.8")
    await expect(banners(page)).to_have_count(1)
    await wire.connections[-1].close(code=1011)
    await wire.connected(2)
    assert wire.query() == {
        "site": "demo",
        "path": urlsplit(address).path,
        "visitor": "v1.visitor",
        "since": "00000000.8",
        "again": "1",
    }
    # A new page knows the reader, and nothing of the announcements.
    await page.reload()
    await wire.connected(3)
    assert not {"since", "again"} & wire.query().keys()
    assert wire.query()["visitor"] == "v1.visitor"


async def test_two_copies_of_the_script_make_one_connection(portal: Portal, service: Service, readers: Readers) -> None:
    browser = await readers.arrive()
    wire = Wire(welcome())
    await wire.attach(browser)
    script = f'<script src="{service.url}/widget.js" data-site="demo"></script>'
    page = await _load(browser, portal.page(script + embed(service.url, "demo") + script))
    await page.wait_for_load_state("load")
    await expect(page.locator("loa-banner")).to_have_count(1)
    assert len(wire.connections) == 1


async def test_a_script_without_a_site_does_nothing(portal: Portal, service: Service, readers: Readers) -> None:
    page = await readers.open(
        portal.page(f'<script src="{service.url}/widget.js"></script><loa-counter></loa-counter>')
    )
    await page.wait_for_load_state("load")
    await expect(page.locator("loa-banner")).to_have_count(0)


async def test_catches_up_with_what_it_missed_offline(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    readers.forgive_failed_connections()
    browser = await readers.arrive()
    page = await _load(browser, portal.page(embed(service.url, site)))
    recalled = await service.publish(site, "notice", "Bị thu hồi")
    updated = await service.publish(site, "notice", "Được sửa")
    await expect(banners(page)).to_have_count(2)
    await browser.set_offline(True)
    await expect(page.locator("loa-counter")).to_have_attribute("stale", "")
    await service.recall(recalled)
    await service.update(updated, title="Đã sửa")
    await service.publish(site, "breaking", "Mới")
    # Offline, the reader keeps what there was.
    await expect(banners(page)).to_have_count(2)
    await browser.set_offline(False)
    await expect(page.locator("loa-counter")).not_to_have_attribute("stale", "")
    await expect(banners(page).locator("loa-title")).to_have_text(["Mới", "Đã sửa"])
    # It happened while the page was being read, so it is said as urgently as it is.
    await expect(page.get_by_role("alert")).to_contain_text("Mới")


async def test_pages_come_back_after_the_workers_were_killed(
    mortal_service: Service, portal: Portal, readers: Readers
) -> None:
    readers.forgive_failed_connections()
    service, site = mortal_service, mortal_service.sites[0]
    page = await readers.open(portal.page(embed(service.url, site)))
    await expect(counter(page)).to_have_text("1 người đang online")
    await service.publish(site, "breaking", "Vẫn còn đây")
    await expect(banners(page)).to_have_count(1)
    service.kill_workers()
    await expect(page.locator("loa-counter")).to_have_attribute("stale", "")
    await expect(page.locator("loa-counter")).not_to_have_attribute("stale", "")
    await expect(banners(page)).to_have_count(1)
    await expect(counter(page)).to_have_text("1 người đang online")


async def test_pages_come_back_after_a_restart_and_are_told_when(
    mortal_service: Service, portal: Portal, readers: Readers
) -> None:
    readers.forgive_failed_connections()
    service, site = mortal_service, mortal_service.sites[0]
    page = await readers.open(portal.page(embed(service.url, site)))
    await expect(counter(page)).to_have_text("1 người đang online")
    await service.publish(site, "breaking", "Vẫn còn đây")
    service.stop()
    await expect(page.locator("loa-counter")).to_have_attribute("stale", "")
    service.start()
    await expect(page.locator("loa-counter")).not_to_have_attribute("stale", "")
    await expect(banners(page)).to_have_count(1)


@pytest.mark.parametrize(
    ("code", "reason", "seconds"),
    [
        (1002, "", 120),
        (1007, "", 120),
        (1008, "", 120),
        (1009, "", 120),
        (1012, '{"retry_ms":30000}', 30),
        (1013, '{"retry_ms":12000}', 12),
        (1012, "nonsense", 0.05),
        (1011, "", 0.05),
        (1001, "", 0.05),
    ],
)
async def test_comes_back_when_the_close_code_says(
    *, portal: Portal, service: Service, readers: Readers, code: int, reason: str, seconds: float
) -> None:
    wire = Wire(welcome())
    page = await _clocked(readers, wire, portal.page(embed(service.url, "demo")))
    await wire.connections[0].close(code=code, reason=reason)
    await expect(page.locator("loa-counter")).to_have_attribute("stale", "")
    await page.clock.run_for(int(seconds * 1000) - 10)
    await expect(page.locator("loa-counter")).to_have_attribute("stale", "")
    assert len(wire.connections) == 1
    await page.clock.run_for(20)
    await wire.connected(2)
    await expect(page.locator("loa-counter")).not_to_have_attribute("stale", "")


async def test_offline_it_does_not_try_again_and_again(portal: Portal, service: Service, readers: Readers) -> None:
    """Each try would be an error in the page's console."""
    wire = Wire(welcome())
    page = await _clocked(readers, wire, portal.page(embed(service.url, "demo")))
    await page.evaluate("Object.defineProperty(navigator, 'onLine', { configurable: true, value: false })")
    await page.evaluate("dispatchEvent(new Event('offline'))")
    await expect(page.locator("loa-counter")).to_have_attribute("stale", "")
    await page.clock.run_for(29_000)
    assert len(wire.connections) == 1
    # Some browsers say so wrongly: now and then it is tried all the same.
    await page.clock.run_for(1_100)
    await wire.connected(2)
    await wire.connections[-1].close(code=1011)
    await expect(page.locator("loa-counter")).to_have_attribute("stale", "")
    await page.evaluate("delete navigator.onLine; dispatchEvent(new Event('online'))")
    await page.clock.run_for(60)
    await wire.connected(3)


async def test_tabs_that_were_given_two_ids_become_one_reader(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    """As when a browser that was never here restores two pages at once."""
    browser = await readers.arrive()
    # Tabs that do not share a connection.
    address = portal.page(embed(service.url, site, attributes='data-share="off"'))
    first = await _load(browser, address)
    await first.evaluate("localStorage.clear()")
    second = await _load(browser, address)
    for page in (first, second):
        await expect(counter(page)).to_have_text("1 người đang online")
    kept = await second.evaluate(f"localStorage.getItem('loa.visitor.{site}')")
    assert kept == await first.evaluate(f"localStorage.getItem('loa.visitor.{site}')")


async def test_waits_longer_at_each_failure_up_to_the_servers_cap(
    portal: Portal, service: Service, readers: Readers
) -> None:
    wire = Wire(welcome(reconnect={"base_ms": 50, "cap_ms": 300}))
    page = await _clocked(readers, wire, portal.page(embed(service.url, "demo")))
    wire.greeting = None
    for failures, wait_ms in enumerate([50, 100, 200, 300, 300], start=1):
        await wire.connections[-1].close(code=1011)
        await page.wait_for_function("document.querySelector('loa-counter').hasAttribute('stale')")
        await page.clock.run_for(wait_ms - 10)
        assert len(wire.connections) == failures
        await page.clock.run_for(20)
        await wire.connected(failures + 1)


async def test_a_minute_of_silence_is_the_end_of_a_connection_and_a_tick_is_not_silence(
    portal: Portal, service: Service, readers: Readers
) -> None:
    wire = Wire(welcome())
    page = await _clocked(readers, wire, portal.page(embed(service.url, "demo")))
    await page.clock.run_for(20_000)
    wire.say("tick")
    # Told after it, so that the tick has been heard when this is seen.
    wire.say("presence", online=2, stale=False)
    await expect(counter(page)).to_have_text("2 người đang online")
    await page.clock.run_for(50_000)
    assert len(wire.connections) == 1
    await page.clock.run_for(11_000)
    await wire.connected(2)


async def test_a_computer_that_has_slept_does_not_trust_its_old_connection(
    portal: Portal, service: Service, readers: Readers
) -> None:
    wire = Wire(welcome())
    page = await _clocked(readers, wire, portal.page(embed(service.url, "demo")))
    # The clock goes on and the timers do not.
    await page.clock.set_system_time(datetime.now(UTC) + timedelta(hours=8))
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator("loa-counter")).to_have_attribute("stale", "")
    await page.clock.run_for(100)
    await wire.connected(2)


async def test_a_page_from_the_back_button_is_live_again(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    other = portal.page("<p>Trang khác</p>")
    page = await readers.open(portal.page(embed(service.url, site)))
    await page.evaluate("addEventListener('pageshow', (event) => (window.kept = event.persisted))")
    await expect(counter(page)).to_have_text("1 người đang online")
    watcher = await readers.open(portal.page(embed(service.url, site)))
    await expect(counter(watcher)).to_have_text("2 người đang online")
    await page.goto(other)
    await expect(counter(watcher)).to_have_text("1 người đang online")
    await service.publish(site, "notice", "Trong lúc vắng")
    await page.go_back(wait_until="commit")
    assert await page.evaluate("window.kept") is True, "the page was not kept for the back button"
    await expect(counter(watcher)).to_have_text("2 người đang online")
    await expect(counter(page)).to_have_text("2 người đang online")
    await expect(banners(page)).to_contain_text(["Trong lúc vắng"])


async def test_a_page_rendered_ahead_waits_until_it_is_read(portal: Portal, service: Service, readers: Readers) -> None:
    browser = await readers.arrive()
    wire = Wire(welcome(online=1))
    await wire.attach(browser)
    await browser.add_init_script(
        "Object.defineProperty(document, 'prerendering', { configurable: true, value: true })"
    )
    asked: list[str] = []
    await browser.route("**/events?*", lambda route: asked.append(route.request.url))
    page = await browser.new_page()
    address = portal.page(embed(service.url, "demo", attributes='data-section="a"'))
    await page.goto(address)
    await page.wait_for_function("document.querySelector('loa-banner')")
    await page.evaluate("dispatchEvent(new Event('online'))")
    # Longer than it waits before it connects when a network is there.
    await page.evaluate("new Promise((done) => setTimeout(done, 600))")
    assert wire.connections == []
    # It says that it is there, and not who.
    (query,) = [parse_qs(urlsplit(url).query) for url in asked]
    assert (query["apart"], query["path"], query["section"]) == (["prerender"], [urlsplit(address).path], ["a"])
    assert not {"visitor", "since", "tests"} & query.keys()
    await page.evaluate("delete document.prerendering; document.dispatchEvent(new Event('prerenderingchange'))")
    await expect(counter(page)).to_have_text("1 người đang online")


async def test_a_page_of_a_stranger_is_turned_away_and_not_disturbed(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    address = portal.page(embed(service.url, site)).replace("127.0.0.1", "localhost")
    refused = readers.complained("403")
    readers.forgive_failed_connections()
    page = await readers.open(address)
    await refused
    await expect(counter(page)).to_have_text("\u00a0")
    await expect(page.locator("loa-banner")).to_be_attached()


async def test_works_where_nothing_may_be_kept(service: Service, portal: Portal, readers: Readers, site: str) -> None:
    browser = await readers.arrive()
    await browser.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    page = await readers.open(portal.page(embed(service.url, site)), browser)
    await expect(counter(page)).to_have_text("1 người đang online")
    await service.publish(site, "notice", "Tin")
    await page.get_by_role("button", name="Đóng: Tin").click()
    await service.publish(site, "notice", "Tin sau")
    await expect(banners(page).locator("loa-title")).to_have_text(["Tin sau"])


@pytest.mark.parametrize(
    "nonsense",
    ["", "{", "null", "7", '"text"', "[]", '{"type":5}', '{"type":"unheard-of"}', '{"type":"announcement"}'],
)
async def test_nonsense_from_the_server_is_passed_over(
    portal: Portal, service: Service, readers: Readers, nonsense: str
) -> None:
    browser = await readers.arrive()
    wire = Wire(welcome())
    await wire.attach(browser)
    page = await _load(browser, portal.page(embed(service.url, "demo")))
    wire.connections[0].send(nonsense)
    wire.say("presence", online=2, stale=False)
    wire.say("announcement", **announcement())
    await expect(counter(page)).to_have_text("2 người đang online")
    await expect(banners(page).locator("loa-title", has_text="Tin a")).to_have_count(1)
