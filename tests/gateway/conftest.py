"""What the gateway's tests share: a whole gate on a real port, and a client that sends any bytes it is told to.

Every house checks, when its test is over and its clients are gone, that it holds nothing: no session, no guest, no
arrival, no address, no timer. So every test is also a test for leaks. The tests run on uvloop, as the service does.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
import uvloop
from aiohttp import web
from websockets.frames import Close, Frame, Opcode
from websockets.streams import StreamReader

from gateway import compat, listening, ordinary
from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.heads import limit_heads, neighbour
from gateway.hub import Hub
from gateway.inbox import Inboxes, inboxes_of
from gateway.poll import PollSession
from gateway.problems import problems
from gateway.settings import GatewaySettings
from gateway.sites import SiteSettings
from gateway.tasks import Caretaker
from tests.patience import PATIENCE_SECONDS, until

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # of RFC 6455 section 1.3, and what is to be answered:
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
MASK = b"\x9a\x1c\xe7\x55"
ORIGIN = "https://portal.example.vn"
PAGE = "a page like any other"
# More than the kernel and the transport hold together.
LONG = bytes(8_000_000)


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """Runs this folder on the event loop of the service."""
    return {"uvloop": uvloop.new_event_loop}


# -- bytes


def upgrade(
    query: str = "site=demo",
    *,
    method: str = "GET",
    http: str = "1.1",
    host: str | None = "localhost",
    origin: str | None = ORIGIN,
    version: str | None = "13",
    key: str | None = KEY,
    connection: str | None = "Upgrade",
    upgrade: str | None = "websocket",
    more: tuple[str, ...] = (),
) -> bytes:
    """The head of an upgrade request, proper unless told otherwise; None leaves a line out."""
    named = {
        "Host": host,
        "Origin": origin,
        "Connection": connection,
        "Upgrade": upgrade,
        "Sec-WebSocket-Version": version,
        "Sec-WebSocket-Key": key,
    }
    lines = [f"{method} /ws{'?' + query if query else ''} HTTP/{http}"]
    lines += [f"{name}: {value}" for name, value in named.items() if value is not None]
    return "\r\n".join([*lines, *more, "", ""]).encode()


def page(target: str = "/page", *more: str) -> bytes:
    """The head of an ordinary request that leaves the connection open."""
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: localhost", *more, "", ""]).encode()


def ask(
    what: str,
    query: str = "site=demo",
    *more: str,
    method: str = "GET",
    http: str = "1.1",
    origin: str | None = ORIGIN,
    body: bytes = b"",
) -> bytes:
    """A request for ``events``, ``poll`` or ``say/<id>``, as a page of an allowed origin sends it."""
    lines = [f"{method} /{what}{'?' + query if query else ''} HTTP/{http}", "Host: localhost", *more]
    lines += [f"Origin: {origin}"] if origin is not None else []
    lines += [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    size: int | None = None,
) -> bytes:
    """A frame as a browser sends it, or as none ever should.

    Args:
        reserved: The three reserved bits, 0 to 7.
        size: What the head says the length is, where that is not the truth.
    """
    length = len(payload) if size is None else size
    mask_bit = 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    if length < 126:
        head += bytes([mask_bit | length])
    elif length < 65536:
        head += bytes([mask_bit | 126]) + length.to_bytes(2, "big")
    else:
        head += bytes([mask_bit | 127]) + length.to_bytes(8, "big")
    if not masked:
        return head + payload
    stream = MASK * (len(payload) // 4 + 1)
    blended = int.from_bytes(payload, "big") ^ int.from_bytes(stream[: len(payload)], "big")
    return head + MASK + blended.to_bytes(len(payload), "big")


def said(message: object) -> bytes:
    """A JSON message in one frame."""
    return frame(Opcode.TEXT, json.dumps(message).encode())


def farewell(code: int = 1000, reason: str = "") -> bytes:
    """A close frame."""
    return frame(Opcode.CLOSE, code.to_bytes(2, "big") + reason.encode())


# -- a client


class Answer(NamedTuple):
    """An HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The problem document."""
        assert self.headers["content-type"].startswith("application/problem+json"), self.headers
        document: dict[str, Any] = json.loads(self.body)
        return document


class Client:
    """The other end: raw bytes out; answers and frames in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._inbox = StreamReader()
        self._parser: Generator[None, None, Frame] | None = None

    async def send(self, chunk: bytes) -> None:
        """Sends as it stands."""
        self.writer.write(chunk)
        await self.writer.drain()

    async def send_in_pieces(self, *pieces: bytes) -> None:
        """Sends each by itself, and lets the server, which shares our loop, read it before the next."""
        for piece in pieces:
            self.writer.write(piece)
            for _ in range(3):
                await asyncio.sleep(0)

    async def answer(self) -> Answer:
        """The next HTTP answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = await self._reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
            return Answer(int(first.split()[1]), headers, body)

    async def refused(self) -> Answer:
        """The next HTTP answer, behind which the server ends the connection."""
        answer = await self.answer()
        await self.ended()
        assert "close" in answer.headers["connection"].lower()
        return answer

    async def opened(self) -> dict[str, Any]:
        """The 101 and the welcome."""
        answer = await self.answer()
        assert answer.status == 101, answer
        welcome = await self.message()
        assert welcome["type"] == "welcome"
        assert (await self.frame()).opcode is Opcode.PING
        return welcome

    async def followed(self) -> tuple[Answer, dict[str, Any]]:
        """The head of a stream of events, and the welcome."""
        answer = await self.answer()
        assert answer.status == 200, answer
        welcome = json.loads((await self.event())["data"])
        assert welcome["type"] == "welcome"
        return answer, welcome

    async def event(self) -> dict[str, str]:
        """The next event, by the names of its lines."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            block = await self._reader.readuntil(b"\n\n")
        lines = [line.partition(": ") for line in block.decode().rstrip("\n").split("\n")]
        assert len({name for name, _, _ in lines}) == len(lines)
        return {name: value for name, _, value in lines}

    async def told(self) -> dict[str, Any]:
        """The next message of a stream of events."""
        message: dict[str, Any] = json.loads((await self.event())["data"])
        return message

    async def polled(self) -> dict[str, Any]:
        """The answer to a poll."""
        answer = await self.answer()
        assert answer.status == 200, answer
        told: dict[str, Any] = json.loads(answer.body)
        return told

    async def frame(self) -> Frame:
        """The next frame."""
        if self._parser is None:
            self._parser = Frame.parse(self._inbox.read_exact, mask=False)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    next(self._parser)
                except StopIteration as done:
                    self._parser = None
                    complete: Frame = done.value
                    return complete
                chunk = await self._reader.read(65536)
                if not chunk:
                    raise EOFError
                self._inbox.feed_data(chunk)

    async def message(self) -> dict[str, Any]:
        """The next JSON message; pings and pongs before it are passed over."""
        while (received := await self.frame()).opcode in (Opcode.PING, Opcode.PONG):
            pass
        assert received.opcode is Opcode.TEXT, received
        message: dict[str, Any] = json.loads(bytes(received.data))
        return message

    async def closed(self) -> Close:
        """What the server's close frame says; other frames before it are passed over, none may come after."""
        while (received := await self.frame()).opcode is not Opcode.CLOSE:
            pass
        assert not self._inbox.buffer
        await self.ended()
        return Close.parse(received.data)

    async def ended(self) -> None:
        """Waits for the server to end the connection: properly, not with a reset."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await self._reader.read(65536) == b""

    async def gone(self) -> None:
        """Waits for the connection to end, whichever way."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                while await self._reader.read(65536):
                    pass
            except ConnectionError:
                pass

    def hang_up(self) -> None:
        """Ends the connection at once."""
        self.writer.transport.abort()


# -- a house


@dataclass
class House:
    """A gate with the service's front desk, a hub, and an application behind it."""

    settings: GatewaySettings
    hub: Hub
    desk: FrontDesk
    door: Door
    caretaker: Caretaker
    tls: ssl.SSLContext | None = None
    port: int = 0
    clients: list[Client] = field(default_factory=list)

    async def connect(self, source: str | None = None) -> Client:
        """A fresh connection, from `source` if given."""
        local = (source, 0) if source else None
        name = "localhost" if self.tls else None
        streams = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=local, ssl=self.tls, server_hostname=name
        )
        client = Client(*streams)
        self.clients.append(client)
        return client

    async def connect_after_page(self, source: str | None = None) -> Client:
        """A connection that has fetched a page, and so is aiohttp's."""
        client = await self.connect(source)
        await client.send(page())
        answer = await client.answer()
        assert (answer.status, answer.body) == (200, PAGE.encode())
        return client

    @property
    def holds(self) -> tuple[int, ...]:
        """Sessions at the door, sessions in the hub, guests, arrivals, addresses counted, timers."""
        door = self.door
        return door.sessions, self.hub.total, door.guests, door.arrivals, len(addresses(door)), len(door.wheel)

    @property
    def inboxes(self) -> Inboxes:
        """The inboxes of the house."""
        return inboxes_of(self.door)

    @property
    def polling(self) -> list[PollSession]:
        """The sessions that poll; they outlive their connections for a while."""
        return [session for session in self.hub.everyone() if isinstance(session, PollSession)]

    def session(self, site: str = "demo") -> Any:
        """The only session there is."""
        (session,) = self.hub.everyone()
        assert session.site == site
        return session


def addresses(door: Door) -> list[str]:
    """The keys that connections are counted under, once for each kind."""
    counted = (door._per_address, door._guests_per_address, door._arrivals_per_address)
    return [key for kind in counted for key in kind._open]


Opener = Callable[..., Awaitable[House]]


@asynccontextmanager
async def _running(options: dict[str, Any], tls: tuple[ssl.SSLContext, ssl.SSLContext] | None) -> AsyncIterator[House]:
    settings = GatewaySettings(**options)
    hub = Hub(settings.slow_bytes)
    desk = FrontDesk(settings, SITES, hub)
    door = Door(settings, desk)
    door.wheel.width = 0.01
    ours, theirs = tls or (None, None)
    house = House(settings, hub, desk, door, Caretaker(), theirs)
    app = web.Application(middlewares=[problems, limit_heads(settings)])
    app.on_response_prepare.append(listening.last_answers(door))
    app.add_routes([compat.route(door), web.get("/page", _page), web.get("/long", _long)])
    app.add_routes(ordinary.routes(door, Inboxes(door, desk)))
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    server = await listening.listen(door, neighbour(runner.server, settings), "127.0.0.1", 0, tls=ours)
    house.port = server.sockets[0].getsockname()[1]
    house.caretaker.start("wheel", door.wheel.run)
    house.caretaker.start("sweep", door.sweep)
    try:
        yield house
        for client in house.clients:
            client.hang_up()
        for session in house.polling:
            session.abort()
        await until(lambda: not any(house.holds))
        assert not house.inboxes._sessions
        assert not house.caretaker.failures
        assert not door.slow
    finally:
        server.close()
        await house.caretaker.stop()
        await runner.cleanup()


async def _page(request: web.Request) -> web.Response:
    return web.Response(text=PAGE)


async def _long(request: web.Request) -> web.Response:
    return web.Response(body=LONG)


SITES = {"demo": SiteSettings(origins=[ORIGIN]), "other": SiteSettings(origins=["http://*.example.vn:*"])}


@pytest.fixture
async def open_house() -> AsyncIterator[Opener]:
    """Opens a house with these gateway settings; closed, and looked over, when the test ends.

    With `tls`, a pair of contexts for the house and for its clients, it speaks TLS.
    """
    async with AsyncExitStack() as stack:

        async def opener(*, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None, **options: Any) -> House:
            return await stack.enter_async_context(_running(options, tls))

        yield opener


@pytest.fixture
async def house(open_house: Opener) -> House:
    """A house with the default settings."""
    return await open_house()


Way = Callable[..., Awaitable[Client]]


@pytest.fixture(params=["gate", "compat"])
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    """Both ways in: a connection on which nothing was sent yet, and one that aiohttp serves already."""

    async def connect(house: House, source: str | None = None) -> Client:
        if request.param == "gate":
            return await house.connect(source)
        return await house.connect_after_page(source)

    connect.__name__ = request.param
    yield connect
