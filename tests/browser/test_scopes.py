"""Whose number a counter shows, in whose words, and how a reader stops it."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, counter
from tests.browser.wire import Wire, welcome
from tests.service import Service


def counters(url: str, *attributes: str, site: str = "demo", script: str = "") -> str:
    """A counter with each of `attributes`."""
    elements = "".join(f"<p><loa-counter {each}></loa-counter></p>" for each in attributes)
    return f'<script src="{url}/widget.js" data-site="{site}" {script} async></script>{elements}'


async def _told(readers: Readers, address: str, **greeting: object) -> tuple[Page, Wire]:
    browser = await readers.arrive()
    wire = Wire(welcome(**greeting))
    await wire.attach(browser)
    return await readers.open(address, browser), wire


async def _asked(wire: Wire, show: str) -> None:
    """Waits until the page has asked for these numbers: when it connected, or since."""
    await wire.connected()
    await wire.until(lambda: show in [wire.query().get("show"), *(each.get("show") for each in wire.heard)])


async def test_readers_of_the_site_the_section_and_the_page_are_told_apart(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    elements = ("", "scope=section", "scope=page", "scope=reading")
    body = counters(service.url, *elements, site=site, script="data-section=thoi-su")
    addresses = [portal.page(body), portal.page(body)]
    pages = [await readers.open(addresses[0]), await readers.open(addresses[0]), await readers.open(addresses[1])]
    for page, on_this_page in zip(pages, (2, 2, 1), strict=True):
        await expect(counter(page)).to_have_text(
            [
                "3 người đang online",
                "3 người đang đọc chuyên mục này",
                f"{on_this_page} người đang đọc bài này",
                "3 người đang đọc",
            ]
        )


async def test_only_what_is_about_this_place_is_shown(portal: Portal, service: Service, readers: Readers) -> None:
    scopes = ("page", "section", "idle", "background", "site")
    body = counters(service.url, *(f"scope={each}" for each in scopes), script="data-path=/tin data-section=thoi-su")
    page, wire = await _told(readers, portal.page(body, language="en"), online=40)
    await _asked(wire, "page,section,states")
    wire.say("presence", scope="page", path="/tin", online=1)
    blank = "\u00a0"
    await expect(counter(page)).to_have_text(["1 reader on this page", blank, blank, blank, "40 readers online"])
    wire.say("presence", scope="section", section="kinh-te", online=5)
    wire.say("presence", scope="section", section="thoi-su", online=12)
    wire.say("presence", scope="states", reading=30, idle=4, background=6)
    wire.say("presence", scope="page", path="/khac", online=8)
    wire.say("presence", scope="galaxy", online=7)
    wire.say("presence", online=41)
    await expect(counter(page)).to_have_text(
        ["1 reader on this page", "12 readers in this section", "4 idle", "6 in the background", "41 readers online"]
    )
    # It moves without being loaded anew: what was true of the page before is not of this one.
    await page.evaluate("document.querySelector('script[data-path]').dataset.path = '/khac'")
    await expect(counter(page).first).to_have_text(blank)
    wire.say("presence", scope="page", path="/khac", online=2)
    await expect(counter(page).first).to_have_text("2 readers on this page")
    await expect(counter(page).nth(1)).to_have_text("12 readers in this section")


async def test_an_element_that_comes_or_changes_later_asks_for_its_number(
    portal: Portal, service: Service, readers: Readers
) -> None:
    page, wire = await _told(readers, portal.page(counters(service.url, "")), online=40)
    await expect(counter(page)).to_have_text("40 người đang online")
    await page.locator("loa-counter").evaluate("(each) => each.setAttribute('scope', 'page')")
    # Found at the latest with the next sign of life.
    wire.say("tick")
    await _asked(wire, "page")
    await expect(counter(page)).to_have_text("\u00a0")


@pytest.mark.parametrize(
    ("language", "attributes", "online", "text"),
    [
        ("fr", "text='# lecteurs en ligne' text-one='# lecteur en ligne'", 5716, "5 716 lecteurs en ligne"),
        ("fr", "text='# lecteurs en ligne' text-one='# lecteur en ligne'", 1, "1 lecteur en ligne"),
        ("pl", "text='# czytelnika' text-few='# czytelników online'", 3, "3 czytelników online"),
        ("ar-EG", "text='# قارئ'", 5716, "٥٬٧١٦ قارئ"),
        ("không phải ngôn ngữ", "text='Đang xem: #'", 5716, "Đang xem: 5,716"),
        ("vi", "text='Chào bạn đọc'", 5716, "Chào bạn đọc5.716"),
    ],
)
async def test_a_page_may_bring_words_of_its_own(
    *, portal: Portal, service: Service, readers: Readers, language: str, attributes: str, online: int, text: str
) -> None:
    address = portal.page(counters(service.url, attributes), language=language)
    page, _ = await _told(readers, address, online=online)
    await expect(counter(page)).to_have_text(text)


@pytest.mark.parametrize(
    ("language", "online", "text"),
    [
        ("vi", 3, "dưới 10 người đang online"),
        ("vi", 10, "10 người đang online"),
        ("en", 1, "fewer than 10 readers online"),
    ],
)
async def test_small_numbers_are_not_said_exactly_where_a_site_wants_it(
    *, portal: Portal, service: Service, readers: Readers, language: str, online: int, text: str
) -> None:
    address = portal.page(counters(service.url, ""), language=language)
    page, _ = await _told(readers, address, online=online, small=10)
    await expect(counter(page)).to_have_text(text)


async def test_a_reader_stops_the_number_with_the_keyboard_and_lets_it_go_on(
    portal: Portal, service: Service, readers: Readers
) -> None:
    page, wire = await _told(readers, portal.page(counters(service.url, "pausable", "")), online=40)
    both = counter(page)
    await expect(both).to_have_text(["40 người đang online"] * 2)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Tiếp tục")).to_be_focused()
    wire.say("presence", online=41)
    await expect(both).to_have_text(["40 người đang online", "41 người đang online"])
    assert "Số liệu lúc" in str(await both.first.get_attribute("title"))
    await page.keyboard.press("Space")
    await expect(page.get_by_role("button", name="Tạm dừng")).to_be_focused()
    await expect(both).to_have_text(["41 người đang online"] * 2)


async def test_an_unknown_attribute_is_ignored_with_one_warning(
    portal: Portal, service: Service, readers: Readers
) -> None:
    usual = (
        "class=a id=b style='color:red' lang=vi dir=ltr hidden=until-found title=x role=presentation tabindex=0 "
        "aria-hidden=false data-x=1 onclick='' slot=a part=c translate=no inert _ngcontent-a :x=1 @click=1 scope=site"
    )
    page, _ = await _told(
        readers, portal.page(counters(service.url, usual, "colour=red", "scope=galaxy", "colour=blue")), online=40
    )
    await expect(counter(page)).to_have_text(["40 người đang online"] * 4)
    assert readers.complaints == ["<loa-counter>: colour is not known, and ignored"]
    readers.forgive("<loa-counter>: colour")


async def test_it_stands_rightly_where_words_run_from_right_to_left(
    portal: Portal, service: Service, readers: Readers
) -> None:
    elements = counters(service.url, "text='# קוראים'")
    body = f"<div dir=rtl>{elements}</div>"
    page, _ = await _told(readers, portal.page(body, language="he"), online=5716)
    await expect(counter(page)).to_have_text("5,716 קוראים")
    before = await page.locator("loa-counter [part=number]").bounding_box()
    whole = await counter(page).bounding_box()
    assert before and whole
    # The number is first, so at the right; and ends where the text begins.
    assert before["x"] + before["width"] == pytest.approx(whole["x"] + whole["width"], abs=1)
    assert whole["x"] + whole["width"] == pytest.approx(1280 - 8, abs=1)


async def test_a_page_restyles_it_by_variables_and_parts(portal: Portal, service: Service, readers: Readers) -> None:
    head = """<style>loa-counter { --loa-number-color: rgb(1, 2, 3); --loa-number-weight: 700 }
      loa-counter::part(text) { letter-spacing: 2px } loa-counter::part(pause) { color: rgb(4, 5, 6) }</style>"""
    page, _ = await _told(readers, portal.page(counters(service.url, "pausable"), head=head), online=40)
    await expect(counter(page)).to_have_text("40 người đang online")
    looks = await page.locator("loa-counter").evaluate("""({ shadowRoot }) => {
      const of = (part) => getComputedStyle(shadowRoot.querySelector(`[part=${part}]`));
      return [of('number').color, of('number').fontWeight, of('text').letterSpacing, of('pause').color];
    }""")
    assert looks == ["rgb(1, 2, 3)", "700", "2px", "rgb(4, 5, 6)"]
