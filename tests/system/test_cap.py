"""A warning of a weather service, from its file to an open page and to an alert hub, through a whole service."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import aiohttp
import msgspec

from notifications.cap import message
from tests.notifications.cap.files import alert, cancel, info, update
from tests.service import Service
from tests.system.follower import Follower


async def send(service: Service, data: bytes) -> tuple[int, Any]:
    """Sends a message as a weather service does; the answer."""
    headers = {**service.authorization, "Content-Type": "application/cap+xml"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(f"{service.url}/api/v1/cap/demo", data=data) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


async def fetch(url: str) -> bytes:
    """A document."""
    async with aiohttp.ClientSession(raise_for_status=True) as http, http.get(url) as answer:
        return await answer.read()


async def test_alert_update_and_cancel_reach_an_open_page_and_a_hub(service: Service) -> None:
    async with Follower(service.url, "demo") as page:
        await page.until(lambda: page.online is not None)
        grave = alert(info("<web>https://kttv.example.vn/lu</web>", urgency="Expected"))
        status, answer = await send(service, grave)
        assert (status, answer["outcome"], answer["sessions"]) == (201, "created", 1)
        id = answer["id"]
        await page.until(lambda: id in page.view)
        assert (page.view[id]["title"], page.view[id]["severity"]) == ("Lũ lên nhanh", "breaking")
        assert page.view[id]["url"] == "https://kttv.example.vn/lu"

        status, answer = await send(service, update())
        assert (status, answer["outcome"], answer["id"]) == (200, "updated", id)
        await page.until(lambda: page.view[id]["severity"] == "emergency")
        assert page.view[id]["again"] == page.view[id]["revision"] == 2
        assert (await send(service, update()))[1]["replayed"]

        # What is wrong, and what refers to nothing, changes nothing.
        assert (await send(service, alert(sender=None)))[0] == 400
        assert (await send(service, cancel("a@b,1,2026-11-23T04:25:16-00:00")))[0] == 400
        assert (await send(service, cancel(status="Test", identifier="VN-10")))[0] == 400

        feed = ElementTree.fromstring(await fetch(f"{service.url}/feeds/demo.cap"))
        (link,) = feed.iterfind(".//{*}entry/{*}link")
        # Whichever worker answers: it may not have heard of the update yet.
        passed_on = message.read(await fetch(str(link.get("href"))))
        assert passed_on.kind in ("Alert", "Update")

        status, answer = await send(service, cancel())
        assert (status, answer["outcome"]) == (200, "recalled")
        await page.until(lambda: id not in page.view)
        assert page.shown == [(id, 1), (id, 2)]


async def test_the_command_line_checks_and_sends_a_file(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "lu.cap"
    file.write_bytes(alert(identifier="VN-20"))
    said = await service.loa("cap", "check", str(file))
    assert (said.code, said.output.splitlines()[1]) == (0, "would become emergency, at once")
    sent = await service.loa("cap", "send", str(file), "--site", "demo", "--json")
    assert sent.code == 0, sent.errors
    assert msgspec.json.decode(sent.output)["outcome"] == "created"
