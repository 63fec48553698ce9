"""Announcements for some pages only: each page decides for itself, also when it becomes another one."""

from __future__ import annotations

import random
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from notifications.announcement import Audience
from notifications.audience import conditions, matches
from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, counter, embed
from tests.browser.test_apart import OPENED_HIDDEN, TO_BACK, TO_FRONT
from tests.browser.wire import Wire, announcement, welcome
from tests.service import Service


def titles(page: Page) -> Any:
    """What the cards of a page say."""
    return banners(page).locator("loa-title")


async def _joined(readers: Readers, address: str, browser: BrowserContext | None = None) -> Page:
    page = await readers.open(address, browser)
    await expect(counter(page)).to_contain_text("online")
    return page


async def _wired(readers: Readers, address: str, *told: dict[str, Any], **welcomed: Any) -> tuple[Page, Wire]:
    browser = await readers.arrive()
    wire = Wire(welcome(announcements=list(told), **welcomed))
    await wire.attach(browser)
    return await _joined(readers, address, browser), wire


async def test_who_comes_to_a_page_that_is_meant_is_shown_what_is_active_there(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    page = await _joined(readers, portal.page(embed(service.url, site)))
    await service.publish(site, "breaking", "Trong mục", audience={"sections": ["thoi-su"]})
    await service.publish(site, "breaking", "Trong bài", audience={"paths": ["/tin/lũ-*"]})
    await service.publish(site, "notice", "Cho tất cả")
    await expect(titles(page)).to_have_text(["Cho tất cả"])
    await page.evaluate("history.pushState(null, '', '/tin/lũ-lên?x=1#y')")
    await expect(titles(page)).to_have_text(["Trong bài", "Cho tất cả"])
    # It has not just happened.
    await expect(page.get_by_role("alert")).to_be_empty()
    await page.evaluate("document.querySelector('script[data-site]').dataset.section = 'thoi-su'")
    await expect(titles(page)).to_have_text(["Trong bài", "Trong mục", "Cho tất cả"])
    await page.evaluate("history.back()")
    await expect(titles(page)).to_have_text(["Trong mục", "Cho tất cả"])
    await page.evaluate("delete document.querySelector('script[data-site]').dataset.section")
    await expect(titles(page)).to_have_text(["Cho tất cả"])


async def test_each_tab_of_a_connection_decides_for_itself(
    service: Service, portal: Portal, readers: Readers, site: str
) -> None:
    browser = await readers.arrive()
    script = embed(service.url, site, attributes='data-section="the-thao"')
    meant = await _joined(readers, portal.page(script), browser)
    other = await _joined(readers, portal.page(embed(service.url, site)), browser)
    for id in ("the-thao", "thoi-su"):
        await service.publish(site, "breaking", id, audience={"sections": [id]})
    await service.publish(site, "info", "Sau cùng")
    await expect(titles(meant)).to_have_text(["the-thao", "Sau cùng"])
    await expect(titles(other)).to_have_text(["Sau cùng"])


async def test_all_conditions_must_be_met_and_an_unknown_one_is_not(
    service: Service, portal: Portal, readers: Readers
) -> None:
    page, _ = await _wired(
        readers,
        portal.page(embed(service.url, "demo", attributes='data-section="a" data-path="/x"'), language="vi-VN"),
        announcement("both", audience={"section": "^a$", "language": "^(?:vi|en)$"}),
        announcement("one", audience={"section": "^a$", "path": "^/y$"}),
        announcement("future", audience={"section": "^a$", "weather": "^rain$"}),
        announcement("other", audience={"language": "^v$"}),
    )
    await expect(titles(page)).to_have_text(["Tin both"])


async def test_what_is_for_visible_pages_waits_until_the_page_is_seen_and_stays(
    service: Service, portal: Portal, readers: Readers
) -> None:
    browser = await readers.arrive()
    await browser.add_init_script(OPENED_HIDDEN)
    wire = Wire(welcome(announcements=[announcement("seen", audience={"visible": True}), announcement("all")]))
    await wire.attach(browser)
    page = await _joined(readers, portal.page(embed(service.url, "demo")), browser)
    await expect(titles(page)).to_have_text(["Tin all"])
    await page.evaluate(TO_FRONT)
    await expect(titles(page)).to_have_count(2)
    await page.evaluate(TO_BACK)
    wire.say("announcement", **announcement("later", severity="emergency"))
    await expect(titles(page)).to_have_count(3)


TEXTS = {"en": {"title": "Flood", "body": "Stay away."}, "zh": {"title": "洪水", "url": "https://example.vn/zh"}}


@pytest.mark.parametrize(
    ("page_language", "title", "language", "body", "link"),
    [
        ("vi", "Lũ", "vi", "Tránh xa.", "https://example.vn/vi"),
        ("en-GB", "Flood", "en", "Stay away.", "https://example.vn/vi"),
        ("ZH_hant", "洪水", "zh", "", "https://example.vn/zh"),
        ("fr", "Lũ", "vi", "Tránh xa.", "https://example.vn/vi"),
    ],
)
async def test_the_pages_language_chooses_the_text_and_the_card_says_which_it_is(
    *,
    service: Service,
    portal: Portal,
    readers: Readers,
    page_language: str,
    title: str,
    language: str,
    body: str,
    link: str,
) -> None:
    told = announcement(title="Lũ", body="Tránh xa.", url="https://example.vn/vi", language="vi", texts=TEXTS)
    page, _ = await _wired(readers, portal.page(embed(service.url, "demo"), language=page_language), told)
    card = banners(page)
    await expect(titles(page)).to_have_text(title)
    await expect(card).to_have_attribute("lang", language)
    assert await card.locator("loa-body").text_content() == body
    await expect(card.get_by_role("link")).to_have_attribute("href", link)
    # The words around it are in the page's language, where we have it.
    ours = "vi" if page_language == "vi" else "en"
    for part in ("loa-head", "a", "button"):
        await expect(card.locator(part)).to_have_attribute("lang", ours)
    await expect(card.locator("loa-word")).to_have_text("Thông báo" if ours == "vi" else "Notice")


async def test_a_text_that_names_no_language_is_in_the_sites(
    service: Service, portal: Portal, readers: Readers
) -> None:
    address = portal.page(embed(service.url, "demo"), language="en")
    page, wire = await _wired(readers, address, announcement(title="Lũ"), language="vi")
    await expect(banners(page)).to_have_attribute("lang", "vi")
    wire.say("announcement", **announcement(title="Lũ", revision=2, texts={"en": {"title": "Flood"}}))
    await expect(titles(page)).to_have_text("Flood")
    await expect(banners(page)).to_have_attribute("lang", "en")
    # A page that is translated in place.
    await page.evaluate("document.documentElement.lang = 'vi'; history.pushState(null, '', '/vi')")
    await expect(titles(page)).to_have_text("Lũ")
    await expect(banners(page).locator("loa-word")).to_have_text("Thông báo")


async def test_links_of_every_language_are_checked(service: Service, portal: Portal, readers: Readers) -> None:
    told = announcement(texts={"vi": {"title": "Lũ", "url": "javascript:document.title='!'"}})
    page, _ = await _wired(readers, portal.page(embed(service.url, "demo")), told)
    await expect(titles(page)).to_have_text("Lũ")
    assert await page.locator("loa-banner a[href]").count() == 0


async def test_a_browser_reads_the_same_from_the_patterns(readers: Readers, portal: Portal) -> None:
    chance = random.Random(4)
    cases = []
    for _ in range(3_000):
        globs = tuple(
            "".join(chance.choices("ab/*****", k=chance.randrange(1, 14))) for _ in range(chance.randrange(1, 4))
        )
        path = "".join(chance.choices("ab/", k=chance.randrange(10)))
        audience = Audience(paths=globs)
        cases.append((conditions(audience)["path"], path, matches(audience, "", path, "")))
    assert {expected for *_, expected in cases} == {True, False}
    page = await readers.open(portal.page(""), await readers.arrive())
    assert await page.evaluate("(cases) => cases.filter(([p, path, is]) => RegExp(p).test(path) !== is)", cases) == []
