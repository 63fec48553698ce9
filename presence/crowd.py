"""A crowd of real readers: many WebSocket connections from one process, for trying the service out.

Each is a connection of its own with an id of its own, as a browser would be; it answers pings and hears what is sent.
It is as light as can be: one protocol object around the Sans-I/O client of ``websockets``, no task while it is idle.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple, cast
from urllib.parse import quote

import msgspec
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

# A loopback address has some 28,000 ports of its own; fewer readers each look more like a crowd.
READERS_PER_SOURCE = 1000
OPENING_AT_ONCE = 100
HANDSHAKE_SECONDS = 15.0
FAREWELL_SECONDS = 5.0
_CLOSE_SLICE = 250
_ANNOUNCEMENT = b'{"type":"announcement"'


class Target(NamedTuple):
    """Where the readers go.

    Attributes:
        host, port: The public listener; a loopback address.
        tls: Whether it speaks TLS. The certificate is not checked: it cannot be for a loopback address.
        site: Which portal they read.
    """

    host: str
    port: int
    tls: bool
    site: str


class Announced(msgspec.Struct):
    """What is looked at of an announcement."""

    id: str
    revision: int
    status: str


class Hearing:
    """How far an announcement has got: how many heard it, and seconds from the first to the last so far."""

    def __init__(self, now: float) -> None:
        self._first_at = now
        self.readers = 0
        self.seconds = 0.0

    def heard(self, now: float) -> None:
        """By one more."""
        self.readers += 1
        self.seconds = now - self._first_at


class Crowd:
    """All simulated readers.

    Args:
        target: Where they go.
        sources: Addresses they come from, in turn; none: as the kernel chooses.
        on_change: Called when somebody came, failed, or went.
        on_announcement: Called with every announcement everybody has heard.

    Attributes:
        connected: Readers connected now.
        failed: Connections that were not made, by reason.
        ended: Connections that ended though nobody here ended them, by reason.
        announcements: What was heard, by id, revision and status.
    """

    def __init__(
        self,
        target: Target,
        sources: list[str],
        on_change: Callable[[], None],
        on_announcement: Callable[[Announced, Hearing], None],
    ) -> None:
        self._target = target
        self._sources = sources
        self._on_change = on_change
        self._on_announcement = on_announcement
        self._tls = _unchecked() if target.tls else None
        self._readers: set[_Reader] = set()
        self._leaving = False
        self.connected = 0
        self.failed: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.announcements: dict[tuple[str, int, str], Hearing] = {}

    async def gather(self, readers: int, per_second: float = 0.0) -> None:
        """Connects so many; returns when each has been welcomed or has failed.

        Args:
            readers: How many.
            per_second: At most so many a second; 0: as fast as they are let in.
        """
        began = time.monotonic()
        numbers = iter(range(readers))

        async def open_some() -> None:
            for number in numbers:
                if per_second:
                    await asyncio.sleep(began + number / per_second - time.monotonic())
                await self._open(number)

        async with asyncio.TaskGroup() as openers:
            for _ in range(min(readers, OPENING_AT_ONCE)):
                openers.create_task(open_some())

    async def disperse(self) -> None:
        """Closes every connection properly; cuts those that do not answer in time."""
        self._leaving = True
        for closed, reader in enumerate(list(self._readers)):
            reader.leave()
            if closed % _CLOSE_SLICE == 0:
                await asyncio.sleep(0)
        deadline = time.monotonic() + FAREWELL_SECONDS
        while self._readers and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        for reader in list(self._readers):
            reader.cut()

    async def _open(self, number: int) -> None:
        source = (self._sources[number % len(self._sources)], 0) if self._sources else None
        reader = _Reader(self, self._target)
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                await asyncio.get_running_loop().create_connection(
                    lambda: reader, self._target.host, self._target.port, ssl=self._tls, local_addr=source
                )
                await reader.opened
        except TimeoutError:
            self.failed["no answer in time"] += 1
        except InvalidStatus as refusal:
            self.failed[f"HTTP {refusal.response.status_code}"] += 1
        except Exception as error:  # noqa: BLE001  whatever it is, it is counted and shown
            self.failed[getattr(error, "strerror", None) or str(error) or type(error).__name__] += 1
        else:
            return
        reader.cut()
        self._on_change()

    # -- from the readers

    def came(self, reader: _Reader) -> None:
        """It has been let in."""
        self._readers.add(reader)
        self.connected += 1
        self._on_change()

    def went(self, reader: _Reader, why: str) -> None:
        """Its connection is over."""
        if reader not in self._readers:
            return
        self._readers.discard(reader)
        self.connected -= 1
        if not self._leaving:
            self.ended[why] += 1
            self._on_change()

    def heard(self, message: bytes) -> None:
        """A reader was sent a message."""
        if not message.startswith(_ANNOUNCEMENT):
            return
        announced = msgspec.json.decode(message, type=Announced)
        now = time.monotonic()
        key = (announced.id, announced.revision, announced.status)
        hearing = self.announcements.get(key)
        if hearing is None:
            hearing = self.announcements[key] = Hearing(now)
        hearing.heard(now)
        if hearing.readers == self.connected:
            self._on_announcement(announced, hearing)


class _Reader(asyncio.Protocol):
    """One simulated reader."""

    __slots__ = ("_crowd", "_protocol", "_transport", "opened")

    def __init__(self, crowd: Crowd, target: Target) -> None:
        scheme = "wss" if target.tls else "ws"
        host = f"[{target.host}]" if ":" in target.host else target.host
        uri = parse_uri(f"{scheme}://{host}:{target.port}/ws?site={quote(target.site)}&path=/")
        self._crowd = crowd
        self._protocol = ClientProtocol(uri)
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._take_events()
        self._flush()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._take_events()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionResetError("closed before the welcome"))
            # Whoever gave up waiting does not look at it any more.
            self.opened.exception()
        closed = self._protocol.close_rcvd
        self._crowd.went(self, f"closed with {int(closed.code)}" if closed is not None else "connection lost")

    def leave(self) -> None:
        """Says goodbye as a browser does that closes the page."""
        self._protocol.send_close(CloseCode.GOING_AWAY)
        self._flush()

    def cut(self) -> None:
        """Ends the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _take_events(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                if self._protocol.handshake_exc is not None and not self.opened.done():
                    self.opened.set_exception(self._protocol.handshake_exc)
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                if not self.opened.done():
                    # The welcome: only now is it a reader.
                    self.opened.set_result(None)
                    self._crowd.came(self)
                self._crowd.heard(bytes(event.data))

    def _flush(self) -> None:
        for chunk in self._protocol.data_to_send():
            if self._transport is None:
                return
            if chunk:
                self._transport.write(chunk)
            else:
                self._transport.close()


def loopback_sources(readers: int) -> Iterator[str]:
    """Enough addresses of 127.0.0.0/8 for so many readers to come from, 127.0.0.2 first."""
    for number in range(1, 2 + readers // READERS_PER_SOURCE):
        yield f"127.0.{number // 250}.{number % 250 + 1}"


def _unchecked() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
