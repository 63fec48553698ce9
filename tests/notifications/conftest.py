"""What this room's tests share: logs on real servers, and a hub that writes down what it was told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from gateway.hub import Delivery
from notifications.feed import Feed
from notifications.log import Log
from notifications.settings import NotificationsSettings
from store.connection import connect
from store.settings import RedisSettings
from tests.patience import PATIENCE_SECONDS

SETTINGS = NotificationsSettings(check_seconds=0.05, acknowledge_seconds=30.0)


class Told:
    """Stands where the hub does: one browser on each site, which merges what it hears."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.sites: list[tuple[Hashable, ...]] = []
        self.channels: dict[Hashable, list[object]] = {}
        self._changed = asyncio.Event()

    def enter(self, session: object, channel: Hashable) -> None:
        """As ``Hub.enter``."""
        self.channels.setdefault(channel, []).append(session)

    def exit(self, session: object, channel: Hashable) -> None:
        """As ``Hub.exit``."""
        self.channels[channel].remove(session)

    def broadcast(
        self,
        message: bytes,
        sites: Iterable[Hashable],
        *,
        urgent: bool,
        done: Callable[[Delivery], None] | None = None,
    ) -> None:
        """As ``Hub.broadcast``; one session for each site."""
        assert urgent
        self.frames.append(msgspec.json.decode(message))
        self.sites.append(tuple(sites))
        if done is not None:
            done(Delivery(len(self.sites[-1]), 0.0, 0))
        self._changed.set()

    @property
    def shown(self) -> dict[str, int]:
        """Id → revision of what a browser that heard every frame shows, expiry aside."""
        newest: dict[str, tuple[tuple[int, bool], dict[str, Any]]] = {}
        for frame in self.frames:
            order = (frame["revision"], frame["status"] == "recalled")
            if frame["id"] not in newest or order > newest[frame["id"]][0]:
                newest[frame["id"]] = (order, frame)
        return {id: frame["revision"] for id, (_, frame) in newest.items() if frame["status"] == "live"}

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for a frame after which `condition` holds."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@contextlib.asynccontextmanager
async def feeding(
    url: str, prefix: str, settings: NotificationsSettings = SETTINGS
) -> AsyncIterator[tuple[Feed, Told]]:
    """A feed that runs, on a connection of its own, and what it told."""
    client = connect(RedisSettings(), url, connections=1, read_timeout_seconds=5.0, name="feed")
    told = Told()
    feed = Feed(Log(client, prefix, settings), told)  # type: ignore[arg-type]
    task = asyncio.create_task(feed.run())
    try:
        yield feed, told
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await client.aclose()


@pytest.fixture
def long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who guesses passwords waits a minute at once: a wait of a second may be over before a busy machine looks."""
    monkeypatch.setattr("notifications.people.lockout.FIRST_WAIT_SECONDS", 60)


@pytest.fixture
def log(redis: Redis, prefix: str) -> Log:
    """A log of this test's own, on both servers."""
    return Log(redis, prefix, SETTINGS)
