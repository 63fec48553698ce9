"""The reach of announcements that somebody watches, as it grows: asked for once a second however many watch.

One task of a worker asks for all announcements that are watched here, and sleeps while none is. Whoever watches waits
for it, and is told when something has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

import msgspec
import structlog
from redis.exceptions import RedisError

from gateway.tasks import told_to_stop
from notifications.announcement import Announcement
from notifications.reach.ledger import Ledger
from notifications.reach.sums import Reach
from store.errors import reason

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
# After so long without a change whoever watches is told so: it is then looked whether they still may.
QUIET_SECONDS = 3.0
# Editors with a chart open; each is a connection of this worker.
MOST_WATCHERS = 100


class TooManyWatch(Exception):
    """As many watch as this worker allows."""


class _Watched:
    """One announcement, and how many watch it."""

    def __init__(self, announcement: Announcement) -> None:
        self.announcement = announcement
        self.watchers = 0
        self.latest: Reach | None = None
        self.changed = asyncio.Condition()


class Live:
    """Watches for one worker.

    Args:
        ledger: Where reach is.
        poll_seconds: Time between two questions.
        quiet_seconds: After so long without a change that is told.

    Attributes:
        watchers: How many watch now.
        asked: How often the store was asked.
    """

    def __init__(
        self, ledger: Ledger, poll_seconds: float = POLL_SECONDS, quiet_seconds: float = QUIET_SECONDS
    ) -> None:
        self.watchers = 0
        self.asked = 0
        self._ledger = ledger
        self._poll_seconds = poll_seconds
        self._quiet_seconds = quiet_seconds
        self._watched: dict[str, _Watched] = {}
        self._any = asyncio.Event()

    async def loop(self) -> None:
        """Runs until cancelled."""
        while not told_to_stop():
            await self._any.wait()
            try:
                await self._ask()
            except (RedisError, OSError) as error:
                # Whoever watches sees by `as_of` how old it is.
                log.warning("reach cannot be read", why=reason(error))
            await asyncio.sleep(self._poll_seconds)

    @contextmanager
    def watching(self, announcement: Announcement) -> Iterator[AsyncGenerator[Reach | None]]:
        """Gives the reach as it is, and again when it has changed; None when nothing has for a while.

        Raises:
            TooManyWatch: See there.
        """
        if self.watchers >= MOST_WATCHERS:
            raise TooManyWatch
        one = self._watched.setdefault(announcement.id, _Watched(announcement))
        one.watchers += 1
        self.watchers += 1
        self._any.set()
        try:
            yield self._follow(one)
        finally:
            one.watchers -= 1
            self.watchers -= 1
            if not one.watchers:
                del self._watched[announcement.id]
            if not self._watched:
                self._any.clear()

    async def _ask(self) -> None:
        for one in [*self._watched.values()]:
            found = await self._ledger.read(one.announcement)
            self.asked += 1
            if one.latest is None or msgspec.structs.replace(found, as_of=one.latest.as_of) != one.latest:
                async with one.changed:
                    one.latest = found
                    one.changed.notify_all()

    async def _follow(self, one: _Watched) -> AsyncGenerator[Reach | None]:
        told: Reach | None = None
        while True:
            try:
                async with asyncio.timeout(self._quiet_seconds), one.changed:
                    await one.changed.wait_for(lambda: one.latest is not told)  # noqa: B023  waited for at once
                told = one.latest
                yield told
            except TimeoutError:
                yield None
