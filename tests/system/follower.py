"""A browser's half of the protocol, written from `docs/protocol.md` alone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Any
from urllib.parse import quote

import websockets

from tests.patience import PATIENCE_SECONDS
from tests.system.merged import Merged

_PAUSE_SECONDS = 0.05


class Follower:
    """Connects, merges, remembers, and comes back after every loss of the service. An async context.

    Args:
        url: Where the service is.
        site: Which site it reads.
        visitor: Who it says it is; empty: a newcomer.
        tls: Whom it trusts, where the service speaks TLS.
        tests: It asks for tests, too.

    Attributes:
        shown: Each (id, revision) that came into view, in order; one that came twice was shown twice.
        online: The last number told.
        merged: What is in view, and what was.
        frames: All there were.
        greetings: Every `welcome` of them.
        closes: Close codes and reasons, one for each lost connection.
    """

    def __init__(
        self, url: str, site: str, visitor: str = "", tls: ssl.SSLContext | None = None, *, tests: bool = False
    ) -> None:
        self._tls = tls
        self._tests = tests
        self._url = url.replace("http", "ws", 1)
        self._site = site
        self.merged = Merged()
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self.visitor = visitor
        self.shown = self.merged.shown
        self.online: int | None = None
        self.stale = False
        self.frames: list[dict[str, Any]] = []
        self.greetings: list[dict[str, Any]] = []
        self.closes: list[tuple[int, str]] = []

    @property
    def view(self) -> dict[str, dict[str, Any]]:
        """What is in view, by id."""
        return self.merged.view

    async def __aenter__(self) -> Follower:
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def until(self, condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Waits until `condition` holds; it is looked at after each frame."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            raise AssertionError(
                f"not within {seconds} s: online {self.online}, view {sorted(self.view)}, closes {self.closes}"
            ) from None

    async def _follow(self) -> None:
        while True:
            query = f"site={self._site}&path=/&visitor={quote(self.visitor)}&since={quote(self.merged.cursor)}"
            query += "&tests=1" if self._tests else ""
            try:
                async with websockets.connect(
                    f"{self._url}/ws?{query}", compression=None, max_size=None, open_timeout=30, ssl=self._tls
                ) as connection:
                    async for frame in connection:
                        await self._hear(json.loads(frame))
            except websockets.ConnectionClosed as lost:
                if lost.rcvd is not None:
                    self.closes.append((lost.rcvd.code, lost.rcvd.reason))
            except (OSError, websockets.InvalidHandshake, TimeoutError):
                pass
            # A client's pause between attempts, not a wait for something.
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _hear(self, said: dict[str, Any]) -> None:
        self.frames.append(said)
        if said["type"] == "welcome":
            self.greetings.append(said)
            self.visitor = said["visitor"]
        self.merged.hear(said)
        if said["type"] in {"welcome", "presence"}:
            self.online, self.stale = said["online"], said["stale"]
        async with self._changed:
            self._changed.notify_all()
