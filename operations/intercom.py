"""What the supervisor and a worker say to each other: one JSON object a line, over a socket pair.

The first line down is :class:`Start`, the first one up :class:`Ready` or :class:`Failed`. A worker that reads the end
of the stream has lost its supervisor and leaves at once. Nothing secret is ever on a command line or in the
environment: the settings travel here.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TypeAlias

import msgspec

from operations.figures import WorkerFigures

# A line holds the settings of every site, or the figures of every site.
_LONGEST_LINE = 16 * 1024 * 1024


class Start(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """What a worker needs to know to begin.

    Attributes:
        index: Which of the node's workers it is, from 0. One that takes a dead one's place has its index.
        workers: How many there are.
        node: Names this run of the supervisor among all that share the store.
        host: Where to listen.
        port: Where to listen; never 0.
        store_url: The store, credentials and all.
        public_url: How browsers reach the service, without a slash at the end.
        data_dir: The data directory.
        base_dir: What relative paths in the settings are relative to.
        settings: The roof's settings as JSON, with what the command line changed.
    """

    index: int
    workers: int
    node: str
    host: str
    port: int
    store_url: str
    public_url: str
    data_dir: str
    base_dir: str
    settings: msgspec.Raw


class Drain(msgspec.Struct, tag=True, frozen=True):
    """Take nobody in, see everybody off within `seconds`, then leave. A second one may give less time."""

    seconds: float


class FiguresWanted(msgspec.Struct, tag=True, frozen=True):
    """Answer with :class:`Figures` that carry the same number."""

    number: int


class DeliveredTotal(msgspec.Struct, tag=True, frozen=True):
    """How many sessions of all workers the revision `name` of an announcement went to, and whether that is final."""

    name: str
    sessions: int
    complete: bool


class Ready(msgspec.Struct, tag=True, frozen=True):
    """The worker takes readers in."""


class Failed(msgspec.Struct, tag=True, frozen=True):
    """The worker cannot start; `why` is one line for the person at the terminal."""

    why: str


class Figures(msgspec.Struct, tag=True, frozen=True):
    """The answer to :class:`FiguresWanted`."""

    number: int
    figures: WorkerFigures


class Delivered(msgspec.Struct, tag=True, frozen=True):
    """The revision `name` of an announcement went to so many of this worker's sessions, in so many seconds."""

    name: str
    sessions: int
    seconds: float


class DeliveredWanted(msgspec.Struct, tag=True, frozen=True):
    """Say how many sessions of all workers the revision `name` went to: when all have told, or after `seconds`."""

    name: str
    seconds: float


Down: TypeAlias = Start | Drain | FiguresWanted | DeliveredTotal
Up: TypeAlias = Ready | Failed | Figures | Delivered | DeliveredWanted

_decode_down = msgspec.json.Decoder(Down).decode
_decode_up = msgspec.json.Decoder(Up).decode
_encode = msgspec.json.Encoder().encode


class Channel:
    """One end of the socket pair. Sending never waits: messages are small and both ends read all the time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Channel:
        """Takes over `end`, and closes it where that fails.

        Raises:
            OSError: The event loop cannot watch it.
        """
        try:
            return cls(*await asyncio.open_connection(sock=end, limit=_LONGEST_LINE))
        except BaseException:
            end.close()
            raise

    def send(self, message: Down | Up) -> None:
        """Sends `message`; to nobody, if the other end has gone."""
        if not self._writer.is_closing():
            self._writer.write(_encode(message) + b"\n")

    async def sent(self) -> None:
        """Waits until all that was sent has been handed to the kernel."""
        await self._writer.drain()

    async def from_supervisor(self) -> Down | None:
        """The next message, None at the end."""
        line = await self._line()
        return _decode_down(line) if line else None

    async def from_worker(self) -> Up | None:
        """The next message, None at the end."""
        line = await self._line()
        return _decode_up(line) if line else None

    def close(self) -> None:
        """Lets go of the socket."""
        self._writer.close()

    async def _line(self) -> bytes:
        try:
            line = await self._reader.readline()
        except ConnectionError:
            return b""
        return line if line.endswith(b"\n") else b""


class Intercom:
    """A worker's end, as its rooms see it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._awaited: dict[str, list[asyncio.Future[int]]] = {}

    def report_delivered(self, name: str, sessions: int, seconds: float) -> None:
        """Tells that the revision `name` of an announcement went to so many of this worker's sessions."""
        self._channel.send(Delivered(name, sessions, seconds))

    async def delivered_total(self, name: str, timeout: float) -> int:  # noqa: ASYNC109  asked of the supervisor
        """How many sessions of all this node's workers the revision `name` of an announcement went to.

        Waits until every worker has told, at most `timeout` seconds; then it is as many as are known of.
        """
        total: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._awaited.setdefault(name, []).append(total)
        self._channel.send(DeliveredWanted(name, timeout))
        return await total

    def answered(self, total: DeliveredTotal) -> None:
        """The supervisor has answered; for the shell of the worker."""
        for waiting in self._awaited.pop(total.name, ()):
            if not waiting.done():
                waiting.set_result(total.sessions)
