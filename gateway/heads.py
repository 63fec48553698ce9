"""The limits on guests, the connections that aiohttp serves: on a request's head, and on who does not read.

The gate sees only the first request of a connection. What comes on it later is parsed by aiohttp, whose own limits are
on single lines; here the whole head is held to the same two limits as at the gate, and answered the same: 431, and
the connection ends. What aiohttp cannot parse becomes a problem document too, and no entry in the log of errors: it
is the other side's fault and costs an operator's attention.

aiohttp waits without end for an answer to be taken. The door's sweep does not: a guest that takes nothing of it for
``slow_seconds`` is aborted like a session.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, cast

import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.typedefs import Middleware

from gateway.door import Door
from gateway.gate import Neighbour, plain_descriptor
from gateway.problems import Problem
from gateway.settings import GatewaySettings

log = structlog.get_logger(__name__)

# Of a header line: ": " and CRLF. Of the rest: two spaces, "HTTP/1.1", CRLF, and CRLF at the end.
_LINE_EXTRA_BYTES = 4
_REQUEST_EXTRA_BYTES = 14


def limit_heads(settings: GatewaySettings) -> Middleware:
    """The middleware that refuses a head over the limits; to be placed right behind that for problems."""

    @web.middleware
    async def heads(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if len(request.raw_headers) > settings.header_lines or _head_bytes(request) > settings.header_bytes:
            return _too_large(settings)
        return await handler(request)

    return heads


def neighbour(server: web.Server, settings: GatewaySettings, **options: Any) -> Neighbour:
    """Makes the protocols that serve everything but fresh upgrades.

    Args:
        server: The application's server, ``runner.server``.
        settings: The limits.
        options: For aiohttp's protocol, such as ``keepalive_timeout`` in seconds.
    """
    loop = asyncio.get_running_loop()
    limits = {
        # A line may be as long as a whole head, so that the middleware finds the one that is too long.
        "max_line_size": settings.header_bytes,
        "max_field_size": settings.header_bytes,
        "max_headers": settings.header_lines,
    }

    def make(door: Door, key: str) -> asyncio.Protocol:
        return Guest(door, key, server, settings, loop=loop, access_log=None, **limits, **options)

    return make


class Guest(web.RequestHandler):
    """aiohttp's protocol, counted at the door, watched while it cannot write, and with problem documents for what it
    cannot parse.

    Args:
        door: Holds it as a guest.
        key: It is counted under this one.
        server, settings, options: See `neighbour`.

    Attributes:
        paused_at: Loop time at which the other side last took anything of what is held for it, 0 if nothing is.
    """

    __slots__ = ("_door", "_held", "_here", "_key", "_settings", "_wire", "paused_at")

    _wire: asyncio.Transport

    def __init__(self, door: Door, key: str, server: web.Server, settings: GatewaySettings, **options: Any) -> None:
        super().__init__(server, **options)
        self._door = door
        self._key = key
        self._settings = settings
        self._here = True
        self._held = 0
        self.paused_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the gate."""
        # aiohttp forgets its own at the end, when an answer may still be waiting to be taken.
        self._wire = cast(asyncio.Transport, transport)
        if plain_descriptor(transport) >= 0:
            # Paused as soon as it holds anything, so that a little that is never taken is noticed too. TLS gives up by
            # itself, half a minute after aiohttp has closed it.
            self._wire.set_write_buffer_limits(0)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called by the transport."""
        self.part()
        super().connection_lost(exc)

    def part(self) -> None:
        """It is no guest any more: over, or a session that has limits of its own."""
        if self._here:
            self._here = False
            self._door.slow.discard(self)
            self._door.parted(self._key)

    def release(self) -> None:
        """Lets go of the connection, which another protocol takes over while a handler runs: aiohttp takes it for lost.
        What the handler then returns goes nowhere."""
        # Or aiohttp would close it.
        self.transport = None
        self.connection_lost(None)

    def pause_writing(self) -> None:
        """Called by the transport."""
        super().pause_writing()
        if self._here:
            self._held = self._wire.get_write_buffer_size()
            self.paused_at = self._door.clock()
            self._door.slow.add(self)

    def resume_writing(self) -> None:
        """Called by the transport."""
        super().resume_writing()
        self.paused_at = 0.0
        self._door.slow.discard(self)

    def look_at_buffer(self) -> None:
        """Counts from the last time that something was taken: an answer is longer than a frame, and a slow line is none
        that has stalled."""
        held = self._wire.get_write_buffer_size()
        if held < self._held:
            self.paused_at = self._door.clock()
        self._held = held

    def abort(self) -> None:
        """Ends the connection at once."""
        self._wire.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Called by aiohttp, for what never became a request and for what no middleware caught."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        log.debug("malformed request", why=str(exc))
        # aiohttp has no error of its own for the second.
        if isinstance(exc, LineTooLong) or exc.message == "Too many headers received":
            return _too_large(self._settings)
        return _last(Problem(HTTPStatus.BAD_REQUEST, detail="The request is not well-formed HTTP/1.1."))


def _head_bytes(request: web.Request) -> int:
    start = len(request.method) + len(request.raw_path) + _REQUEST_EXTRA_BYTES
    return start + sum(len(name) + len(value) + _LINE_EXTRA_BYTES for name, value in request.raw_headers)


def _too_large(settings: GatewaySettings) -> web.Response:
    limits = f"The head of a request may be {settings.header_bytes} bytes and {settings.header_lines} lines."
    return _last(Problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail=limits))


def _last(problem: Problem) -> web.Response:
    """The answer with which the connection ends."""
    answer = problem.response()
    answer.headers[hdrs.CONNECTION] = "close"
    answer.force_close()
    return answer
