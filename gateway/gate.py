"""The gate: looks at the first bytes of a connection and hands it on.

A WebSocket upgrade for ``/ws`` becomes a :class:`~gateway.session.Session` on the same transport, without aiohttp ever
seeing it, and so does a GET for ``/events``; one for ``/poll`` waits on it for its answer. Everything else goes, bytes
and all, to aiohttp's own protocol. The gate waits for a whole request head, so a connection that sends none, or one
without end, is ended by the deadline or the limit before anything is built for it.
Until it is handed on it is an arrival at the door, see :mod:`gateway.door`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import TypeAlias, cast

from gateway import events, following, frames, handshake
from gateway.door import Door
from gateway.errors import Refusal
from gateway.following import Following
from gateway.problems import CONTENT_TYPE, Problem
from gateway.session import LINGER_SECONDS, PAUSED_ABOVE_BYTES, Session, first_ping
from gateway.waiting import Waiting

# Makes the protocol of a guest. It tells the door when the guest, counted under this key, has `parted`.
Neighbour: TypeAlias = Callable[[Door, str], asyncio.Protocol]

_OURS = re.compile(rb"(?:[A-Z]+ /ws|GET /(?P<follow>events|poll))(?:\?[^ ]*)? HTTP/")
# What an HTTP request can begin with; anything else is not worth waiting for.
_PLAUSIBLE = re.compile(rb"[A-Z]+(?: |\Z)")
_END = b"\r\n\r\n"


class Gate(asyncio.Protocol):
    """One fresh connection, until it is known what it wants.

    Args:
        door: What all connections share.
        neighbour: Makes the protocol for everything that is not ours; None if there is nothing else here.
        kept: The connection has had a request answered; that no other comes is no fault.
    """

    __slots__ = (
        "_accepted_at",
        "_door",
        "_head",
        "_kept",
        "_key",
        "_neighbour",
        "_peer",
        "_refused",
        "_transport",
        "slot",
    )

    _transport: asyncio.Transport

    def __init__(self, door: Door, neighbour: Neighbour | None, *, kept: bool = False) -> None:
        self._door = door
        self._neighbour = neighbour
        self._kept = kept
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
            self.refuse(refusal)
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
            self.refuse(Refusal(431, "headers", f"The head of a request may be {limit} bytes."))
        elif head and _PLAUSIBLE.match(head) is None:
            # Refused here: aiohttp has no deadline of ours for the rest of it.
            self.refuse(Refusal(400, "malformed", "The request is not well-formed HTTP/1.1."))
        elif end < 0:
            self._head = head
        elif head.count(b"\r\n", 0, end) > self._door.settings.header_lines:
            limit = self._door.settings.header_lines
            self.refuse(Refusal(431, "headers", f"A request may have {limit} header lines."))
        else:
            self._decide(head, end + len(_END))

    def go_on(self, rest: bytes) -> None:
        """Has `rest`, which came behind a request that has just been answered, read when the loop comes to it.

        Read at once it would be answered at once, and what is behind it within that: a packet full of polls would be a
        stack as deep as there are polls in it.
        """
        self._head = rest.lstrip(b"\r\n")
        asyncio.get_running_loop().call_soon(self._read_rest)

    def _read_rest(self) -> None:
        # What came before the loop did may have been read with it, and the connection be somebody else's by now.
        if self._transport.get_protocol() is self and not self._transport.is_closing():
            self.data_received(b"")

    def _decide(self, head: bytes, end: int) -> None:
        """The head is whole; a body, or another request, may stand behind it."""
        ours = _OURS.match(head)
        if ours is None or (ours["follow"] and self._door.inboxes is None):
            self._hand_over(head)
        elif ours["follow"]:
            self._follow(ours["follow"] == b"poll", head[:end], head[end:])
        else:
            self._upgrade(head[:end], head[end:])

    def due(self, now: float) -> float:
        """The wheel's call: the deadline for the request has passed, or the refused did not hang up."""
        if not self._refused and not self._kept:
            self._door.handshakes["deadline"] += 1
        self._transport.abort()
        return 0.0

    def abort(self) -> None:
        """Ends the connection at once."""
        self._transport.abort()

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
            door.pace()
            upgrade = handshake.read(head, door.settings.header_lines)
            session, welcome = door.enter(upgrade, self._peer, transport, Session)
        except Refusal as refusal:
            self.refuse(refusal)
            return
        self._leave()
        transport.set_protocol(session)
        # An answer to a poll may still lie before us, of which the session was not told.
        session.descriptor = plain_descriptor(transport) if not transport.get_write_buffer_size() else -1
        # Where the hub writes past the transport, it must know when that holds anything: then the session is paused.
        transport.set_write_buffer_limits(PAUSED_ABOVE_BYTES if session.descriptor < 0 else 0)
        # One write for the answer and the welcome: one system call, one packet.
        transport.write(answer(upgrade, welcome))
        session.begin(welcomed=bool(welcome))
        if rest:
            session.data_received(rest)

    def _follow(self, polls: bool, head: bytes, rest: bytes) -> None:
        door, transport = self._door, self._transport
        asked: Following | None = None
        try:
            asked = following.read(head, door.settings.header_lines)
            if polls:
                waiting = Waiting(door, asked, transport, partial(Gate, door, self._neighbour, kept=True))
                waiting.enter(self._peer, self._key)
            else:
                session = events.follow(door, asked, self._peer, transport)
        except Refusal as refusal:
            if asked is not None and door.inboxes is not None:
                refusal.headers += door.inboxes.readable(asked.origin, asked.site)
            self.refuse(refusal)
            return
        self._leave()
        if polls:
            transport.set_protocol(waiting)
            if rest:
                waiting.data_received(rest)
            waiting.start()
        else:
            door.wheel.put(session, door.clock(), first_ping(door))
            if rest:
                session.data_received(rest)

    def _hand_over(self, head: bytes) -> None:
        if self._neighbour is None:
            self.refuse(Refusal(404, "path", "There is nothing here but /ws."))
            return
        door = self._door
        try:
            door.host(self._key)
        except Refusal as refusal:
            self.refuse(refusal)
            return
        self._leave()
        neighbour = self._neighbour(door, self._key)
        self._transport.set_protocol(neighbour)
        neighbour.connection_made(self._transport)
        neighbour.data_received(head)

    def refuse(self, refusal: Refusal) -> None:
        """Answers with the refusal, and the connection is to end."""
        if self._refused:
            return
        self._door.handshakes[refusal.reason] += 1
        self._transport.write(_refusal_bytes(refusal))
        self.linger()

    def linger(self) -> None:
        """Our side has ended or is about to; what still comes is thrown away until the other side hangs up."""
        self._refused = True
        self._head = b""
        end(self._transport)
        self._door.wheel.discard(self)
        self._door.wheel.put(self, self._door.clock(), LINGER_SECONDS)

    def _leave(self) -> None:
        """The connection is no arrival any more."""
        self._door.asked(self._key)
        self._door.wheel.discard(self)


def answer(upgrade: handshake.Upgrade, welcome: bytes) -> bytes:
    """What a browser that may come in is sent: the 101, the welcome, and a ping whose answer shows that it is there."""
    return handshake.accept(upgrade.key) + (welcome + frames.PING if welcome else b"")


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
    end(transport)


def end(transport: asyncio.Transport) -> None:
    """Ends our side of the connection."""
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
