"""What all connections of one worker share: the limits, the wheel, who is slow, and how they came and went."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import structlog
from aiohttp import web

from gateway.addresses import Addresses
from gateway.desk import Desk
from gateway.errors import Refusal
from gateway.handshake import Upgrade
from gateway.limits import SessionsPerAddress
from gateway.session import Session
from gateway.settings import GatewaySettings
from gateway.wheel import Wheel

log = structlog.get_logger(__name__)

S = TypeVar("S", bound=Session)

SWEEP_SECONDS = 1.0
_FULL_RETRY_SECONDS = "10"
_ADDRESS_RETRY_SECONDS = "60"


class Door:
    """One per worker.

    Args:
        settings: The limits.
        desk: The service behind the gate.
        message_bytes: Longest inbound message, where it is not that of the settings.
        clock: Seconds, monotonic, the event loop's.

    Attributes:
        handshakes: How handshakes ended, by reason; ``accepted`` is one of them.
        closes: Sessions closed by us, by close code.
        vanished: Sessions that did not answer a ping.
        stalled: Sessions aborted because they could not be written to for too long.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        desk: Desk,
        *,
        message_bytes: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.desk = desk
        self.message_bytes = message_bytes or settings.message_bytes
        self.clock = clock
        self.wheel = Wheel()
        self.addresses = Addresses(settings.trusted_proxies, settings.exempt_networks)
        self.slow: set[Session] = set()
        self.draining = False
        self.sessions = 0
        self.handshakes: Counter[str] = Counter()
        self.closes: Counter[int] = Counter()
        self.vanished = 0
        self.stalled = 0
        self._per_address = SessionsPerAddress(settings.sessions_per_address)

    def enter(
        self,
        upgrade: Upgrade,
        peer: str,
        transport: asyncio.Transport,
        kind: type[S],
    ) -> tuple[S, bytes]:
        """Admits a well-formed upgrade and opens its session.

        Args:
            upgrade: What was asked for.
            peer: Address of the other end of the socket.
            transport: Where the session will write.
            kind: The class of the session.

        Returns:
            The session, and what to send it right behind the 101.

        Raises:
            Refusal: It may not come in; nothing is held.
        """
        if self.draining or self.sessions >= self.settings.sessions_per_worker:
            retry = (("Retry-After", _FULL_RETRY_SECONDS),)
            raise Refusal(
                503, "draining" if self.draining else "full", "This worker takes no more sessions now.", retry
            )
        self.desk.admit(upgrade)
        key = self._limit_key(peer, upgrade.forwarded_for)
        if not self._per_address.take(key):
            retry = (("Retry-After", _ADDRESS_RETRY_SECONDS),)
            raise Refusal(429, "address", "There are too many sessions from this address.", retry)
        self.sessions += 1
        session = kind(self, upgrade, key, transport)
        try:
            welcome = self.desk.opened(session)
        except Exception as error:
            self._forget(session)
            log.error("greeting failed", site=upgrade.site, exc_info=error)
            raise Refusal(500, "fault", "The server failed to greet; it has logged why.") from None
        self.handshakes["accepted"] += 1
        return session, welcome

    def address_of(self, request: web.Request) -> str:
        """The key under which limits are counted for an ordinary request; empty if its address is exempt."""
        return self._limit_key(request.remote or "", ",".join(request.headers.getall("X-Forwarded-For", ())))

    def _limit_key(self, peer: str, forwarded_for: str) -> str:
        return self.addresses.limit_key(self.addresses.client(peer, forwarded_for))

    def left(self, session: Session) -> None:
        """A session that `enter` returned is over."""
        self._forget(session)
        self.desk.closed(session)

    def _forget(self, session: Session) -> None:
        self.sessions -= 1
        self._per_address.release(session.address)
        self.wheel.discard(session)
        self.slow.discard(session)

    async def sweep(self) -> None:
        """Aborts sessions that could not be written to for too long; runs until cancelled.

        Costs what is slow, not what is held.
        """
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = self.clock()
            for session in tuple(self.slow):
                session.look_at_buffer()
                if session.paused_at and now - session.paused_at > self.settings.slow_seconds:
                    self.stalled += 1
                    session.abort()
