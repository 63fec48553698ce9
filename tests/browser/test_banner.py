"""Announcements in the page: there at once, gone at once, each shown once, and never in the reader's way."""

from __future__ import annotations

import itertools
import re
from typing import Literal

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, counter, embed
from tests.browser.wire import Wire, announcement, instant, welcome
from tests.service import Service

# For what takes seconds by itself, on a machine that is busy with other things.
PATIENCE_MS = 60_000


async def _joined(readers: Readers, address: str, context: BrowserContext | None = None) -> Page:
    """A page that has been welcomed."""
    page = await readers.open(address, context)
    await expect(counter(page)).to_contain_text("online")
    return page


async def _wired(readers: Readers, address: str, *announcements: dict[str, object]) -> tuple[Page, Wire]:
    """A page whose server is ours."""
    browser = await readers.arrive()
    wire = Wire(welcome(announcements=list(announcements)))
    await wire.attach(browser)
    return await _joined(readers, address, browser), wire


async def test_comes_to_every_open_page_and_goes_when_recalled(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    address = portal.page(embed(service.url, site))
    pages = [await _joined(readers, address) for _ in range(2)]
    id = await service.publish(
        site,
        "breaking",
        "Nước lũ lên nhanh",
        body="Dòng một.\nDòng hai.",
        url="https://example.vn/lu",
    )
    for page in pages:
        card = banners(page)
        await expect(card).to_contain_text("Tin nóng")
        await expect(card.locator("loa-title")).to_have_text("Nước lũ lên nhanh")
        assert await card.locator("loa-body").inner_text() == "Dòng một.\nDòng hai."
        link = card.get_by_role("link", name="Xem chi tiết")
        await expect(link).to_have_attribute("href", "https://example.vn/lu")
        await expect(link).to_have_attribute("rel", "noopener")
    await service.recall(id)
    for page in pages:
        await expect(banners(page)).to_have_count(0)
    await expect(banners(await _joined(readers, address))).to_have_count(0)


async def test_the_regions_are_there_and_empty_before_anything_is_said(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    page = await _joined(readers, portal.page(embed(service.url, site)))
    for role in ("alert", "status"):
        region = page.locator(f"body > loa-banner > [role={role}]")
        await expect(region).to_be_empty()
        await expect(region).to_be_attached()


@pytest.mark.parametrize(
    ("severity", "word", "role"),
    [
        ("info", "Thông tin", "status"),
        ("notice", "Thông báo", "status"),
        ("breaking", "Tin nóng", "alert"),
        ("emergency", "Khẩn cấp", "alert"),
    ],
)
async def test_what_comes_is_said_as_urgently_as_it_is(
    *, service: Service, portal: Portal, readers: Readers, site: str, severity: str, word: str, role: str
) -> None:
    page = await _joined(readers, portal.page(embed(service.url, site)))
    await service.publish(site, severity, "Tin mới")
    await expect(page.locator(f"[role={role}] loa-card")).to_contain_text(word)
    # Who opens the page now finds it there; nothing has just happened to them.
    later = await _joined(readers, portal.page(embed(service.url, site), language="en"))
    await expect(later.locator("[role=status] loa-card")).to_have_count(1)
    await expect(later.get_by_role("alert")).to_be_empty()


async def test_an_update_changes_the_card_where_it_stands(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    page = await _joined(readers, portal.page(embed(service.url, site)))
    id = await service.publish(site, "breaking", "Nước lên", body="Bến Đá: 4,2 m")
    await service.publish(site, "emergency", "Sơ tán")
    await expect(banners(page)).to_have_count(2)
    # What is taken out and put back is read aloud again, however alike it is.
    await page.evaluate("""
      window.moves = [];
      const watch = new MutationObserver((moves) => window.moves.push(...moves));
      document.querySelectorAll('loa-region').forEach((each) => watch.observe(each, { childList: true }));
    """)
    card = banners(page).last
    await card.evaluate("(card) => { card.mark = 1; card.querySelector('loa-title').firstChild.mark = 1 }")
    await service.update(id, body="Bến Đá: 4,6 m")
    await expect(card.locator("loa-body")).to_have_text("Bến Đá: 4,6 m")
    await expect(card.locator("time")).to_contain_text("cập nhật")
    assert await page.evaluate("moves.length") == 0
    assert await card.evaluate("(card) => card.mark && card.querySelector('loa-title').firstChild.mark") == 1
    await expect(page.get_by_role("alert").locator("loa-card")).to_have_count(2)


async def test_a_dismissal_survives_reloads_until_a_revision_asks_to_be_shown_again(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    page = await _joined(readers, portal.page(embed(service.url, site)))
    id = await service.publish(site, "notice", "Cấm xe qua cầu")
    await page.get_by_role("button", name="Đóng: Cấm xe qua cầu").click()
    await expect(banners(page)).to_have_count(0)
    await page.reload()
    await expect(counter(page)).to_contain_text("online")
    await service.update(id, title="Cấm xe qua cầu đến 20 giờ")
    marker = await service.publish(site, "info", "Sau đó")
    await expect(banners(page)).to_contain_text(["Sau đó"])
    await service.update(id, title="Cấm xe qua cầu đến 22 giờ", show_again=True)
    await expect(banners(page)).to_contain_text(["Cấm xe qua cầu đến 22 giờ", "Sau đó"])
    await service.recall(marker)
    await page.reload()
    await expect(banners(page)).to_contain_text(["Cấm xe qua cầu đến 22 giờ"])


async def test_what_is_dismissed_in_one_tab_is_dismissed_in_all(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    browser = await readers.arrive()
    address = portal.page(embed(service.url, site))
    tabs = [await _joined(readers, address, browser) for _ in range(2)]
    other = await _joined(readers, address)
    await service.publish(site, "notice", "Tin")
    for page in (*tabs, other):
        await expect(banners(page)).to_have_count(1)
    await tabs[0].get_by_role("button", name="Đóng").click()
    await expect(banners(tabs[1])).to_have_count(0)
    await expect(banners(other)).to_have_count(1)


async def test_the_focus_stays_where_the_reader_is(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    page = await _joined(readers, portal.page(f"<input id='search'>{embed(service.url, site)}"))
    search = page.locator("#search")
    await search.press_sequentially("lũ")
    id = await service.publish(site, "emergency", "Sơ tán ngay", url="https://example.vn/")
    await expect(banners(page)).to_have_count(1)
    await expect(search).to_be_focused()
    await page.keyboard.type(" lụt")
    await expect(search).to_have_value("lũ lụt")
    await service.update(id, title="Sơ tán trước 15 giờ")
    await expect(banners(page)).to_contain_text("15 giờ")
    await service.recall(id)
    await expect(banners(page)).to_have_count(0)
    await expect(search).to_be_focused()


@pytest.mark.parametrize("key", ["Enter", "Space", "Escape"])
async def test_the_keyboard_dismisses_and_the_focus_goes_to_the_next_card_then_home(
    portal: Portal, service: Service, readers: Readers, key: str
) -> None:
    body = f"<a id='home' href='#'>Trang chủ</a>{embed(service.url, 'demo')}"
    page, wire = await _wired(
        readers, portal.page(body), announcement("b", severity="breaking"), announcement("n", severity="notice")
    )
    await page.locator("#home").focus()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Đóng: Tin b")).to_be_focused()
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    await page.keyboard.press(key)
    await wire.told(type="ack", id="b", revision=1, did="dismissed")
    await expect(page.get_by_role("button", name="Đóng: Tin n")).to_be_focused()
    await page.keyboard.press(key)
    await expect(banners(page)).to_have_count(0)
    await expect(page.locator("#home")).to_be_focused()


async def test_the_mouse_dismisses_one_card_and_leaves_the_keyboard_to_the_page(
    portal: Portal, service: Service, readers: Readers
) -> None:
    """Or the space bar, with which the reader scrolls on, would close the next."""
    page, wire = await _wired(
        readers,
        portal.page(f"<a id='home' href='#'>Trang chủ</a>{embed(service.url, 'demo')}"),
        announcement("b", severity="breaking"),
        announcement("n", severity="notice"),
    )
    await page.locator("#home").focus()
    await page.get_by_role("button", name="Đóng: Tin b").click()
    await expect(banners(page)).to_have_count(1)
    await expect(page.locator("#home")).to_be_focused()
    await page.keyboard.press("Space")
    wire.say("announcement", **announcement("after"))
    await expect(banners(page)).to_have_count(2)


async def test_a_recall_gives_the_focus_back(portal: Portal, service: Service, readers: Readers) -> None:
    body = f"<a id='home' href='#'>Trang chủ</a>{embed(service.url, 'demo')}"
    page, wire = await _wired(readers, portal.page(body), announcement("b"))
    await page.locator("#home").focus()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Đóng: Tin b")).to_be_focused()
    wire.say("announcement", **announcement("b", revision=2, status="recalled"))
    await expect(banners(page)).to_have_count(0)
    await expect(page.locator("#home")).to_be_focused()


async def test_a_card_that_becomes_urgent_leaves_the_others_in_their_place(
    portal: Portal, service: Service, readers: Readers
) -> None:
    page, wire = await _wired(
        readers,
        portal.page(embed(service.url, "demo")),
        announcement("x", published_at="2026-11-23T02:00:00.000Z"),
        announcement("z", published_at="2026-11-23T01:00:00.000Z"),
    )
    await expect(banners(page).locator("loa-title")).to_have_text(["Tin x", "Tin z"])
    urgent = announcement("x", revision=2, severity="breaking")
    wire.say("announcement", **urgent)
    await expect(page.get_by_role("alert").locator("loa-title")).to_have_text(["Tin x"])
    await expect(page.get_by_role("status").locator("loa-title")).to_have_text(["Tin z"])
    # And it still ends when it should.
    wire.say("announcement", **{**urgent, "revision": 3, "expires_at": instant(1)})
    await expect(banners(page).locator("loa-title")).to_have_text(["Tin z"], timeout=PATIENCE_MS)
    # Coming back after a while: one has become urgent, and another stands where it stood.
    wire.greeting = welcome(
        announcements=[announcement("z", revision=2, severity="emergency"), announcement("new")], full=False
    )
    await wire.connections[-1].close(code=1011)
    await expect(page.get_by_role("alert").locator("loa-title")).to_have_text(["Tin z"])
    await expect(page.get_by_role("status").locator("loa-title")).to_have_text(["Tin new"])


async def test_what_was_dismissed_stays_so_where_nothing_more_can_be_kept(
    portal: Portal, service: Service, readers: Readers
) -> None:
    browser = await readers.arrive()
    await browser.add_init_script("""
      if (location.protocol === 'about:') return;
      localStorage.setItem('loa.dismissed.demo', '[["old",1]]');
      Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') };
    """)
    wire = Wire(welcome(announcements=[announcement(id) for id in ("old", "x", "y", "z")]))
    await wire.attach(browser)
    page = await _joined(readers, portal.page(embed(service.url, "demo")), browser)
    await expect(banners(page)).to_have_count(3)
    for id, left in (("x", 2), ("y", 1)):
        await page.get_by_role("button", name=f"Đóng: Tin {id}").click()
        await expect(banners(page)).to_have_count(left)


async def test_none_of_very_many_that_were_dismissed_comes_back(
    portal: Portal, service: Service, readers: Readers
) -> None:
    many = [announcement(f"n{number}") for number in range(60)]
    page, _ = await _wired(readers, portal.page(embed(service.url, "demo")), *many)
    await page.evaluate("""async () => {
      for (let closed = 0; closed < 59; closed++) document.querySelector('loa-card button').click();
    }""")
    await expect(banners(page)).to_have_count(1)
    await page.reload()
    await expect(banners(page)).to_have_count(1)


async def test_very_many_at_once_are_no_flood(service: Service, portal: Portal, readers: Readers, site: str) -> None:
    """A browser says of each that it was seen; the server hangs up on one that says too much at once."""
    for number in range(26):
        await service.publish(site, "info", f"Tin {number}")
    page = await _joined(readers, portal.page(embed(service.url, site)))
    await page.get_by_role("button", name="Xem thêm 23 thông báo").click()
    await expect(banners(page)).to_have_count(26)
    await service.publish(site, "breaking", "Vẫn nghe được")
    await expect(page.get_by_role("alert")).to_contain_text("Vẫn nghe được")
    await expect(page.locator("loa-counter")).not_to_have_attribute("stale", "")


async def test_says_of_each_of_very_many_that_it_was_seen(portal: Portal, service: Service, readers: Readers) -> None:
    many = [announcement(f"n{number}") for number in range(12)]
    page, wire = await _wired(readers, portal.page(embed(service.url, "demo")), *many)
    await page.get_by_role("button", name="Xem thêm").click()
    for number in range(12):
        await wire.told(type="ack", id=f"n{number}", did="rendered")
    assert len(wire.heard) == 12


async def test_any_order_of_the_same_messages_ends_in_the_same_view(
    portal: Portal, service: Service, readers: Readers
) -> None:
    messages = [
        announcement("a", title="a1"),
        announcement("a", revision=2, title="a2"),
        announcement("b", severity="emergency", title="b1"),
        announcement("b", revision=2, severity="emergency", title="b2", status="recalled"),
    ]
    page, wire = await _wired(readers, portal.page(embed(service.url, "demo")))
    for round, order in enumerate(itertools.permutations(messages)):
        for message in (*order, order[0]):
            wire.say("announcement", **{**message, "id": f"{message['id']}{round}"})
        # Told last and never changed: when it stands there, all before it has been heard.
        wire.say("announcement", **announcement("end", revision=round + 1, title=f"Hết {round}"))
        await expect(banners(page).locator("loa-title", has_text=f"Hết {round}")).to_have_count(1)
        titles = await banners(page).locator("loa-title").all_text_contents()
        assert set(titles) == {"a2", f"Hết {round}"}
        assert len(titles) == 2
        wire.say("announcement", **announcement(f"a{round}", revision=3, status="recalled"))


async def test_at_the_same_revision_recalled_wins_whichever_comes_first(
    portal: Portal, service: Service, readers: Readers
) -> None:
    page, wire = await _wired(readers, portal.page(embed(service.url, "demo")))
    for first, second in (("live", "recalled"), ("recalled", "live")):
        id = f"{first}-first"
        wire.say("announcement", **announcement(id, status=first))
        wire.say("announcement", **announcement(id, status=second))
    wire.say("announcement", **announcement("end"))
    await expect(banners(page)).to_have_count(1)
    await expect(banners(page)).to_contain_text("Tin end")


async def test_what_is_not_in_a_full_set_is_over(portal: Portal, service: Service, readers: Readers) -> None:
    page, wire = await _wired(
        readers, portal.page(embed(service.url, "demo")), announcement("over"), announcement("stays")
    )
    await expect(banners(page)).to_have_count(2)
    wire.greeting = welcome(announcements=[announcement("stays"), announcement("new")])
    await wire.connections[-1].close(code=1011)
    await expect(banners(page).locator("loa-title", has_text="Tin new")).to_have_count(1)
    titles = await banners(page).locator("loa-title").all_text_contents()
    assert sorted(titles) == ["Tin new", "Tin stays"]


@pytest.mark.parametrize("hours", [-3, 3])
async def test_expires_by_the_servers_clock_also_offline(
    portal: Portal, service: Service, readers: Readers, hours: int
) -> None:
    browser = await readers.arrive()
    # This browser's clock is wrong.
    await browser.add_init_script(f"const real = Date.now; Date.now = () => real() + {hours * 3_600_000}")
    past = announcement("past", expires_at=instant(-1))
    wire = Wire(welcome(announcements=[past, announcement("later")]))
    await wire.attach(browser)
    page = await _joined(readers, portal.page(embed(service.url, "demo")), browser)
    await expect(banners(page).locator("loa-title")).to_have_text(["Tin later"])
    # Not before the page stands there, however long that took; and long enough for it to be seen on a busy machine.
    wire.say("announcement", **announcement("soon", severity="breaking", expires_at=instant(15)))
    await expect(banners(page)).to_have_count(2)
    wire.greeting = None
    await wire.connections[-1].close(code=1011)
    await expect(banners(page).locator("loa-title")).to_have_text(["Tin later"], timeout=PATIENCE_MS)


async def test_with_the_network_cut_it_ends_in_time_and_what_was_recalled_is_not_shown_again(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    readers.forgive_failed_connections()
    browser = await readers.arrive()
    page = await _joined(readers, portal.page(embed(service.url, site)), browser)
    # Long enough for the network to be cut before, on a busy machine.
    recalled = await service.publish(site, "emergency", "Bị thu hồi")
    await service.publish(site, "notice", "Sắp hết", expires_in=30)
    await expect(banners(page).locator("loa-title")).to_have_text(["Bị thu hồi", "Sắp hết"])
    await browser.set_offline(True)
    await expect(page.locator("loa-counter")).to_have_attribute("stale", "")
    await service.recall(recalled)
    await expect(banners(page).locator("loa-title")).to_have_text(["Bị thu hồi"], timeout=3 * PATIENCE_MS)
    await browser.set_offline(False)
    await expect(page.locator("loa-counter")).not_to_have_attribute("stale", "")
    await expect(banners(page)).to_have_count(0)
    await page.reload()
    await expect(counter(page)).to_contain_text("online")
    await expect(banners(page)).to_have_count(0)


async def test_what_comes_later_does_not_hide_what_is_more_severe(
    portal: Portal, service: Service, readers: Readers
) -> None:
    page, wire = await _wired(readers, portal.page(embed(service.url, "demo")), announcement("e", severity="emergency"))
    for number in range(5):
        wire.say("announcement", **announcement(f"i{number}", severity="info"))
        wire.say("announcement", **announcement(f"t{number}", severity="emergency", test=True))
    await expect(page.get_by_role("button", name="Xem thêm 8 thông báo")).to_be_visible()
    await expect(banners(page).first.locator("loa-title")).to_have_text("Tin e")
    await expect(banners(page).locator("loa-word")).to_have_text(["Khẩn cấp", "Thông tin", "Thông tin"])


async def test_is_updated_once_it_was_written_after_it_was_published(
    portal: Portal, service: Service, readers: Readers
) -> None:
    at = "2026-11-23T01:00:00.000Z"
    drafted = announcement("a", revision=7, published_at=at, updated_at=at)
    page, wire = await _wired(readers, portal.page(embed(service.url, "demo")), drafted)
    await expect(banners(page).locator("time")).to_have_text(re.compile(r"^[^a-z]*$"))
    wire.say("announcement", **{**drafted, "revision": 8, "updated_at": "2026-11-23T01:05:00.000Z"})
    await expect(banners(page).locator("time")).to_contain_text("cập nhật")


async def test_the_most_severe_three_stand_there_and_the_rest_on_request(
    portal: Portal, service: Service, readers: Readers
) -> None:
    page, wire = await _wired(
        readers,
        portal.page(embed(service.url, "demo")),
        announcement("i", severity="info"),
        announcement("n1", published_at="2026-11-23T01:00:00.000Z"),
        announcement("n2", published_at="2026-11-23T02:00:00.000Z"),
        announcement("e", severity="emergency"),
        announcement("unheard-of", severity="apocalypse", published_at="2026-11-23T01:00:00.000Z"),
    )
    await expect(banners(page).locator("loa-title")).to_have_text(["Tin e", "Tin n2", "Tin n1"])
    more = page.get_by_role("button", name="Xem thêm 2 thông báo")
    await more.focus()
    await page.keyboard.press("Enter")
    titles = banners(page).locator("loa-title")
    await expect(titles).to_have_text(["Tin e", "Tin n2", "Tin n1", "Tin i", "Tin unheard-of"])
    await expect(more).to_be_hidden()
    await expect(page.get_by_role("button", name="Đóng: Tin i")).to_be_focused()
    await wire.told(type="ack", id="i", revision=1, did="rendered")


async def test_everything_in_it_is_text_and_a_link_is_http_or_none(
    portal: Portal, service: Service, readers: Readers
) -> None:
    title = "<img src=x onerror=document.title='!'>"
    links = ["javascript:document.title='!'", "data:text/html,x", "//example.vn/", " https://example.vn", ""]
    bad = [announcement(str(number), title=title, url=url) for number, url in enumerate(links)]
    page, _ = await _wired(readers, portal.page(embed(service.url, "demo")), *bad)
    await expect(banners(page).first.locator("loa-title")).to_have_text(title)
    await page.get_by_role("button", name="Xem thêm").click()
    await expect(banners(page)).to_have_count(len(links))
    assert await page.locator("loa-banner img, loa-banner a[href]").count() == 0
    await expect(page.get_by_role("link")).to_have_count(0)
    assert await page.title() == "Trang thử"


async def test_tells_the_server_what_was_seen_clicked_and_dismissed(
    portal: Portal, service: Service, readers: Readers
) -> None:
    address = portal.page(embed(service.url, "demo"))
    page, wire = await _wired(readers, address, announcement("a", url=f"{address}#read"))
    await wire.told(type="ack", id="a", revision=1, did="rendered")
    await page.get_by_role("link", name="Xem chi tiết").click()
    await wire.told(type="ack", id="a", revision=1, did="clicked")
    wire.say("announcement", **announcement("a", revision=2))
    await wire.told(type="ack", id="a", revision=2, did="rendered")
    await page.get_by_role("button", name="Đóng").click()
    await wire.told(type="ack", id="a", revision=2, did="dismissed")
    assert len([each for each in wire.heard if each.get("did") == "rendered"]) == 2


@pytest.mark.parametrize(("reduced_motion", "moves"), [("reduce", False), ("no-preference", True)])
async def test_moves_only_where_motion_is_welcome(
    *,
    portal: Portal,
    service: Service,
    readers: Readers,
    reduced_motion: Literal["reduce", "no-preference"],
    moves: bool,
) -> None:
    browser = await readers.arrive(reduced_motion=reduced_motion)
    await browser.add_init_script("addEventListener('transitionrun', () => (window.moved = true))")
    wire = Wire(welcome())
    await wire.attach(browser)
    page = await _joined(readers, portal.page(embed(service.url, "demo")), browser)
    wire.say("announcement", **announcement())
    await expect(banners(page)).to_have_count(1)
    # Two frames: what moves has begun to by then.
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert bool(await page.evaluate("window.moved")) is moves


async def test_is_dressed_in_browsers_without_sheets_made_by_scripts(
    portal: Portal, service: Service, readers: Readers
) -> None:
    browser = await readers.arrive()
    await browser.add_init_script("delete CSSStyleSheet.prototype.replaceSync")
    await Wire(welcome(announcements=[announcement(severity="emergency")], online=3)).attach(browser)
    page = await _joined(readers, portal.page(embed(service.url, "demo")), browser)
    looks = await banners(page).evaluate(
        "(card) => [getComputedStyle(card.closest('loa-banner')).position, getComputedStyle(card).backgroundColor]"
    )
    assert looks == ["fixed", "rgb(155, 17, 17)"]
    await expect(counter(page)).to_have_text("3 người đang online")


async def test_comes_back_if_a_script_of_the_page_throws_it_out(
    portal: Portal, service: Service, readers: Readers
) -> None:
    page, wire = await _wired(readers, portal.page(embed(service.url, "demo")), announcement("a"))
    await page.evaluate("document.body.textContent = 'Trang mới'; document.adoptedStyleSheets = []")
    wire.say("announcement", **announcement("b"))
    await expect(banners(page)).to_have_count(2)
    assert await page.locator("loa-banner").evaluate("(host) => getComputedStyle(host).position") == "fixed"
