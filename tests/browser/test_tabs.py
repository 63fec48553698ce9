"""The tabs of a browser share one connection: one leads, the others hear all of it, and nobody notices when it goes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, counter, embed
from tests.browser.test_apart import OPENED_HIDDEN, TO_BACK
from tests.browser.wire import Wire, announcement, welcome
from tests.service import Service

# Whatever keeps a browser from sharing.
NO_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })"
NO_CHANNEL = "delete window.BroadcastChannel"
LOCKS_FAIL = (
    "if (navigator.locks) navigator.locks.request = () => Promise.reject(new DOMException('no', 'SecurityError'))"
)


async def _wired(readers: Readers, **members: object) -> tuple[BrowserContext, Wire]:
    browser = await readers.arrive()
    wire = Wire(welcome(**members))
    await wire.attach(browser)
    return browser, wire


async def _open(readers: Readers, browser: BrowserContext, address: str, times: int) -> list[Page]:
    """Tabs, of which the first leads."""
    tabs = []
    for _ in range(times):
        tabs.append(await readers.open(address, browser))
        await expect(counter(tabs[-1])).to_contain_text("online")
    return tabs


async def test_ten_tabs_share_one_connection_and_all_are_live(
    portal: Portal, service: Service, readers: Readers
) -> None:
    browser, wire = await _wired(readers, announcements=[announcement("a")])
    tabs = await _open(readers, browser, portal.page(embed(service.url, "demo")), 10)
    wire.say("presence", online=4321, stale=False)
    wire.say("announcement", **announcement("b"), cursor="00000000.2")
    for tab in tabs:
        await expect(counter(tab)).to_have_text("4.321 người đang online")
        await expect(banners(tab)).to_have_count(2)
    # One that comes now is told how things are, not how they were.
    wire.say("announcement", **announcement("a", status="recalled"), cursor="00000000.3")
    await expect(banners(tabs[0])).to_have_count(1)
    late = (await _open(readers, browser, portal.page(embed(service.url, "demo")), 1))[0]
    await expect(counter(late)).to_have_text("4.321 người đang online")
    await expect(banners(late).locator("loa-title")).to_have_text(["Tin b"])
    await late.get_by_role("button", name="Đóng: Tin b").click()
    for tab in tabs:
        await expect(banners(tab)).to_have_count(0)
    await wire.told(type="ack", id="b", did="dismissed")
    assert len(wire.connections) == 1


async def test_the_server_is_told_of_each_tab(portal: Portal, service: Service, readers: Readers) -> None:
    browser, wire = await _wired(readers)
    await _open(readers, browser, portal.page(embed(service.url, "demo")), 1)
    await browser.add_init_script(OPENED_HIDDEN.replace("true;", "false;", 1))
    address = portal.page(embed(service.url, "demo", attributes='data-section="tin"'))
    tab = (await _open(readers, browser, address, 1))[0]
    await wire.told(type="state", state="reading")
    page = next(message for message in wire.heard if message["type"] == "page")
    assert page == {
        "type": "page",
        "tab": page["tab"],
        "path": urlsplit(address).path,
        "section": "tin",
        "show": "",
        "again": False,
    }
    await tab.evaluate(TO_BACK)
    await wire.told(type="state", tab=page["tab"], state="background")
    await tab.evaluate("history.pushState({}, '', '/khac')")
    await wire.told(type="page", tab=page["tab"], path="/khac", again=False)
    await tab.close()
    await wire.told(type="gone", tab=page["tab"])


@pytest.mark.parametrize("end", ["close", "crash", "back-forward cache", "freeze"])
async def test_another_takes_over_when_the_one_that_leads_is_gone(
    portal: Portal, service: Service, readers: Readers, end: str
) -> None:
    browser, wire = await _wired(readers)
    address = portal.page(embed(service.url, "demo"))
    leader, second, third = await _open(readers, browser, address, 3)
    wire.say("announcement", **announcement("a"), cursor="00000000.7")
    await expect(banners(third)).to_have_count(1)
    if end == "close":
        await leader.close()
    elif end == "crash":
        session = await browser.new_cdp_session(leader)
        async with leader.expect_event("crash"):
            crash = asyncio.ensure_future(session.send("Page.crash"))
        # It answers no more.
        crash.cancel()
    elif end == "freeze":
        # What Chromium tells a page before it stops it; it does not stop one that a test has in its hands.
        await leader.evaluate("document.dispatchEvent(new Event('freeze'))")
    else:
        await leader.goto(portal.page("<p>Trang khác</p>"))
    await wire.connected(2)
    # As the same reader, from where it had got to; its page has been viewed before, and so has the third one's.
    assert wire.query() == {
        "site": "demo",
        "path": urlsplit(address).path,
        "visitor": "v1.visitor",
        "since": "00000000.7",
        "again": "1",
    }
    await wire.told(type="page", again=True)
    wire.say("presence", online=7, stale=False)
    for tab in (second, third):
        await expect(counter(tab)).to_have_text("7 người đang online")
        await expect(tab.locator("loa-counter")).not_to_have_attribute("stale", "")
    # And the first is one of them again, if it comes back.
    if end == "freeze":
        await leader.evaluate("document.dispatchEvent(new Event('resume'))")
    elif end == "back-forward cache":
        await leader.go_back(wait_until="commit")
    else:
        return
    await expect(counter(leader)).to_have_text("7 người đang online")
    await expect(leader.locator("loa-counter")).not_to_have_attribute("stale", "")
    assert len(wire.connections) == 2


async def test_a_leader_that_says_nothing_is_relieved_and_joins_the_others(
    portal: Portal, service: Service, readers: Readers
) -> None:
    """A browser may stop a page without telling it."""
    browser, wire = await _wired(readers)
    address = portal.page(embed(service.url, "demo"))
    leader = (await _open(readers, browser, address, 1))[0]
    page = await browser.new_page()
    now = datetime.now(UTC)
    await page.clock.install(time=now)
    await page.goto(address)
    await expect(counter(page)).to_have_text("1 người đang online")
    await leader.evaluate(
        "const said = BroadcastChannel.prototype.postMessage; window.speak = said;"
        "BroadcastChannel.prototype.postMessage = () => {}"
    )
    await page.clock.run_for(55_000)
    assert len(wire.connections) == 1
    await leader.evaluate("setTimeout(() => (BroadcastChannel.prototype.postMessage = speak))")
    await page.clock.run_for(40_000)
    await wire.connected(2)
    wire.say("presence", online=5, stale=False)
    for tab in (page, leader):
        await expect(counter(tab)).to_have_text("5 người đang online")
        await expect(tab.locator("loa-counter")).not_to_have_attribute("stale", "")


async def test_a_tab_that_is_opened_beside_one_that_stands_still_does_not_wait_a_minute(
    portal: Portal, service: Service, readers: Readers
) -> None:
    browser, wire = await _wired(readers)
    address = portal.page(embed(service.url, "demo"))
    leader = (await _open(readers, browser, address, 1))[0]
    # Alone, it remains a reader.
    await leader.evaluate("document.dispatchEvent(new Event('freeze'))")
    session = await browser.new_cdp_session(leader)
    paused: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    session.once("Debugger.paused", lambda event: paused.set_result(event))  # noqa: PLW0108  a method takes no attribute
    await session.send("Debugger.enable")
    await leader.evaluate("void setTimeout(() => { debugger })")
    await paused
    assert len(wire.connections) == 1
    late = await readers.open(address, browser)
    await wire.connected(2)
    await expect(counter(late)).to_have_text("1 người đang online")
    await session.send("Debugger.resume")
    await session.detach()
    wire.say("presence", online=2, stale=False)
    for tab in (leader, late):
        await expect(counter(tab)).to_have_text("2 người đang online")


async def test_more_tabs_than_may_share_a_connection_make_their_own(
    portal: Portal, service: Service, readers: Readers
) -> None:
    browser, wire = await _wired(readers)
    # A frame of the same site is a tab to us, and costs less.
    tab = portal.page(embed(service.url, "demo"))
    frames = f"<iframe src='{tab}'></iframe>" * 33
    page = await readers.open(portal.page(frames), browser)
    await wire.connected(2)
    for frame in page.frames[1:]:
        await expect(frame.locator("loa-counter [part=text]")).to_have_text("1 người đang online")
    assert len(wire.connections) == 2
    # The server takes ten messages a second, so they are told one after the other.
    await wire.until(lambda: len({message["tab"] for message in wire.heard if message["type"] == "page"}) == 31)


@pytest.mark.parametrize(
    ("script", "attributes"),
    [(NO_LOCKS, ""), (NO_CHANNEL, ""), (LOCKS_FAIL, ""), ("", 'data-share="off"')],
    ids=["no locks", "no channel", "locks that fail", "as the page wants"],
)
async def test_where_it_cannot_be_shared_each_tab_has_a_connection(
    portal: Portal, service: Service, readers: Readers, script: str, attributes: str
) -> None:
    browser, wire = await _wired(readers)
    await browser.add_init_script(script)
    tabs = await _open(readers, browser, portal.page(embed(service.url, "demo", attributes=attributes)), 2)
    assert len(wire.connections) == 2
    wire.say("presence", online=7, stale=False)
    await expect(counter(tabs[1])).to_have_text("7 người đang online")
    await expect(counter(tabs[0])).to_have_text("1 người đang online")


async def test_the_api_finds_one_reader_at_the_pages_of_all_its_tabs(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    browser = await readers.arrive()
    addresses = [portal.page(embed(service.url, site)) for _ in range(3)]
    tabs = [(await _open(readers, browser, address, 1))[0] for address in addresses]
    paths = [f"path={urlsplit(address).path}" for address in addresses]
    for path in paths:
        await service.shows(site, path, lambda answer: (answer["online"], answer["page"]["online"]) == (1, 1))
    # The one that leads is gone, and then one that does not.
    await tabs[0].close()
    await service.shows(site, paths[0], lambda answer: answer["page"]["online"] == 0)
    for path in paths[1:]:
        await service.shows(site, path, lambda answer: (answer["online"], answer["page"]["online"]) == (1, 1))
    await tabs[2].close()
    await service.shows(site, paths[2], lambda answer: answer["page"]["online"] == 0)
    await service.publish(site, "notice", "Tin")
    await expect(banners(tabs[1])).to_have_count(1)
    await expect(counter(tabs[1])).to_have_text("1 người đang online")


async def test_no_announcement_is_missed_while_the_leadership_changes(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    browser = await readers.arrive()
    tabs = await _open(readers, browser, portal.page(embed(service.url, site)), 4)
    for number in range(3):
        closing = tabs.pop(0).close()
        await service.publish(site, "notice", f"Tin {number}")
        await closing
    await expect(banners(tabs[0])).to_have_count(3)
