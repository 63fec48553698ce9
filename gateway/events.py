"""``GET /events``: the stream of a session as Server-Sent Events (WHATWG HTML, section 9.2).

For networks in which no WebSocket opens. The connection is taken over like that of a WebSocket: one slotted object on
the transport, no task, no parser. What is said to the session is translated on its way out, the same for all; what its
browser says comes by the inbox that its welcome names.

Who has vanished is noticed as fast as on a WebSocket. Something is sent every ``ping_seconds``, and the kernel gives a
connection up on which nothing was acknowledged for ``pong_seconds``. A proxy acknowledges for a reader that is gone;
so a browser that answers ticks, by its inbox, is held to it, and the stream of one that never says anything ends after
``events_seconds``: if there is anybody, it comes back.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, ClassVar, cast

from gateway.closing import CloseCode
from gateway.following import Following
from gateway.handshake import Upgrade
from gateway.inbox import PATH, Correspondent, inboxes_of
from gateway.session import PAUSED_ABOVE_BYTES, TICK
from gateway.translation import Translator, with_inbox

if TYPE_CHECKING:
    from gateway.door import Door

# The kernel counts from the first time it sends something again, which is some tenths of a second after it was sent,
# and seconds on a bad line.
_USER_TIMEOUT_SHARE = 0.75

# Until a tick is tried again on a stream that cannot be written to.
_PAUSED_SECONDS = 1.0

# The stream has no length and ends with the connection. `no-transform` and nginx's own line keep proxies from holding
# it back to compress or to fill a buffer.
_HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: text/event-stream\r\n"
    b"Cache-Control: no-store, no-transform\r\n"
    b"Connection: close\r\n"
    b"X-Accel-Buffering: no\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
)


class EventSession(Correspondent):
    """A session that is told by events.

    Attributes:
        spoke_at: Loop time at which its browser last said something, or came.
    """

    __slots__ = ("_answers_ticks", "_ticked", "spoke_at")

    way: ClassVar[str] = "sse"

    def __init__(self, door: Door, upgrade: Upgrade, address: str, transport: asyncio.Transport) -> None:
        super().__init__(door, upgrade, address, transport)
        self.spoke_at = door.clock()
        self._answers_ticks = False
        # Whether the last tick is still to be judged.
        self._ticked = False

    def posted(self, body: bytes) -> None:
        """See Correspondent."""
        self.spoke_at = self._door.clock()
        self._answers_ticks = self._answers_ticks or not body or b'"tick"' in body
        super().posted(body)

    def due(self, now: float) -> float:
        """The wheel's call: sends a tick, looks whether the last was answered, or ends a stream that is to end."""
        if self.closing:
            self.transport.abort()
            return 0.0
        door = self._door
        settings, width = door.settings, door.wheel.width
        if now - self.spoke_at > settings.events_seconds:
            # Puts itself back into the wheel.
            self.close(CloseCode.RESTART, inboxes_of(door).desk.retry_ms())
            return 0.0
        if self._ticked:
            self._ticked = False
            if self._answers_ticks and not self._heard:
                door.vanished += 1
                self.abort()
                return 0.0
            # The wheel may be a slot late at either end, and a tick is promised every `ping_seconds`.
            return max(width, settings.ping_seconds - settings.pong_seconds - 2 * width)
        if self.paused_at:
            return _PAUSED_SECONDS
        self.transport.write(TICK)
        self._ticked, self._heard = True, False
        # Whoever spoke since the last tick has long been given its tokens back.
        self._bucket = None
        return settings.pong_seconds

    def data_received(self, data: bytes) -> None:
        """Called by the transport. After a request with which the connection ends nothing may come."""
        if not self.closing:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See Session."""
        if isinstance(exc, TimeoutError):
            self._door.vanished += 1
        super().connection_lost(exc)


class _Outlet:
    """The transport as an event session sees it: what is written to it comes out as events."""

    __slots__ = ("_translator", "_transport")

    def __init__(self, transport: asyncio.Transport, translator: Translator) -> None:
        self._transport = transport
        self._translator = translator

    def write(self, frame: bytes) -> None:
        self._transport.write(self._translator.events(frame))

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)


def follow(door: Door, asked: Following, peer: str, transport: asyncio.Transport) -> EventSession:
    """Opens the session and makes it the protocol of `transport`, answered and welcomed.

    Raises:
        Refusal: It may not come in; nothing is held and nothing was sent.
    """
    door.pace()
    inboxes = inboxes_of(door)
    outlet = _Outlet(transport, inboxes.translator)
    session, welcome = door.enter(asked, peer, cast(asyncio.Transport, outlet), EventSession)
    inboxes.add(session)
    transport.set_protocol(session)
    transport.set_write_buffer_limits(PAUSED_ABOVE_BYTES)
    _give_up_after(transport, _USER_TIMEOUT_SHARE * door.settings.pong_seconds)
    readable = inboxes.readable(asked.origin, asked.site)
    lines = "".join([f"{name}: {value}\r\n" for name, value in readable]).encode("latin-1")
    events = [telling.event for telling in with_inbox(welcome, PATH + session.id)]
    # Whoever loses the stream and is no script of ours comes back after this; each after another time.
    retry = b"retry: %d\n" % inboxes.desk.retry_ms()
    transport.write(b"".join([_HEAD, lines, b"\r\n", retry, *events]))
    return session


def _give_up_after(transport: asyncio.Transport, seconds: float) -> None:
    """Has the kernel end the connection when what was sent is not acknowledged for so long (RFC 5482)."""
    plain = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if plain is not None and option is not None and plain.family in (socket.AF_INET, socket.AF_INET6):
        plain.setsockopt(socket.IPPROTO_TCP, option, max(1, round(1000 * seconds)))
