"""A browser's half of `/events` and `/poll`, written from `docs/protocol.md` alone.

Each request has a connection of its own, so that the kernel gives it to whichever worker it likes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Any
from urllib.parse import quote

import aiohttp

from tests.patience import PATIENCE_SECONDS
from tests.system.merged import Merged

# As aiohttp calls itself, its clients are robots.
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
_PAUSE_SECONDS = 0.05
_LONGEST_LINE = 1 << 23


class OverHttp:
    """Follows, answers ticks, merges and remembers. An async context.

    Args:
        url: Where the service is.
        way: ``events`` or ``poll``.
        site: Which site it reads.
        returns: Whether it comes back after a loss, with what it has heard; else that ends it.
        tls: Whom it trusts, where the service speaks TLS.

    Attributes:
        way: By which it follows.
        merged: What is in view by what it has heard.
        frames: All there were.
        asked: How many requests it has sent.
    """

    def __init__(
        self, url: str, way: str, site: str, *, returns: bool = False, tls: ssl.SSLContext | None = None
    ) -> None:
        self._url = url
        self.way = way
        self._site = site
        self._returns = returns
        self._tls = tls
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._client: aiohttp.ClientSession | None = None
        self.merged = Merged()
        self.frames: list[dict[str, Any]] = []
        self.asked = 0

    async def __aenter__(self) -> OverHttp:
        connector = aiohttp.TCPConnector(force_close=True, ssl=self._tls or True)
        timeout = aiohttp.ClientTimeout(total=None)
        self._client = aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            headers={"User-Agent": BROWSER},
            raise_for_status=True,
            # A welcome is one line, with all that is active in it.
            read_bufsize=_LONGEST_LINE,
        )
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        assert self._client is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._client.close()

    def of(self, type: str) -> list[dict[str, Any]]:
        """The frames of one type."""
        return [frame for frame in self.frames if frame["type"] == type]

    async def until(self, condition: Callable[[], object]) -> None:
        """Waits until `condition` holds; it is looked at after each frame."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(condition)

    async def say(self, message: object) -> int:
        """Says something by the inbox; the status of the answer."""
        assert self._client is not None
        welcome = self.of("welcome")[-1]
        body = json.dumps(message).encode()
        async with self._client.post(self._url + welcome["inbox"], data=body, raise_for_status=False) as answer:
            return answer.status

    async def _hear(self, frame: dict[str, Any]) -> None:
        async with self._changed:
            self.frames.append(frame)
            self.merged.hear(frame)
            self._changed.notify_all()

    async def _follow(self) -> None:
        once = self._events if self.way == "events" else self._poll
        if not self._returns:
            return await once()
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                await once()
            # A client's pause between attempts, not a wait for something.
            await asyncio.sleep(_PAUSE_SECONDS)

    @property
    def _query(self) -> str:
        since, visitor = quote(self.merged.cursor), quote(self.merged.visitor)
        return f"site={self._site}&since={since}&visitor={visitor}"

    async def _events(self) -> None:
        assert self._client is not None
        self.asked += 1
        async with self._client.get(f"{self._url}/events?{self._query}") as answer:
            assert answer.content_type == "text/event-stream"
            async for line in answer.content:
                if line.startswith(b"data: "):
                    frame = json.loads(line.removeprefix(b"data: "))
                    await self._hear(frame)
                    if frame["type"] == "tick":
                        await self.say(frame)

    async def _poll(self) -> None:
        assert self._client is not None
        query = self._query
        while True:
            self.asked += 1
            async with self._client.get(f"{self._url}/poll?{query}") as answer:
                told = await answer.json()
            for frame in told["messages"]:
                await self._hear(frame)
            query = f"site={self._site}&session={told['session']}&seen={told['seen']}"
