"""Delivers what happens to webhooks: in one worker at a time, whichever has the lease.

What it promises:

- Whatever the audit trail holds is delivered to each webhook it concerns, at least once: a message is done with only
  when its receiver has said so (2xx), or after the last try, when it is put among the dead. Whatever is killed in
  between, worker, store or machine, it is delivered afterwards, with the same ``webhook-id``, by which a receiver knows
  it again.
- A worker that has gone is replaced by another within seconds: its lease ends by itself.
- One message at a time goes to a webhook, in the order that ``board`` says.
- It outlives the store, and what waits is bounded: the trail keeps what does not find room.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.tasks import told_to_stop
from notifications.settings import NotificationsSettings
from notifications.webhooks.outbox import Outbox
from notifications.webhooks.sender import Sender
from notifications.webhooks.term import Figures, Term
from store.errors import reason

if TYPE_CHECKING:
    from gateway.tasks import Caretaker

log = structlog.get_logger(__name__)

LEASE_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 3.0


class Deliverer:
    """Delivers, while it has the lease.

    Args:
        redis: Used by nobody else; three connections at least.
        prefix: First part of every key.
        sender: Posts.
        settings: Limits and times.
        lease_seconds: How long a lease is; another worker takes over after that.
        clock: Seconds, never going back.
        wall: Unix time in seconds.
        chance: From 0 to 1.
    """

    def __init__(
        self,
        redis: Redis,
        prefix: str,
        sender: Sender,
        settings: NotificationsSettings,
        *,
        lease_seconds: float = LEASE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._sender = sender
        self._settings = settings
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._wall = wall
        self._chance = chance
        self._figures = Figures()

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Tries so far: ``delivered``, ``failed``, ``dead`` (the last of its tries failed), ``gone`` (410)."""
        return self._figures.outcomes

    @property
    def retries(self) -> int:
        """Tries so far that were not the first."""
        return self._figures.retries

    @property
    def dead(self) -> int:
        """How many deliveries are dead; 0 where another worker delivers."""
        return self._figures.dead

    @property
    def waiting_seconds(self) -> float:
        """For how long that has waited which waits longest; 0 where another worker delivers."""
        oldest_ms = self._figures.oldest_ms
        return max(0.0, self._wall() - oldest_ms / 1000) if oldest_ms else 0.0

    @property
    def delivering(self) -> bool:
        """Whether it is this worker that delivers."""
        return self._figures.delivering

    def start(self, caretaker: Caretaker) -> None:
        """Begins to deliver, or to wait for its turn."""
        caretaker.start("webhooks", self.run)

    async def run(self) -> None:
        """Runs until it is cancelled."""
        pause_seconds = _FIRST_PAUSE_SECONDS
        while not told_to_stop():
            try:
                await self._term().serve()
                pause_seconds = _FIRST_PAUSE_SECONDS
                # Somebody else delivers; asked often enough that nobody waits long for a successor.
                await asyncio.sleep(random.uniform(0.1, 0.2) * self._lease_seconds)  # noqa: S311  spreads load
            except (RedisError, OSError) as error:
                log.warning("webhooks lost the store", why=reason(error))
                await asyncio.sleep(random.uniform(pause_seconds / 2, pause_seconds))  # noqa: S311  spreads load
                pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)

    def _term(self) -> Term:
        return Term(
            Outbox(self._redis, self._prefix, secrets.token_hex(8), round(self._lease_seconds * 1000)),
            self._sender,
            self._settings,
            self._figures,
            lease_seconds=self._lease_seconds,
            clock=self._clock,
            chance=self._chance,
        )
