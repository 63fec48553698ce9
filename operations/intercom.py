"""What the supervisor and a worker say to each other: one JSON object a line, over a socket pair.

The first line down is :class:`Start`, the first one up :class:`Ready` or :class:`Failed`. A worker that reads the end
of the stream has lost its supervisor and leaves at once. Nothing secret is ever on a command line or in the
environment: the settings travel here.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import socket
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from operations.figures import WorkerFigures

# Whom to ask for what only the supervisor knows; workers are numbered from 0.
SUPERVISOR = -1
# What it can be asked: the node and its hour, a :class:`operations.hour.Node` as JSON.
NODE = "node"

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


class Adopt(msgspec.Struct, tag=True, frozen=True):
    """From now on these settings are in force, the roof's as JSON: go on with them, and drop nobody."""

    settings: msgspec.Raw


class FiguresWanted(msgspec.Struct, tag=True, frozen=True):
    """Answer with :class:`Figures` that carry the same number."""

    number: int


class DeliveredTotal(msgspec.Struct, tag=True, frozen=True):
    """How many sessions of all workers the revision `name` of an announcement went to, and whether that is final."""

    name: str
    sessions: int
    complete: bool


class Asked(msgspec.Struct, tag=True, frozen=True):
    """Worker `asker` asks something; answer with an :class:`Answer` that names both."""

    asker: int
    number: int
    text: str


class Answered(msgspec.Struct, tag=True, frozen=True):
    """The answer to the :class:`Ask` of that number; None if there is no such worker, or it has ended."""

    number: int
    text: str | None


class Ready(msgspec.Struct, tag=True, frozen=True):
    """The worker takes readers in."""


class Failed(msgspec.Struct, tag=True, frozen=True):
    """The worker cannot start; `why` is one line for the person at the terminal."""

    why: str


UNASKED = 0


class Figures(msgspec.Struct, tag=True, frozen=True):
    """The answer to :class:`FiguresWanted`; `UNASKED`: the last there will be, of a worker that leaves."""

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


class Ask(msgspec.Struct, tag=True, frozen=True):
    """Ask the worker of that index something, and bring back what it answers."""

    number: int
    worker: int
    text: str


class Answer(msgspec.Struct, tag=True, frozen=True):
    """The answer to :class:`Asked`."""

    asker: int
    number: int
    text: str


Down: TypeAlias = Start | Adopt | Drain | FiguresWanted | DeliveredTotal | Asked | Answered
Up: TypeAlias = Ready | Failed | Figures | Delivered | DeliveredWanted | Ask | Answer
# What workers have the supervisor see to for them.
Request: TypeAlias = Delivered | DeliveredWanted | Ask | Answer

# Is asked, and told where to give the answer, once.
Answerer: TypeAlias = Callable[[str, Callable[[str], None]], None]

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
        # Not from 1: the answer to a question of the worker that was here before must not be taken for one to ours.
        self._numbers = itertools.count(secrets.randbits(32))
        self._asked: dict[int, asyncio.Future[str | None]] = {}
        self._answerer: Answerer | None = None

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

    def ask(self, worker: int, question: str) -> asyncio.Future[str | None]:
        """Asks another worker of this node, or the ``SUPERVISOR``; None if it does not know.

        Neither does a worker that is not there, or ended before it answered.

        Whoever does not want to wait any longer may cancel the future.
        """
        number = next(self._numbers)
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self._channel.send(Ask(number, worker, question))
        return answer

    def answer_with(self, answerer: Answerer) -> None:
        """Has what other workers ask answered by `answerer`."""
        self._answerer = answerer

    def asked(self, question: Asked) -> None:
        """Another worker asks; for the shell of the worker."""

        def reply(text: str) -> None:
            self._channel.send(Answer(question.asker, question.number, text))

        if self._answerer is None:
            reply("")
        else:
            self._answerer(question.text, reply)

    def replied(self, answer: Answered) -> None:
        """Another worker has answered; for the shell of the worker."""
        waiting = self._asked.pop(answer.number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.text)

    def answered(self, total: DeliveredTotal) -> None:
        """The supervisor has answered; for the shell of the worker."""
        for waiting in self._awaited.pop(total.name, ()):
            if not waiting.done():
                waiting.set_result(total.sessions)
