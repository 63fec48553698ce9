"""The same ``/ws`` as an aiohttp route, for connections that aiohttp serves already.

A proxy that reuses its connections to us may send an upgrade on one that has fetched a page before; the gate saw that
connection only once. Dearer than the gate, since aiohttp's protocol and a task stay with it, and the same in all a
browser can see: the same checks, the same refusals, the same session, the same reader of frames, the same close codes.
From the 101 on the connection counts as a session and no longer as a guest.

It does without aiohttp's ``WebSocketResponse``, which takes unmasked frames from browsers, reports broken UTF-8 only
when a message has ended, and closes by itself. The connection's input goes to the session instead, the way aiohttp
itself does it for its own: as the parser of whatever follows the request.
"""

from __future__ import annotations

import asyncio
from typing import cast

from aiohttp import web

from gateway import handshake
from gateway.door import Door
from gateway.errors import Refusal
from gateway.gate import answer, peer_address, refuse
from gateway.heads import Guest
from gateway.session import LINGER_SECONDS, PAUSED_ABOVE_BYTES, Session


class CompatSession(Session):
    """A session whose transport reports to aiohttp's protocol, not to it; so it looks at the buffer itself."""

    __slots__ = ()

    def look_at_buffer(self) -> None:
        """Notices by the size of the buffer what a transport would tell a protocol of its own."""
        full = self.transport.get_write_buffer_size() > PAUSED_ABOVE_BYTES
        if full and not self.paused_at:
            self.pause_writing()
        elif not full and self.paused_at:
            self.resume_writing()

    def due(self, now: float) -> float:
        """See Session; also the regular look at the buffer."""
        self.look_at_buffer()
        return super().due(now)


class _Outlet:
    """The transport as a compatibility session sees it: lets it notice when it fills."""

    __slots__ = ("_transport", "session")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.session: CompatSession | None = None

    def write(self, frame: bytes) -> None:
        self._transport.write(frame)
        session = self.session
        if session is not None and self._transport.get_write_buffer_size() > PAUSED_ABOVE_BYTES:
            session.look_at_buffer()

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)


class _Inlet:
    """What aiohttp takes for the parser of an upgraded connection: hands all of it to the session."""

    __slots__ = ("_over", "_session")

    def __init__(self, session: CompatSession, over: asyncio.Future[None]) -> None:
        self._session = session
        self._over = over

    def feed_data(self, chunk: bytes) -> tuple[bool, bytes]:
        """Called by aiohttp's protocol; never asks it to close."""
        self._session.data_received(chunk)
        return False, b""

    def feed_eof(self) -> None:
        """Called by aiohttp's protocol when the connection is lost."""
        self._session.connection_lost(None)
        if not self._over.done():
            self._over.set_result(None)


class _Refused:
    """In the place of a session, for a connection that was refused one: throws away what still comes, as the gate does,
    until the other side hangs up. aiohttp would wait for the rest of a body."""

    __slots__ = ("_over", "_transport", "_wheel", "slot")

    def __init__(self, door: Door, transport: asyncio.Transport, over: asyncio.Future[None]) -> None:
        self._transport = transport
        self._wheel = door.wheel
        self._over = over
        self.slot = 0
        door.wheel.put(self, door.clock(), LINGER_SECONDS)

    def due(self, now: float) -> float:
        """The wheel's call: it did not hang up."""
        self._transport.abort()
        return 0.0

    def abort(self) -> None:
        """Ends the connection at once."""
        self._transport.abort()

    def feed_data(self, chunk: bytes) -> tuple[bool, bytes]:
        """Called by aiohttp's protocol; never asks it to close."""
        return False, b""

    def feed_eof(self) -> None:
        """Called by aiohttp's protocol when the connection is lost."""
        self._wheel.discard(self)
        if not self._over.done():
            self._over.set_result(None)


def route(door: Door) -> web.RouteDef:
    """The route to add to the application behind the gate."""

    async def serve(request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if transport is None:
            # Gone while the request waited for its turn; there is nobody to answer.
            return web.Response(status=400)
        guest = cast(Guest, request.protocol)
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        inlet: _Inlet | _Refused
        try:
            inlet = _Inlet(_enter(door, request, transport), over)
        except Refusal as refusal:
            door.handshakes[refusal.reason] += 1
            refuse(transport, refusal)
            # aiohttp stops reading where much of a body lies unread; that the other side hangs up must be heard.
            transport.resume_reading()
            inlet = _Refused(door, transport, over)
        else:
            guest.part()
        # Feeds it at once what came behind the request.
        guest.set_parser(inlet)  # type: ignore[arg-type]
        try:
            await over
        except asyncio.CancelledError:
            # The application is being stopped while the browser is still here.
            transport.abort()
            raise
        # Nobody is left to read it; aiohttp finds the connection lost and ends quietly.
        return web.Response()

    return web.route("*", "/ws", serve)


def _enter(door: Door, request: web.Request, transport: asyncio.Transport) -> CompatSession:
    """Opens the session, answered and welcomed.

    Raises:
        Refusal: It may not come in; nothing is held and nothing was sent.
    """
    door.pace()
    upgrade = handshake.check(
        request.method.encode(),
        f"{request.version.major}.{request.version.minor}",
        request.raw_path.partition("?")[2].encode("utf-8", "surrogateescape"),
        request.raw_headers,
        door.settings.header_lines,
    )
    outlet = _Outlet(transport)
    session, welcome = door.enter(upgrade, peer_address(transport), cast(asyncio.Transport, outlet), CompatSession)
    outlet.session = session
    outlet.write(answer(upgrade, welcome))
    session.begin(welcomed=bool(welcome))
    return session
