"""One open connection of a browser, as a protocol on its transport.

There are tens of thousands, nearly all idle, so a session is one object with slots: no task, no timer, no parser and
no buffer of its own. Its pings come from the shared wheel; a reader of frames exists only while a frame is incomplete.
It promises the desk exactly one ``closed`` for each ``opened``, and never waits for a browser: a browser that does not
read is aborted.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, ClassVar

import structlog
from websockets.frames import Opcode

from gateway import frames
from gateway.closing import CloseCode
from gateway.errors import FrameError
from gateway.limits import TokenBucket

if TYPE_CHECKING:
    from gateway.door import Door
    from gateway.handshake import Upgrade

log = structlog.get_logger(__name__)

TICK = frames.text(b'{"type":"tick"}')
# One write a ping: the WebSocket's own for the network, and a tick because a page cannot see pings.
PING_AND_TICK = frames.PING + TICK

# A browser that has been told to go is given this long to hang up.
LINGER_SECONDS = 2.0

# A transport that holds more than this reads slowly. Well below what is kept for a slow reader, so that there is
# room for announcements between being slow and being aborted.
PAUSED_ABOVE_BYTES = 16_384

# A pong without content, masked by any four bytes (RFC 6455 section 5.2).
_PONG, _PONG_BYTES = b"\x8a\x80", 6
_EMPTY_PONG = frames.Message(Opcode.PONG, b"")

# Until a ping is tried again on a session that cannot be written to.
_PAUSED_SECONDS = 1.0


class _Ping(Enum):
    """Where a session's ping is.

    A pong that answers none is a message like others, and counts against the rate.

    Attributes:
        GREETED: Sent with the welcome, and not judged yet.
        REPLIED: The same, and its pong has come.
        OWED: The one of the welcome was judged by something else that was heard; its pong may still come.
        NONE: There is none.
        SENT: Sent, and not judged yet.
        ANSWERED: The same, and its pong has come.
    """

    GREETED = auto()
    REPLIED = auto()
    OWED = auto()
    NONE = auto()
    SENT = auto()
    ANSWERED = auto()


_WELCOMED = frozenset({_Ping.GREETED, _Ping.REPLIED})
_PINGED = frozenset({_Ping.SENT, _Ping.ANSWERED})
# What a pong makes of a ping; of any other it makes nothing.
_PONGED = {_Ping.GREETED: _Ping.REPLIED, _Ping.OWED: _Ping.NONE, _Ping.SENT: _Ping.ANSWERED}


def first_ping(door: Door) -> float:
    """Seconds until a new session's first ping: spread, so that a crowd that came together is not pinged together."""
    settings = door.settings
    # The wheel may be a slot late, and the first tick is promised within `ping_seconds` too.
    latest = max(settings.pong_seconds, settings.ping_seconds - door.wheel.width)
    return random.uniform(settings.pong_seconds, latest)  # noqa: S311  spreads load, guards nothing


class Session(asyncio.Protocol):
    """One connection.

    Attributes:
        site, path, section: Where the reader is.
        visitor, since, show, state: As the browser sent them, unverified; empty once it is greeted.
        again: It comes back with a page that was open before.
        apart: Why it is no reader, see :class:`gateway.handshake.Upgrade`.
        answered: Whether its browser has shown that it hears us, see :meth:`gateway.desk.FrontDesk.answered`.
        watching: Follows, but is no reader: not counted.
        tests: Its browser has asked for what is sent as a test, too.
        address: The key its limits are counted under, empty if exempt.
        way: How its browser follows: ``websocket``, ``sse`` or ``poll``.
        reader: What the presence room keeps for it.
        told: What the notifications room keeps for it.
        closing: Whether it has been told to go, or has gone.
        descriptor: Of the socket, where frames may be written to it past a transport that holds nothing, see
            :mod:`gateway.hub`; -1 where they may not, under TLS and behind aiohttp.
        paused_at: Loop time at which the transport stopped taking more, 0 while it takes.
    """

    __slots__ = (
        "__weakref__",
        "_bucket",
        "_door",
        "_heard",
        "_inbound",
        "_ping",
        "address",
        "again",
        "answered",
        "apart",
        "closing",
        "descriptor",
        "path",
        "paused_at",
        "reader",
        "section",
        "show",
        "since",
        "site",
        "slot",
        "state",
        "tests",
        "told",
        "transport",
        "visitor",
        "watching",
    )

    way: ClassVar[str] = "websocket"

    def __init__(self, door: Door, upgrade: Upgrade, address: str, transport: asyncio.Transport) -> None:
        self._door = door
        self.transport: asyncio.Transport = transport
        self.site = upgrade.site
        self.path = upgrade.path
        self.section = upgrade.section
        self.visitor = upgrade.visitor
        self.since = upgrade.since
        self.show = upgrade.show
        self.state = upgrade.state
        self.again = upgrade.again
        self.apart = upgrade.apart
        self.watching = upgrade.watching
        self.tests = upgrade.tests
        self.answered = False
        self.address = address
        self.reader: object | None = None
        self.told: object = 0
        self.descriptor = -1
        self.paused_at = 0.0
        self.slot = 0
        self._inbound: frames.Inbound | None = None
        self._bucket: TokenBucket | None = None
        self.closing = False
        self._heard = True
        self._ping = _Ping.OWED

    # -- towards the browser

    def begin(self, *, welcomed: bool) -> None:
        """It has been let in: from now on the wheel calls.

        Args:
            welcomed: It was sent a welcome, and the ping that comes with one: then it has as long as for any ping to
                show that there is somebody. One entry in the wheel serves for that and for its pings.
        """
        door = self._door
        if welcomed:
            self._ping = _Ping.GREETED
            self._heard = False
        door.wheel.put(self, door.clock(), door.settings.pong_seconds if welcomed else first_ping(door))

    def send(self, frame: bytes) -> None:
        """Sends encoded frames to this browser alone; a session that is going gets nothing more."""
        if not self.closing:
            self.transport.write(frame)

    def close(self, code: CloseCode, retry_ms: int | None = None) -> None:
        """Sends a close frame and lets the browser hang up; takes it by the collar after two seconds."""
        if self.closing:
            return
        reason = frames.close_reason(retry_ms) if retry_ms is not None else ""
        self._door.closes[code] += 1
        self.closing = True
        self.transport.write(frames.close(code, reason))
        self._hang_up()

    def abort(self) -> None:
        """Ends the connection at once; what was not sent is lost."""
        self.closing = True
        self.transport.abort()

    def due(self, now: float) -> float:
        """The wheel's call: pings, judges the last ping, or ends a browser that will not hang up."""
        if self.closing:
            self.transport.abort()
            return 0.0
        settings = self._door.settings
        wheel = self._door.wheel
        ping = self._ping
        if not self._heard and (ping in _PINGED or ping in _WELCOMED):
            self._door.vanished += 1
            self.abort()
            return 0.0
        if ping in _WELCOMED:
            self._ping = _Ping.OWED if ping is _Ping.GREETED else _Ping.NONE
            # The wheel may be a slot late once more than `first_ping` reckons with.
            return max(wheel.width, first_ping(self._door) - settings.pong_seconds - wheel.width)
        if ping in _PINGED:
            self._ping = _Ping.NONE
            # The wheel may be a slot late at either end, and a tick is promised every `ping_seconds`.
            return max(wheel.width, settings.ping_seconds - settings.pong_seconds - 2 * wheel.width)
        if self.paused_at:
            return _PAUSED_SECONDS
        self.transport.write(PING_AND_TICK)
        self._heard = False
        self._ping = _Ping.SENT
        # Whoever spoke since the last ping has long been given its tokens back.
        self._bucket = None
        return settings.pong_seconds

    def _hang_up(self) -> None:
        """After our close frame: end our side, and go on reading, so that unread input cannot reset the connection
        before the browser has seen why it ends."""
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            # TLS says goodbye by itself, and reads on until the other side has.
            self.transport.close()
        wheel = self._door.wheel
        wheel.discard(self)
        wheel.put(self, self._door.clock(), LINGER_SECONDS)

    # -- from the browser

    def data_received(self, data: bytes) -> None:
        """Called by the transport."""
        self._heard = True
        if self.closing:
            return
        inbound = self._inbound
        if inbound is None and len(data) == _PONG_BYTES and data.startswith(_PONG):
            # Nearly all that browsers ever send; not worth a parser.
            self.hear(_EMPTY_PONG)
            return
        if inbound is None:
            inbound = self._inbound = frames.Inbound(self._door.message_bytes)
        try:
            for message in inbound.feed(data):
                if not self.hear(message):
                    self._inbound = None
                    return
        except FrameError as error:
            self._inbound = None
            self.close(error.code)
            return
        if inbound.idle:
            self._inbound = None

    def hear(self, message: frames.Message) -> bool:
        """A whole message or control frame has come; returns whether to listen on."""
        opcode = message.opcode
        if not self.answered and opcode is not Opcode.CLOSE:
            self._guarded(self._door.desk.answered, self)
        if opcode is Opcode.PONG and self._ping in _PONGED:
            self._ping = _PONGED[self._ping]
        elif opcode is Opcode.CLOSE:
            self._answer_close(message.payload)
        elif not self._within_rate():
            self.close(CloseCode.FLOOD)
        elif opcode is Opcode.PING:
            self.transport.write(frames.pong(message.payload))
        elif opcode is not Opcode.PONG:
            self._guarded(self._door.desk.received, self, message)
        return not self.closing

    def _guarded(self, tell: Callable[..., None], *said: object) -> None:
        try:
            tell(*said)
        except Exception as error:
            # A listener's fault is not the browser's: it is told so, and comes back.
            log.error("message failed", site=self.site, exc_info=error)
            self.close(CloseCode.SERVER_FAULT)

    def _within_rate(self) -> bool:
        settings = self._door.settings
        if self._bucket is None:
            self._bucket = TokenBucket(settings.messages_per_second, settings.message_burst)
        return self._bucket.take(self._door.clock())

    def _answer_close(self, payload: bytes) -> None:
        code = frames.parse_close(payload).code
        self.closing = True
        no_status = 1005  # RFC 6455 section 7.4.1: stands for "none given", is never sent
        self.transport.write(frames.close(code) if code != no_status else b"\x88\x00")
        self._hang_up()

    # -- from the transport

    def pause_writing(self) -> None:
        """The transport holds more than it should: the browser reads too slowly."""
        self.paused_at = self._door.clock()
        self._door.slow.add(self)

    def resume_writing(self) -> None:
        """It has caught up."""
        self.paused_at = 0.0
        self._door.slow.discard(self)

    def look_at_buffer(self) -> None:
        """Nothing to do here: the transport calls `pause_writing` and `resume_writing`."""

    def eof_received(self) -> bool:
        """The browser has ended its side; the transport then closes."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over, whichever way."""
        self.closing = True
        self._inbound = None
        self._door.left(self)
