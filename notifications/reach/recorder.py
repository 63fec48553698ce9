"""One worker's ear for acknowledgements: hears what browsers answer, adds it up, tells the store once a second.

A browser never waits for it: an answer costs a few microseconds of memory. One task writes, one command a second while
there is news and none while there is not, however many readers answer. What happens when:

- *Redis is away.* What was heard waits, a reader once; it is written when the store is back.
- *It lost the end of what it had acknowledged.* Sums are whole in every write, and names of the last ten seconds are
  sent again.
- *The worker is killed.* What it heard since its last write is lost, a second's answers.
- *It leaves in good order.* What is left is written when the last session has gone.

A test drives it by :meth:`Recorder.write`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError

from gateway.tasks import told_to_stop
from notifications.feed import channels
from notifications.reach.hearing import Hearing, Said
from notifications.reach.ledger import Ledger
from store.errors import reason

if TYPE_CHECKING:
    from gateway.hub import Delivery, Hub
    from gateway.session import Session
    from notifications.announcement import Announcement
    from notifications.feed import Feed

log = structlog.get_logger(__name__)

FAREWELL_SECONDS = 1.0
# Writes that follow each other at once where one is not enough, as when the store was away.
_MOST_WRITES = 4
_MOST_LAST_WRITES = 50
_FORGET_SECONDS = 10.0


class Recorder:
    """Reach, as one worker knows it.

    Args:
        ledger: The store, over a connection that nobody else waits for.
        key: Of the names of readers; the same on all workers, used for nothing else.
        feed: Tells what is told, and knows the store's clock.
        hub: Knows who is here.
        reader_of: The id of a session's reader; None if it is no reader's.
        write_ms: Time between two writes.

    Attributes:
        hearing: What was heard.
        batches: Writes that the store has taken.
        errors: Writes that it has not.
    """

    def __init__(
        self,
        ledger: Ledger,
        key: bytes,
        feed: Feed,
        hub: Hub,
        reader_of: Callable[[Session], bytes | None],
        *,
        write_ms: int,
    ) -> None:
        self.hearing = Hearing(key, secrets.token_hex(8))
        self.batches = 0
        self.errors = 0
        self._ledger = ledger
        self._feed = feed
        self._hub = hub
        self._reader_of = reader_of
        self._write_seconds = write_ms / 1000
        self._away = False
        feed.on_told.append(self._told)
        feed.on_delivered.append(self._delivered)

    def heard(self, session: Session, said: Mapping[str, Any]) -> None:
        """A browser acknowledges an announcement."""
        ack = Said(said.get("id", ""), said.get("revision", 0), said.get("did", ""), said.get("waited", 0))
        self.hearing.ack(session, self._reader_of(session), ack, self._now_ms())

    async def loop(self) -> None:
        """Runs until cancelled."""
        forget_at = 0.0
        while not told_to_stop():
            await asyncio.sleep(self._write_seconds)
            now = asyncio.get_running_loop().time()
            if now >= forget_at:
                forget_at = now + _FORGET_SECONDS
                self.hearing.forget(self._now_ms())
            try:
                # What does not fit into one is not urgent, unless it has piled up.
                await self.write(_MOST_WRITES if self._away else 1)
            except (RedisError, OSError) as error:
                self.errors += 1
                if not self._away:
                    log.warning("reach cannot be written; it waits", why=reason(error))
                self._away = True
                continue
            self._away = False

    async def write(self, writes: int = 1) -> None:
        """Tells the store what is new, in so many writes at most.

        Raises:
            redis.exceptions.RedisError: It does not answer; what waits goes on waiting.
        """
        self.hearing.greeted(self._feed.take_greeted())
        for _ in range(writes):
            entries = self.hearing.outbox.take(self._now_ms())
            if not entries:
                return
            before = None
            try:
                before = await self._ledger.apply(entries)
            finally:
                if before is None:
                    self.hearing.outbox.failed(entries)
            self.batches += 1
            self.hearing.outbox.done(entries, before, self._now_ms())

    async def finish(self) -> None:
        """Writes what is left, when nothing is heard any more; gives up a store that does not answer in time."""
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self.write(_MOST_LAST_WRITES)
        except (RedisError, OSError, TimeoutError) as error:
            if not self.hearing.outbox.idle:
                log.warning("reach could not be written at the end", why=reason(error))

    def _told(self, announcement: Announcement) -> None:
        connected = sum(map(self._hub.sessions, channels(announcement)))
        self.hearing.told(announcement, self._feed.told, connected, self._now_ms())

    def _delivered(self, announcement: Announcement, delivery: Delivery) -> None:
        self.hearing.delivered(announcement, delivery.sessions)

    def _now_ms(self) -> int:
        return int(self._feed.store_time() * 1000)
