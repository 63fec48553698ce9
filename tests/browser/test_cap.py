"""A warning that comes by the Common Alerting Protocol, in the banner of a real page."""

from __future__ import annotations

import aiohttp
from playwright.async_api import expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers, banners, counter, embed
from tests.notifications.cap.files import alert, cancel, info, update
from tests.service import Service


async def test_a_warning_comes_changes_and_goes(service: Service, portal: Portal, readers: Readers, site: str) -> None:
    page = await readers.open(portal.page(embed(service.url, site)))
    await expect(counter(page)).to_contain_text("online")
    headers = {**service.authorization, "Content-Type": "application/cap+xml"}
    address = f"{service.url}/api/v1/cap/{site}"
    evil = info("<instruction>&lt;img src=x onerror=alert(1)&gt;</instruction>", headline="<b>Lũ</b> & bão")
    async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as http:
        await http.post(address, data=alert(evil))
        card = banners(page)
        await expect(card.locator("loa-title")).to_have_text("<b>Lũ</b> & bão")
        assert await card.locator("loa-body").inner_text() == "<img src=x onerror=alert(1)>"
        # What is between machines is seen by nobody.
        await http.post(address, data=update(msgType="Ack"))
        await http.post(address, data=update())
        await expect(card.locator("loa-title")).to_have_text("Lũ lên nhanh")
        await http.post(address, data=cancel())
        await expect(banners(page)).to_have_count(0)
