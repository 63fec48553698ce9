"""The block of figures: right in both languages, live, and quiet when the service is not."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.figures import Figures, stats
from tests.browser.portal import Portal
from tests.browser.readers import Readers
from tests.browser.wire import Wire, welcome
from tests.service import Service


def block(url: str, attributes: str = "") -> str:
    """What a webmaster pastes."""
    return f'<script src="{url}/widget.js" data-site="demo" async></script><loa-stats {attributes}></loa-stats>'


async def _opened(
    readers: Readers, address: str, answer: dict[str, Any] | None, **greeting: object
) -> tuple[Page, Wire, Figures]:
    """A page whose server is ours."""
    browser = await readers.arrive()
    wire, figures = Wire(welcome(**{"online": 5716, **greeting})), Figures(answer)
    await wire.attach(browser)
    await figures.attach(browser)
    return await readers.open(address, browser), wire, figures


def _terms(page: Page) -> Any:
    return page.locator("loa-stats [part=label]")


def _numbers(page: Page) -> Any:
    return page.locator("loa-stats [part=number]")


@pytest.mark.parametrize(
    ("language", "attributes", "labels", "numbers"),
    [
        (
            "vi",
            "",
            "Đang truy cập|Hôm nay|Hôm qua|Tuần này|Tháng này|Tổng lượt truy cập|Kỷ lục 20/11/2026",
            "5.716|12.345|23.456|65.432|456.789|12.345.678|9.000",
        ),
        (
            "en",
            "metric=views",
            "Online now|Today|Yesterday|This week|This month|Total page views|Record 20 Nov 2026",
            "5,716|45,678|87,654|234,567|1,456,789|45,678,901|9,000",
        ),
        (
            "fr",
            "rows='today,total' text-today='Aujourd’hui' text-total='Au total'",
            "Aujourd’hui|Au total",
            "12 345|12 345 678",
        ),
    ],
)
async def test_shows_the_figures_in_the_language_of_the_page(
    *, portal: Portal, service: Service, readers: Readers, language: str, attributes: str, labels: str, numbers: str
) -> None:
    address = portal.page(block(service.url, attributes), language=language)
    page, _, _ = await _opened(readers, address, stats())
    await expect(_numbers(page)).to_have_text(numbers.split("|"))
    await expect(_terms(page)).to_have_text(labels.split("|"))
    # Assistive technology finds a list of terms with a figure each.
    assert await page.locator("loa-stats dl > div > dt + dd").count() == len(labels.split("|"))


@pytest.mark.parametrize("width", [320, 160, 110])
async def test_it_stays_within_a_narrow_column(portal: Portal, service: Service, readers: Readers, width: int) -> None:
    column = f'<div id="column" style="width:{width}px;font-size:16px">{block(service.url)}</div>'
    page, _, _ = await _opened(readers, portal.page(column), stats())
    await expect(_numbers(page).last).to_have_text("9.000")
    edges = await page.evaluate(
        """() => {
          const right = (element) => element.getBoundingClientRect().right;
          const rows = [...document.querySelector('loa-stats').shadowRoot.querySelectorAll('dt, dd')];
          return [Math.max(...rows.map(right)), right(document.getElementById('column'))];
        }"""
    )
    assert edges[0] <= edges[1] + 0.5
    # Figures stand one below the other, at the column's end.
    ends = await _numbers(page).evaluate_all("all => all.map((one) => Math.round(one.getBoundingClientRect().right))")
    assert len(set(ends)) == 1


async def test_who_is_here_is_live_and_what_is_not_known_is_blank(
    portal: Portal, service: Service, readers: Readers
) -> None:
    known = stats(week={"visits": None, "views": 1}, record=None)
    page, wire, _ = await _opened(readers, portal.page(block(service.url)), known, small=10)
    blank = "\u00a0"
    numbers = ["5.716", "12.345", "23.456", blank, "456.789", "12.345.678", blank]
    await expect(_numbers(page)).to_have_text(numbers)
    wire.say("presence", online=7, as_of="2026-11-26T03:00:00Z", stale=True)
    await expect(_numbers(page)).to_have_text(["dưới 10", *numbers[1:]])
    await expect(page.locator("loa-stats")).to_have_attribute("stale", "")
    assert "Số liệu lúc" in str(await page.locator("loa-stats dl").get_attribute("title"))


async def test_it_asks_once_a_minute_only_while_seen_and_keeps_the_last_figures_if_there_is_no_answer(
    portal: Portal, service: Service, readers: Readers
) -> None:
    readers.forgive("503")
    browser = await readers.arrive()
    await browser.clock.install()
    wire, figures = Wire(welcome(online=5716)), Figures(stats())
    await wire.attach(browser)
    await figures.attach(browser)
    page = await readers.open(portal.page(block(service.url)), browser)
    today = _numbers(page).nth(1)
    await expect(today).to_have_text("12.345")
    await page.clock.fast_forward(30_000)
    assert figures.asked == 1
    # Past the site's midnight, say.
    figures.answer = stats(today={"visits": 1, "views": 2})
    await page.clock.fast_forward(60_000)
    await expect(today).to_have_text("1")
    asked = figures.asked
    figures.answer = None
    await page.clock.fast_forward(80_000)
    await figures.asked_for(asked + 1)
    await expect(page.locator("loa-stats")).to_have_attribute("stale", "")
    await expect(today).to_have_text("1")
    # Nobody sees it: nothing is asked, however long.
    await _hide(page, hidden=True)
    asked = figures.asked
    await page.clock.fast_forward(600_000)
    await page.clock.fast_forward(600_000)
    assert figures.asked == asked
    figures.answer = stats()
    await _hide(page, hidden=False)
    await expect(today).to_have_text("12.345")


async def test_on_a_new_site_it_asks_once_more_for_the_visit_that_is_just_being_written_down(
    portal: Portal, service: Service, readers: Readers
) -> None:
    browser = await readers.arrive()
    await browser.clock.install()
    wire, figures = Wire(welcome(online=0)), Figures(stats(today={"visits": 0, "views": 0}))
    await wire.attach(browser)
    await figures.attach(browser)
    page = await readers.open(portal.page(block(service.url)), browser)
    today = _numbers(page).nth(1)
    await expect(today).to_have_text("0")
    figures.answer = stats(today={"visits": 1, "views": 1})
    await page.clock.fast_forward(5_000)
    await expect(today).to_have_text("1")
    # Once: after midnight there are fewer visits than readers for longer than a moment.
    await page.clock.fast_forward(30_000)
    assert figures.asked == 2


async def _hide(page: Page, *, hidden: bool) -> None:
    await page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
          document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


async def test_it_is_fetched_only_by_a_page_that_has_one_and_also_when_it_comes_late(
    portal: Portal, service: Service, readers: Readers
) -> None:
    fetched: list[str] = []
    browser = await readers.arrive()
    wire, figures = Wire(welcome(online=1)), Figures(stats())
    await wire.attach(browser)
    await figures.attach(browser)
    browser.on("request", lambda request: fetched.append(request.url))
    address = portal.page(f'<script src="{service.url}/widget.js" data-site="demo" async></script><loa-counter>')
    page = await readers.open(address, browser)
    await expect(page.locator("loa-counter [part=text]")).to_have_text("1 người đang online")
    assert [url for url in fetched if url.startswith(service.url)] == [f"{service.url}/widget.js"]
    await page.evaluate("document.body.append(document.createElement('loa-stats'))")
    wire.say("tick")
    await expect(_numbers(page).first).to_have_text("1")
    await expect(_numbers(page).nth(1)).to_have_text("12.345")


async def test_a_pinned_script_brings_the_block_under_a_strict_policy(
    portal: Portal, service: Service, readers: Readers
) -> None:
    said = await service.loa("snippet", "--site", "demo", "--url", service.url, "--pinned")
    script = next(line for line in said.output.splitlines() if line.startswith("<script"))
    policy = (
        f"default-src 'none'; script-src {service.url}; connect-src {service.url} {service.url.replace('http', 'ws')}"
    )
    address = portal.page(f"{script}<loa-stats></loa-stats>", headers={"Content-Security-Policy": policy})
    page, _, _ = await _opened(readers, address, stats())
    await expect(_numbers(page).nth(5)).to_have_text("12.345.678")


async def test_a_row_or_metric_there_is_not_is_ignored_with_one_warning(
    portal: Portal, service: Service, readers: Readers
) -> None:
    elements = "rows='today,tomorrow,online' metric=clicks></loa-stats><loa-stats size=3 rows=total"
    page, _, _ = await _opened(readers, portal.page(block(service.url, elements)), stats())
    await expect(_numbers(page)).to_have_text(["12.345", "5.716", "12.345.678"])
    assert len(readers.complaints) == 1
    assert "<loa-stats>: " in readers.complaints[0]
    readers.forgive("<loa-stats>: ")


async def test_a_reader_stops_the_figures(portal: Portal, service: Service, readers: Readers) -> None:
    page, wire, _ = await _opened(readers, portal.page(block(service.url, "pausable rows=online,total")), stats())
    await expect(_numbers(page)).to_have_text(["5.716", "12.345.678"])
    await page.get_by_role("button", name="Tạm dừng").click()
    wire.say("presence", online=5717)
    await page.locator("loa-stats").evaluate("(each) => each.setAttribute('rows', 'total,online')")
    await expect(_numbers(page)).to_have_text(["12.345.678", "5.716"])
    await page.get_by_role("button", name="Tiếp tục").click()
    await expect(_numbers(page)).to_have_text(["12.345.678", "5.717"])
