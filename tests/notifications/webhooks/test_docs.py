"""What docs/webhooks.md gives people to copy does what it says."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from notifications.webhooks.event import Happening, body
from notifications.webhooks.sender import Sender
from notifications.webhooks.webhook import EVENTS, Secret
from tests.notifications.making import announcement
from tests.notifications.webhooks.test_board import webhook
from tests.patience import PATIENCE_SECONDS

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text("utf-8")
SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "B" * 32)


class Chat:
    """A chat room's incoming webhook."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.status = 200
        self.url = ""

    async def take(self, request: web.BaseRequest) -> web.StreamResponse:
        document: dict[str, Any] = await request.json()
        self.said.append(document["text"])
        return web.Response(status=self.status)


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    chat = Chat()
    runner = web.ServerRunner(web.Server(chat.take), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    chat.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield chat
    await runner.cleanup()


@pytest.fixture
async def bridge(chat: Chat, tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[str]:
    """The bridge of the page, running; its address."""
    found = re.search(r"```python\n(# bridge\.py\n.*?)```", PAGE, re.DOTALL)
    assert found is not None
    (tmp_path / "bridge.py").write_text(found[1])
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(tmp_path / "bridge.py"),
        env={"WEBHOOK_SECRET": " ".join(SECRETS), "CHAT_URL": chat.url, "PORT": str(port)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                break
    yield f"http://127.0.0.1:{port}/"
    process.kill()
    await process.wait()


@pytest.mark.slow
async def test_the_bridge_says_in_the_chat_room_what_is_signed(bridge: str, chat: Chat) -> None:
    live = announcement(title="Lũ lên nhanh", url="https://portal.example.vn/lu")
    recalled = announcement(title="Lũ lên nhanh", status="recalled")

    async def send(secret: str, happening: Happening) -> str:
        known = webhook(url=bridge, secrets=(Secret(text=secret),))
        sent = await sender.send(known, happening.message_id, body(happening))
        return f"{sent.outcome} {sent.status}"

    async with Sender(PATIENCE_SECONDS, private=True) as sender:
        first = Happening("1-0", 1, "announcement.live", live)
        assert [await send(secret, first) for secret in SECRETS] == ["delivered 204"] * 2
        assert await send(SECRETS[0], Happening("2-0", 1, "announcement.recalled", recalled)) == "delivered 204"
        assert await send("whsec_" + "C" * 32, first) == "failed 401"
        said = "[notice] Lũ lên nhanh https://portal.example.vn/lu"
        assert chat.said == [said, said, "RECALLED: [notice] Lũ lên nhanh "]
        chat.status = 500
        assert (await send(SECRETS[0], first)).startswith("failed")


def test_the_page_names_every_event() -> None:
    assert set(re.findall(r"^\| `(announcement\.\w+)` \|", PAGE, re.MULTILINE)) == set(EVENTS)
