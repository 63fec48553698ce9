"""What all connections of one worker share: the limits, the wheel, who is slow, and how they came and went.

A connection is one of three, and counted as such: an *arrival*, which has asked for nothing yet; then a *session*, or a
*guest*, whom aiohttp serves. A guest that upgrades on its connection is a session from then on, and a guest no more.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING, Protocol, TypeVar

import structlog
from aiohttp import web

from gateway.addresses import Addresses
from gateway.desk import Desk
from gateway.errors import Refusal
from gateway.handshake import Upgrade
from gateway.limits import ConnectionsPerAddress, MissesPerAddress, TokenBucket
from gateway.session import Session
from gateway.settings import GatewaySettings
from gateway.wheel import Timed, Wheel

if TYPE_CHECKING:
    from gateway.gate import Gate
    from gateway.inbox import Inboxes

log = structlog.get_logger(__name__)

S = TypeVar("S", bound=Session)

SWEEP_SECONDS = 1.0
_FULL_RETRY_SECONDS = "10"
_ADDRESS_RETRY_SECONDS = "60"
# A worker that stood still for so long is not asked to catch up on more.
_BURST_SECONDS = 0.5
# Spread, or all would be back at once.
_PACED_RETRY_SECONDS = range(1, 6)


class Slow(Protocol):
    """A connection that holds what the other side does not take: a session, or a guest."""

    paused_at: float

    def look_at_buffer(self) -> None:
        """Sees to it that `paused_at` is how matters stand."""

    def abort(self) -> None:
        """Ends the connection at once."""


class Door:
    """One per worker.

    Args:
        settings: The limits.
        desk: The service behind the gate.
        message_bytes: Longest inbound message, where it is not that of the settings.
        clock: Seconds, monotonic, the event loop's.

    Attributes:
        sessions: Sessions that are open.
        by_way: The same, by how their browsers follow.
        arrivals: Connections that have not asked for anything yet, and those that were refused and did not hang up.
        guests: Connections that aiohttp serves.
        handshakes: How handshakes ended, by reason; ``accepted`` is one of them.
        closes: Sessions closed by us, by close code.
        vanished: Sessions that did not answer a ping.
        stalled: Connections aborted because they could not be written to for too long.
        misses: Of those who speak to sessions that are not there, or poll for them. All sessions of an address may be
            gone at once, with their worker: so many misses at once are overlooked.
        inboxes: Of browsers that follow over ordinary HTTP; None where there are none of these.
        fresh: Makes a gate for a connection on which another request may come; None before the port is open.
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
        self.wheel = Wheel(failed=_log_failure)
        self.addresses = Addresses(settings.trusted_proxies, settings.exempt_networks)
        self.slow: set[Slow] = set()
        self.draining = False
        self.sessions = 0
        self.by_way = Counter({"websocket": 0, "sse": 0, "poll": 0})
        self.arrivals = 0
        self.guests = 0
        self.handshakes: Counter[str] = Counter()
        self.closes: Counter[int] = Counter()
        self.vanished = 0
        self.stalled = 0
        self.misses = MissesPerAddress(settings.messages_per_second, settings.sessions_per_address)
        self.inboxes: Inboxes | None = None
        self.fresh: Callable[[], Gate] | None = None
        self._rate = _rate(settings)
        self._per_address = ConnectionsPerAddress(settings.sessions_per_address)
        self._per_network = ConnectionsPerAddress(settings.sessions_per_network)
        self._arrivals_per_address = ConnectionsPerAddress(settings.sessions_per_address)
        self._guests_per_address = ConnectionsPerAddress(settings.sessions_per_address)

    def adopt(self, settings: GatewaySettings) -> None:
        """From now on the limits are these. Whoever is in stays; what a session may say is decided when it comes."""
        self.settings = settings
        self.addresses = Addresses(settings.trusted_proxies, settings.exempt_networks)
        self.misses = MissesPerAddress(settings.messages_per_second, settings.sessions_per_address)
        self._rate = _rate(settings)
        self._per_network.limit = settings.sessions_per_network
        for limited in (self._per_address, self._arrivals_per_address, self._guests_per_address):
            limited.limit = settings.sessions_per_address

    def pace(self) -> None:
        """Lets a request to follow pass that nothing has been done for yet.

        Raises:
            Refusal: So many came within a moment that more would hold up those who are here.
        """
        if self._rate is not None and not self._rate.take(self.clock()):
            seconds = random.choice(_PACED_RETRY_SECONDS)  # noqa: S311  spreads load, guards nothing
            detail = "So many browsers come at this moment that this worker has to make them wait."
            raise Refusal(503, "rate", detail, (("Retry-After", str(seconds)),))

    @property
    def crowded(self) -> bool:
        """Whether there are more connections than the start made sure of descriptors for.

        Arrivals have no number of their own, but all the room that sessions and guests leave: a whole portal may come
        back at once, and whoever sends a request is a session or a guest a moment later. What stays is ended by the
        deadline. (With TLS a connection arrives when that handshake is through; before, only the deadline bounds it.)
        """
        limits = self.settings
        return self.arrivals + self.guests + self.sessions > limits.sessions_per_worker + limits.other_connections

    def arrive(self, peer: str) -> str:
        """Counts a fresh connection, until it `asked`; also one that is refused here, as long as it lasts.

        Args:
            peer: Address of the other end of the socket.

        Returns:
            The key it is counted under; empty if it is exempt.

        Raises:
            Refusal: There are too many, in all or from there; it is counted under no key.
        """
        self.arrivals += 1
        if self.crowded:
            raise _crowded()
        key = self.addresses.connection_key(peer)
        if not self._arrivals_per_address.take(key):
            raise _too_many()
        return key

    def asked(self, key: str) -> None:
        """A connection that `arrive` counted is a session or a guest now, or over."""
        self.arrivals -= 1
        self._arrivals_per_address.release(key)

    def host(self, key: str) -> None:
        """Admits a guest, until it `parted`.

        Raises:
            Refusal: There are too many of them; nothing is held.
        """
        if self.guests >= self.settings.other_connections:
            raise _crowded()
        if not self._guests_per_address.take(key):
            raise _too_many()
        self.guests += 1

    def parted(self, key: str) -> None:
        """A guest is a session now, or over."""
        self.guests -= 1
        self._guests_per_address.release(key)

    def enter(
        self,
        upgrade: Upgrade,
        peer: str,
        transport: asyncio.Transport,
        kind: type[S],
    ) -> tuple[S, bytes]:
        """Admits a well-formed upgrade, or a request to follow, and opens its session.

        Args:
            upgrade: What was asked for.
            peer: Address of the other end of the socket.
            transport: Where the session will write.
            kind: The class of the session.

        Returns:
            The session, and what to send it right behind the 101, or in its place.

        Raises:
            Refusal: It may not come in; nothing is held.
        """
        if self.draining or self.sessions >= self.settings.sessions_per_worker:
            retry = (("Retry-After", _FULL_RETRY_SECONDS),)
            raise Refusal(
                503, "draining" if self.draining else "full", "This worker takes no more sessions now.", retry
            )
        self.desk.admit(upgrade)
        key = self.limit_key(peer, upgrade.forwarded_for)
        if not self._per_address.take(key):
            retry = (("Retry-After", _ADDRESS_RETRY_SECONDS),)
            raise Refusal(429, "address", "There are too many sessions from this address.", retry)
        if not self._per_network.take(self.addresses.network_key(key)):
            self._per_address.release(key)
            retry = (("Retry-After", _ADDRESS_RETRY_SECONDS),)
            raise Refusal(429, "network", "There are too many sessions from this network.", retry)
        self.sessions += 1
        self.by_way[kind.way] += 1
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
        return self.addresses.limit_key(self.client_of(request))

    def client_of(self, request: web.Request) -> str:
        """The address an ordinary request came from, behind trusted proxies too."""
        return self.addresses.client(request.remote or "", ",".join(request.headers.getall("X-Forwarded-For", ())))

    def limit_key(self, peer: str, forwarded_for: str) -> str:
        """The same for a request that the gate itself has read.

        Args:
            peer: Address of the other end of the socket.
            forwarded_for: What the request says of it.
        """
        return self.addresses.limit_key(self.addresses.client(peer, forwarded_for))

    def left(self, session: Session) -> None:
        """A session that `enter` returned is over."""
        self._forget(session)
        self.desk.closed(session)

    def _forget(self, session: Session) -> None:
        self.sessions -= 1
        self.by_way[session.way] -= 1
        self._per_address.release(session.address)
        self._per_network.release(self.addresses.network_key(session.address))
        self.wheel.discard(session)
        self.slow.discard(session)

    def believe(self, key: str) -> None:
        """Lets pass a request for a session that is not known to be there.

        Raises:
            Refusal: From there so many came for sessions that were not.
        """
        if wait := self.misses.wait_seconds(key, self.clock()):
            detail = "There were too many requests from this address for sessions that are not there."
            raise Refusal(429, "misses", detail, (("Retry-After", str(ceil(wait))),))

    async def sweep(self) -> None:
        """Aborts connections that could not be written to for too long; runs until cancelled.

        Costs what is slow, not what is held.
        """
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = self.clock()
            for slow in tuple(self.slow):
                slow.look_at_buffer()
                if slow.paused_at and now - slow.paused_at > self.settings.slow_seconds:
                    self.stalled += 1
                    slow.abort()


def _rate(settings: GatewaySettings) -> TokenBucket | None:
    rate = settings.handshakes_per_second
    return TokenBucket(rate, max(1.0, rate * _BURST_SECONDS)) if rate else None


def _crowded() -> Refusal:
    return Refusal(
        503, "crowded", "This worker takes no more connections now.", (("Retry-After", _FULL_RETRY_SECONDS),)
    )


def _too_many() -> Refusal:
    retry = (("Retry-After", _ADDRESS_RETRY_SECONDS),)
    return Refusal(429, "address", "There are too many connections from this address.", retry)


def _log_failure(item: Timed, error: Exception) -> None:
    log.error("a connection failed when it was due, and is ended", what=type(item).__name__, exc_info=error)
