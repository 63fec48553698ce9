"""Stands in for the server at the other end of the WebSocket, to say what a real one says seldom or never."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import BrowserContext, WebSocketRoute

from tests.patience import PATIENCE_SECONDS

# Only a failure takes so long.


def instant(seconds_from_now: float = 0) -> str:
    """A time as the protocol writes it."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds_from_now)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def welcome(**members: object) -> dict[str, Any]:
    """A welcome, `members` changed."""
    return {
        "type": "welcome",
        "site": "demo",
        "reconnect": {"base_ms": 50, "cap_ms": 400},
        "visitor": "v1.visitor",
        "online": 1,
        "as_of": instant(),
        "stale": False,
        "announcements": [],
        "full": True,
        "cursor": "00000000.1",
        **members,
    }


def announcement(id: str = "a", **members: object) -> dict[str, Any]:
    """An announcement as it stands in a welcome, `members` changed."""
    return {
        "id": id,
        "revision": 1,
        "status": "live",
        "severity": "notice",
        "title": f"Tin {id}",
        "body": "",
        "url": "",
        "published_at": instant(),
        "updated_at": instant(),
        "expires_at": instant(3600),
        "again": 1,
        **members,
    }


class Wire:
    """Answers every connection of a browser with `greeting`, if there is one, and notes what is said.

    Attributes:
        greeting: The welcome; None: silence.
        connections: All there were, the newest last.
        heard: Every message from the browser.
    """

    def __init__(self, greeting: dict[str, object] | None) -> None:
        self.greeting = greeting
        self.connections: list[WebSocketRoute] = []
        self.heard: list[dict[str, Any]] = []
        self._changed = asyncio.Condition()

    async def attach(self, context: BrowserContext) -> None:
        """Takes the server's place for all pages of `context` to come."""
        await context.route_web_socket("**/ws?*", self._connected)

    def query(self) -> dict[str, str]:
        """What the newest connection was opened with; members without a value left out."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.connections[-1].url).query).items()}

    def say(self, type: str, **members: object) -> None:
        """Sends a message over the newest connection."""
        self.connections[-1].send(json.dumps({"type": type, **members}))

    async def connected(self, times: int = 1) -> None:
        """Waits until there have been so many connections."""
        await self.until(lambda: len(self.connections) >= times)

    async def told(self, **members: object) -> None:
        """Waits until the browser has said a message that has these members."""
        await self.until(lambda: any(members.items() <= message.items() for message in self.heard))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until something holds of what has come and been said."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(condition)

    async def _connected(self, socket: WebSocketRoute) -> None:
        socket.on_message(self._hear)
        self.connections.append(socket)
        if self.greeting is not None:
            # The time of now, as a server's welcome has: pages may take long to come.
            socket.send(json.dumps({**self.greeting, "now": instant()}))
        async with self._changed:
            self._changed.notify_all()

    async def _hear(self, message: str | bytes) -> None:
        self.heard.append(json.loads(message))
        async with self._changed:
            self._changed.notify_all()
