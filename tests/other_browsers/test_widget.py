"""The widget in Firefox and WebKit: counted once, live, told within the page, and nothing complained of."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.browser.portal import Portal
from tests.browser.readers import embed
from tests.other_browsers.conftest import Arrive
from tests.other_browsers.driven import PERSON, Driven
from tests.patience import until
from tests.service import Service

COUNTER = "const counter = document.querySelector('loa-counter').shadowRoot.querySelector('[part=text]');"
CARDS = "const cards = [...document.querySelectorAll('loa-card')];"
COUNTED = """<script>
window.sockets = 0;
window.WebSocket = class extends WebSocket { constructor(...how) { super(...how); sockets++; } };
</script>"""
# What the docs ask for; the page's own script is allowed by its nonce, and Firefox asks for the page's icon by itself.
STRICT = (
    "default-src 'none'; img-src 'self'; script-src 'nonce-n' {loa}; connect-src {loa} {socket}; style-src 'nonce-n'"
)


async def shows(browser: Driven, tab: str, number: str) -> None:
    """Waits for what the counter says."""
    await until(lambda: equal(browser, tab, f"{COUNTER} return counter.textContent", f"{number} người đang online"))


async def told(browser: Driven, tab: str, *titles: str) -> None:
    """Waits until these announcements stand there, in this order."""
    script = f"{CARDS} return cards.map((card) => card.querySelector('loa-title').textContent)"
    await until(lambda: equal(browser, tab, script, [*titles]))


async def equal(browser: Driven, tab: str, script: str, wanted: Any) -> bool:
    """Whether a script returns what is wanted; one that fails is tried again, as while a page loads."""
    return bool(await browser.run(tab, f"try {{ {script} }} catch (error) {{ return String(error) }}") == wanted)


async def complaints(browser: Driven, tab: str) -> Any:
    """What the page complained of."""
    return await browser.run(tab, "return complaints")


async def test_two_readers_see_each_other_come_and_leave(
    service: Service, portal: Portal, site: str, arrive: Arrive
) -> None:
    address = portal.page(embed(service.url, site), head=PERSON)
    first, second = await arrive(), await arrive()
    tab = await first.open(address)
    await shows(first, tab, "1")
    other = await second.open(address)
    await shows(first, tab, "2")
    await shows(second, other, "2")
    await second.visit(other, "about:blank")
    await shows(first, tab, "1")
    assert await complaints(first, tab) == []


async def test_an_announcement_comes_is_corrected_put_away_and_recalled(
    service: Service, portal: Portal, site: str, arrive: Arrive
) -> None:
    address = portal.page(embed(service.url, site), head=PERSON)
    browser = await arrive()
    tab = await browser.open(address)
    await shows(browser, tab, "1")
    flood = await service.publish(site, "emergency", "Lũ về", body="Lên chỗ cao", url="https://example.vn/lu")
    road = await service.publish(site, "notice", "Cấm đường")
    await told(browser, tab, "Lũ về", "Cấm đường")
    assert await browser.run(tab, f"{CARDS} return cards[0].querySelector('a').href") == "https://example.vn/lu"
    # It stands on the page, in whole, over everything else.
    hit = "const box = cards[0].getBoundingClientRect();const middle = [box.x + box.width / 2, box.y + 5];"
    on_top = f"{CARDS} {hit} return cards[0].contains(document.elementFromPoint(...middle)) && box.right <= innerWidth"
    assert await browser.run(tab, on_top)
    await service.update(flood, title="Lũ đang về")
    await told(browser, tab, "Lũ đang về", "Cấm đường")
    await browser.run(tab, f"{CARDS} cards[1].querySelector('button').click()")
    await told(browser, tab, "Lũ đang về")
    await browser.visit(tab, address)
    await told(browser, tab, "Lũ đang về")
    await service.recall(flood)
    await told(browser, tab)
    await until(lambda: dismissed(service, road))
    assert await complaints(browser, tab) == []


async def dismissed(service: Service, id: str) -> bool:
    """Whether it is known that one reader put it away."""
    said = await service.loa("reach", id, "--json")
    assert said.code == 0, said.errors
    return bool(json.loads(said.output)["dismissed"] == 1)


async def test_tabs_share_one_connection_and_the_next_takes_over(
    service: Service, portal: Portal, site: str, arrive: Arrive
) -> None:
    address = portal.page(embed(service.url, site), head=PERSON + COUNTED)
    browser = await arrive()
    tabs = [await browser.open(address) for _ in range(3)]
    for tab in tabs:
        await shows(browser, tab, "1")
    assert [await browser.run(tab, "return sockets") for tab in tabs] == [1, 0, 0]
    await service.publish(site, "notice", "Cho mọi thẻ")
    for tab in tabs:
        await told(browser, tab, "Cho mọi thẻ")
    await browser.close(tabs[0])
    await service.publish(site, "breaking", "Sau đó")
    for tab in tabs[1:]:
        await told(browser, tab, "Sau đó", "Cho mọi thẻ")
        await shows(browser, tab, "1")
    assert sorted([await browser.run(tab, "return sockets") for tab in tabs[1:]]) == [0, 1]


@pytest.mark.parametrize(
    "missing", ["delete window.WebSocket", "delete window.WebSocket; delete window.EventSource"], ids=["events", "poll"]
)
async def test_the_next_best_way_is_taken(
    service: Service, portal: Portal, site: str, arrive: Arrive, missing: str
) -> None:
    head = f"{PERSON}<script>{missing}</script>"
    browser = await arrive()
    tab = await browser.open(portal.page(embed(service.url, site), head=head))
    await shows(browser, tab, "1")
    id = await service.publish(site, "notice", "Cũng đến")
    await told(browser, tab, "Cũng đến")
    await service.recall(id)
    await told(browser, tab)


async def test_a_single_page_navigation_moves_the_reader(
    service: Service, portal: Portal, site: str, arrive: Arrive
) -> None:
    browser = await arrive()
    body = embed(service.url, site).replace("<loa-counter>", '<loa-counter scope="page">')
    tab = await browser.open(portal.page(body, head=PERSON))
    reading = f"{COUNTER} return counter.textContent"
    await until(lambda: equal(browser, tab, reading, "1 người đang đọc bài này"))
    await service.publish(site, "notice", "Ở đó", audience={"paths": ["/tin/*"]})
    await told(browser, tab)
    await browser.run(tab, "history.pushState({}, '', '/tin/lu-len')")
    await told(browser, tab, "Ở đó")
    await until(lambda: equal(browser, tab, reading, "1 người đang đọc bài này"))


async def test_a_strict_policy_is_kept(service: Service, portal: Portal, site: str, arrive: Arrive) -> None:
    policy = STRICT.format(loa=service.url, socket=service.url.replace("http", "ws"))
    head = PERSON.replace("<script>", '<script nonce="n">')
    body = embed(service.url, site) + "<loa-stats></loa-stats>"
    browser = await arrive()
    tab = await browser.open(portal.page(body, head=head, headers={"Content-Security-Policy": policy}))
    await shows(browser, tab, "1")
    await service.publish(site, "emergency", "Dưới luật chặt")
    await told(browser, tab, "Dưới luật chặt")
    looks = f"{CARDS} return getComputedStyle(cards[0]).backgroundColor"
    # Of the style sheet, which no policy of the page may keep out.
    await until(lambda: different(browser, tab, looks, "rgba(0, 0, 0, 0)"))
    rows = "return document.querySelector('loa-stats').shadowRoot.querySelectorAll('dt').length"
    await until(lambda: equal(browser, tab, rows, 7))
    assert await complaints(browser, tab) == []


async def different(browser: Driven, tab: str, script: str, unwanted: Any) -> bool:
    """Whether a script returns something else."""
    return not await equal(browser, tab, script, unwanted)


async def test_comes_back_when_the_service_does_and_shows_nothing_twice(
    mortal_service: Service, portal: Portal, arrive: Arrive
) -> None:
    service, site = mortal_service, mortal_service.sites[0]
    browser = await arrive()
    tab = await browser.open(portal.page(embed(service.url, site), head=PERSON))
    await shows(browser, tab, "1")
    await service.publish(site, "breaking", "Vẫn còn đây")
    await told(browser, tab, "Vẫn còn đây")
    service.kill()
    stale = "return document.querySelector('loa-counter').hasAttribute('stale')"
    await until(lambda: equal(browser, tab, stale, True))
    await asyncio.to_thread(service.start)
    await until(lambda: equal(browser, tab, stale, False))
    await told(browser, tab, "Vẫn còn đây")
    await shows(browser, tab, "1")


async def test_the_page_for_frames_shows_the_number(
    service: Service, portal: Portal, site: str, arrive: Arrive
) -> None:
    browser = await arrive()
    reader = await browser.open(portal.page(embed(service.url, site), head=PERSON))
    await shows(browser, reader, "1")
    # It is driven, says so, and is no reader.
    frame = await browser.open(f"{service.url}/embed/{site}")
    await shows(browser, frame, "1")
