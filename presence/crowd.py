"""A crowd of real readers: many WebSocket connections from one process, for trying the service out.

Each is a connection of its own with an id of its own, as a browser would be; it answers pings and hears what is sent.
One that is sent away with a delay comes back after it, under the same id; one that is not let in again, or loses its
connection, tries again as a browser does. (Neither sees the ``Retry-After`` of a WebSocket that was refused.)
It is as light as can be: one protocol object around the Sans-I/O client of ``websockets``, no task while it is idle.
"""

from __future__ import annotations

import asyncio
import random
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

from store.errors import reason

# A loopback address has some 28,000 ports of its own; fewer readers each look more like a crowd.
READERS_PER_SOURCE = 1000
OPENING_AT_ONCE = 100
HANDSHAKE_SECONDS = 15.0
FAREWELL_SECONDS = 5.0
# Between two tries to come back: a random part of the first, doubled each time up to the second.
BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 8.0
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


class Memory:
    """What a browser keeps of one page while it is away.

    Attributes:
        visitor: Its id.
        cursor: How far it has got with the announcements.
        known: Revision and status of each announcement it has heard, by id.
        twice: How often it was told what it knew.
    """

    __slots__ = ("cursor", "known", "twice", "visitor")

    def __init__(self) -> None:
        self.visitor = ""
        self.cursor = ""
        self.known: dict[str, tuple[int, str]] = {}
        self.twice = 0

    def hear(self, announced: Announced) -> None:
        """Is told of an announcement."""
        now = (announced.revision, announced.status)
        self.twice += self.known.get(announced.id) == now
        self.known[announced.id] = now
        self.cursor = announced.cursor or self.cursor

    def welcome(self, told: Welcomed) -> None:
        """Comes back, or for the first time."""
        self.visitor = told.visitor or self.visitor
        if told.full:
            # All that is active, whatever was known before.
            self.known = {one.id: (one.revision, one.status) for one in told.announcements}
        else:
            for one in told.announcements:
                self.hear(one)
        self.cursor = told.cursor or self.cursor


class Return(NamedTuple):
    """Somebody who is to come back.

    Attributes:
        number: Which reader it is.
        memory: What it keeps until then.
        failures: How often it was not let in since it was sent away.
    """

    number: int
    memory: Memory
    failures: int = 0


class Reason(msgspec.Struct):
    """What a close frame says."""

    retry_ms: int | None = None


class Announced(msgspec.Struct):
    """What is looked at of an announcement."""

    id: str
    revision: int
    status: str
    cursor: str = ""


class Welcomed(msgspec.Struct):
    """What is looked at of a welcome."""

    visitor: str = ""
    announcements: list[Announced] = []
    full: bool = True
    cursor: str = ""


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
        sent_away: Those that were closed with a delay to come back after, and what it was, in seconds, for each.
        returned: How many have come back.
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
        self.sent_away: list[float] = []
        self.returned = 0
        self._returning: set[asyncio.Task[None]] = set()
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
        for one in self._returning:
            one.cancel()
        for closed, reader in enumerate(list(self._readers)):
            reader.leave()
            if closed % _CLOSE_SLICE == 0:
                await asyncio.sleep(0)
        deadline = time.monotonic() + FAREWELL_SECONDS
        while self._readers and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        for reader in list(self._readers):
            reader.cut()

    async def _come_back(self, who: Return, seconds: float) -> None:
        while not self._leaving:
            await asyncio.sleep(seconds)
            if await self._open(who.number, who.memory):
                self.returned += 1
                self._on_change()
                return
            who = who._replace(failures=who.failures + 1)
            most = min(LONGEST_BACKOFF_SECONDS, BACKOFF_SECONDS * 2**who.failures)
            seconds = random.uniform(most / 4, most)  # noqa: S311  spreads load, guards nothing

    async def _open(self, number: int, memory: Memory | None = None) -> bool:
        """Whether it was let in."""
        source = (self._sources[number % len(self._sources)], 0) if self._sources else None
        reader = _Reader(self, self._target, number, memory or Memory())
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
            self.failed[getattr(error, "strerror", None) or reason(error)] += 1
        else:
            return True
        reader.cut()
        self._on_change()
        return False

    def without(self, id: str) -> int:
        """How many of those who are connected have not heard of an announcement."""
        return sum(id not in reader.memory.known for reader in self._readers)

    @property
    def told_twice(self) -> int:
        """How often those who are connected were told what they knew."""
        return sum(reader.memory.twice for reader in self._readers)

    # -- from the readers

    def came(self, reader: _Reader) -> None:
        """It has been let in."""
        self._readers.add(reader)
        self.connected += 1
        self._on_change()

    def went(self, reader: _Reader, why: str, retry_ms: int | None = None) -> None:
        """Its connection is over; with a delay, it was sent away and comes back."""
        if reader not in self._readers:
            return
        self._readers.discard(reader)
        self.connected -= 1
        if self._leaving:
            return
        if retry_ms is None:
            self.ended[why] += 1
        else:
            self.sent_away.append(retry_ms / 1000)
            coming = asyncio.create_task(self._come_back(Return(reader.number, reader.memory), retry_ms / 1000))
            self._returning.add(coming)
            coming.add_done_callback(self._returning.discard)
        self._on_change()

    def heard(self, reader: _Reader, message: bytes) -> None:
        """A reader was sent a message."""
        if not message.startswith(_ANNOUNCEMENT):
            return
        announced = msgspec.json.decode(message, type=Announced)
        reader.memory.hear(announced)
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

    __slots__ = ("_crowd", "_protocol", "_transport", "memory", "number", "opened")

    def __init__(self, crowd: Crowd, target: Target, number: int, memory: Memory) -> None:
        scheme = "wss" if target.tls else "ws"
        host = f"[{target.host}]" if ":" in target.host else target.host
        known = f"&visitor={quote(memory.visitor)}&since={quote(memory.cursor)}" if memory.visitor else ""
        uri = parse_uri(f"{scheme}://{host}:{target.port}/ws?site={quote(target.site)}&path=/{known}")
        self.number = number
        self.memory = memory
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
        if closed is None:
            self._crowd.went(self, "connection lost")
        else:
            self._crowd.went(self, f"closed with {int(closed.code)}", _retry_ms(closed.reason))

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
                    self.memory.welcome(msgspec.json.decode(event.data, type=Welcomed))
                    self.opened.set_result(None)
                    self._crowd.came(self)
                self._crowd.heard(self, bytes(event.data))

    def _flush(self) -> None:
        for chunk in self._protocol.data_to_send():
            if self._transport is None:
                return
            if chunk:
                self._transport.write(chunk)
            else:
                self._transport.close()


def _retry_ms(reason: str) -> int | None:
    """After how long whoever was closed for this reason is to come back."""
    try:
        return msgspec.json.decode(reason, type=Reason).retry_ms
    except msgspec.MsgspecError:
        return None


def loopback_sources(readers: int) -> Iterator[str]:
    """Enough addresses of 127.0.0.0/8 for so many readers to come from, 127.0.0.2 first."""
    for number in range(1, 2 + readers // READERS_PER_SOURCE):
        yield f"127.0.{number // 250}.{number % 250 + 1}"


def _unchecked() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
