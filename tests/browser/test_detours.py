"""The ways around a barred WebSocket, against the service itself."""

from __future__ import annotations

import pytest
from playwright.async_api import WebSocketRoute, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, counter, embed
from tests.service import Service


@pytest.mark.parametrize("way", ["events", "poll"])
async def test_a_reader_behind_a_wall_is_counted_and_told_like_any_other(
    service: Service, portal: Portal, readers: Readers, site: str, way: str
) -> None:
    readers.forgive_failed_connections()
    browser = await readers.arrive()

    async def bar(socket: WebSocketRoute) -> None:
        await socket.close(code=1011)

    await browser.route_web_socket("**/ws?*", bar)
    if way == "poll":
        await browser.route("**/events?*", lambda route: route.abort())
    page = await readers.open(portal.page(embed(service.url, site)), browser)
    await expect(counter(page)).to_have_text("1 người đang online")
    other = await readers.open(portal.page(embed(service.url, site)))
    await expect(counter(other)).to_have_text("2 người đang online")
    await expect(counter(page)).to_have_text("2 người đang online")
    await service.publish(site, "breaking", "Tin")
    await expect(banners(page)).to_have_count(1)
    await page.evaluate("history.pushState({}, '', '/khac')")
    await service.shows(site, "path=/khac", lambda answer: answer["page"]["online"] == 1)
    # A second tab of this browser shares it, whichever way it is.
    tab = await readers.open(portal.page(embed(service.url, site)), browser)
    await expect(counter(tab)).to_have_text("2 người đang online")
    await browser.close()
    await expect(counter(other)).to_have_text("1 người đang online")
