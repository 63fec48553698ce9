"""The gate: looks at the first bytes of a connection and hands it on.

A WebSocket upgrade for ``/ws`` becomes a :class:`~gateway.session.Session` on the same transport, without aiohttp ever
seeing it; everything else goes, bytes and all, to aiohttp's own protocol. The gate waits for a whole request head, so a
connection that sends none, or one without end, is ended by the deadline or the limit before anything is built for it.
Until it is handed on it is an arrival at the door, see :mod:`gateway.door`.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeAlias, cast

from gateway import handshake
from gateway.door import Door
from gateway.errors import Refusal
from gateway.problems import CONTENT_TYPE, Problem
from gateway.session import LINGER_SECONDS, PAUSED_ABOVE_BYTES, Session

# Makes the protocol of a guest. It tells the door when the guest, counted under this key, has `parted`.
Neighbour: TypeAlias = Callable[[Door, str], asyncio.Protocol]

_OURS = re.compile(rb"[A-Z]+ /ws(?:\?[^ ]*)? HTTP/")
# What an HTTP request can begin with; anything else is not worth waiting for.
_PLAUSIBLE = re.compile(rb"[A-Z]+(?: |\Z)")
_END = b"\r\n\r\n"


class Gate(asyncio.Protocol):
    """One fresh connection, until it is known what it wants.

    Args:
        door: What all connections share.
        neighbour: Makes the protocol for everything that is not ours; None if there is nothing else here.
    """

    __slots__ = ("_accepted_at", "_door", "_head", "_key", "_neighbour", "_peer", "_refused", "_transport", "slot")

    _transport: asyncio.Transport

    def __init__(self, door: Door, neighbour: Neighbour | None) -> None:
        self._door = door
        self._neighbour = neighbour
        self._head = b""
        self._refused = False
        self._key = ""
        self._peer = ""
        # The deadline counts from here: under TLS, `connection_made` comes when the handshake is through.
        self._accepted_at = door.clock()
        self.slot = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        door = self._door
        self._transport = cast(asyncio.Transport, transport)
        self._peer = peer_address(transport)
        door.wheel.put(self, self._accepted_at, door.settings.handshake_seconds)
        try:
            self._key = door.arrive(self._peer)
        except Refusal as refusal:
            self._refuse(refusal)
            if door.crowded:
                # Not waited for: a descriptor is held for as long as an answer lingers.
                self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Called by the transport until the connection is handed on."""
        if self._refused:
            return
        # Empty lines before a request are to be ignored (RFC 9112 section 2.2); handed on they would look like one.
        head = self._head + data if self._head else data.lstrip(b"\r\n")
        limit = self._door.settings.header_bytes
        end = head.find(_END)
        if (end + len(_END) if end >= 0 else len(head) + 1) > limit:
            self._refuse(Refusal(431, "headers", f"The head of a request may be {limit} bytes."))
        elif head and _PLAUSIBLE.match(head) is None:
            # Refused here: aiohttp has no deadline of ours for the rest of it.
            self._refuse(Refusal(400, "malformed", "The request is not well-formed HTTP/1.1."))
        elif end < 0:
            self._head = head
        elif head.count(b"\r\n", 0, end) > self._door.settings.header_lines:
            limit = self._door.settings.header_lines
            self._refuse(Refusal(431, "headers", f"A request may have {limit} header lines."))
        elif _OURS.match(head) is None:
            self._hand_over(head)
        else:
            self._upgrade(head[: end + len(_END)], head[end + len(_END) :])

    def due(self, now: float) -> float:
        """The wheel's call: the deadline for the request has passed, or the refused did not hang up."""
        if not self._refused:
            self._door.handshakes["deadline"] += 1
        self._transport.abort()
        return 0.0

    def eof_received(self) -> bool:
        """The other side has ended; so do we."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection ended before it was handed on."""
        self._door.wheel.discard(self)
        self._door.asked(self._key)

    def _upgrade(self, head: bytes, rest: bytes) -> None:
        door, transport = self._door, self._transport
        try:
            upgrade = handshake.read(head, door.settings.header_lines)
            session, welcome = door.enter(upgrade, self._peer, transport, Session)
        except Refusal as refusal:
            self._refuse(refusal)
            return
        door.asked(self._key)
        door.wheel.discard(self)
        transport.set_protocol(session)
        session.descriptor = plain_descriptor(transport)
        # Where the hub writes past the transport, it must know when that holds anything: then the session is paused.
        transport.set_write_buffer_limits(PAUSED_ABOVE_BYTES if session.descriptor < 0 else 0)
        # One write for the answer and the welcome: one system call, one packet.
        transport.write(handshake.accept(upgrade.key) + welcome)
        door.wheel.put(session, door.clock(), first_ping(door))
        if rest:
            session.data_received(rest)

    def _hand_over(self, head: bytes) -> None:
        if self._neighbour is None:
            self._refuse(Refusal(404, "path", "There is nothing here but /ws."))
            return
        door = self._door
        try:
            door.host(self._key)
        except Refusal as refusal:
            self._refuse(refusal)
            return
        door.asked(self._key)
        door.wheel.discard(self)
        neighbour = self._neighbour(door, self._key)
        self._transport.set_protocol(neighbour)
        neighbour.connection_made(self._transport)
        neighbour.data_received(head)

    def _refuse(self, refusal: Refusal) -> None:
        self._refused = True
        self._head = b""
        self._door.handshakes[refusal.reason] += 1
        refuse(self._transport, refusal)
        self._door.wheel.discard(self)
        self._door.wheel.put(self, self._door.clock(), LINGER_SECONDS)


def first_ping(door: Door) -> float:
    """Seconds until a new session's first ping: spread, so that a crowd that came together is not pinged together."""
    settings = door.settings
    # The wheel may be a slot late, and the first tick is promised within `ping_seconds` too.
    latest = max(settings.pong_seconds, settings.ping_seconds - door.wheel.width)
    return random.uniform(settings.pong_seconds, latest)  # noqa: S311  spreads load, guards nothing


def peer_address(transport: asyncio.BaseTransport) -> str:
    """The address of the other end; empty where there is none, as on a Unix socket."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""


def plain_descriptor(transport: asyncio.BaseTransport) -> int:
    """The descriptor of a socket that carries what is written as it is; -1 under TLS, or without a socket."""
    plain = transport.get_extra_info("socket") if transport.get_extra_info("sslcontext") is None else None
    return plain.fileno() if plain is not None else -1


def refuse(transport: asyncio.Transport, refusal: Refusal) -> None:
    """Answers with the refusal and ends our side. The caller waits for the other side to hang up, and not for long."""
    transport.write(_refusal_bytes(refusal))
    if transport.can_write_eof():
        # Ends our side only: closing on unread input would reset the connection and lose the answer.
        transport.write_eof()
    else:
        # TLS says goodbye by itself, and reads on until the other side has.
        transport.close()


def _refusal_bytes(refusal: Refusal) -> bytes:
    """The refusal as a problem document, in an HTTP answer with which the connection ends."""
    headers = dict(refusal.headers)
    # Where the refusal says `Connection: Upgrade` (RFC 9110 section 7.8), both belong into one line.
    headers["Connection"] = f"{headers['Connection']}, close" if "Connection" in headers else "close"
    body = Problem(refusal.status, detail=refusal.detail, members={"reason": refusal.reason}).body()
    lines = [
        f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}",
        f"Content-Type: {CONTENT_TYPE}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + _END + body
