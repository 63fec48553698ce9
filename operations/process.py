"""One worker process and what the supervisor hears of it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import socket
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Sequence

import structlog

from operations.errors import WorkerFailed
from operations.figures import WorkerFigures
from operations.intercom import (
    Answer,
    Ask,
    Channel,
    Delivered,
    DeliveredWanted,
    Down,
    Failed,
    Figures,
    FiguresWanted,
    Ready,
    Request,
    Start,
)
from store.parentage import end_with_parent

log = structlog.get_logger(__name__)


class WorkerProcess:
    """A worker from its start to its end.

    Attributes:
        index: Which worker it is.
        figures: The last it told of itself.
        heard_at: When it last said anything, on the monotonic clock.
        dismissed: Another has its place, and it was told to leave.
    """

    def __init__(self, index: int, process: Process, channel: Channel) -> None:
        self.index = index
        self.figures = WorkerFigures()
        self.dismissed = False
        self.heard_at = self.started_at = time.monotonic()
        self._process = process
        self._channel = channel
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[WorkerFigures]] = {}
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def spawn(cls, command: Sequence[str], start: Start) -> WorkerProcess:
        """Starts `command` with ``--fd N`` added, and tells it `start`.

        Raises:
            WorkerFailed: The command cannot be run, or there is nothing left to speak with it through.
        """
        try:
            ours, theirs = socket.socketpair()
            with theirs:
                channel = await Channel.over(ours)
                process = await cls._begin(command, theirs, channel)
        except OSError as error:
            raise WorkerFailed(start.index, f"{command[0]}: {error.strerror or error}") from None
        worker = cls(start.index, process, channel)
        worker.send(start)
        return worker

    @staticmethod
    async def _begin(command: Sequence[str], theirs: socket.socket, channel: Channel) -> Process:
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                "--fd",
                str(theirs.fileno()),
                stdin=DEVNULL,
                pass_fds=(theirs.fileno(),),
                # Ctrl-C at the terminal is for the supervisor, which then drains its workers.
                start_new_session=True,
                # Also a worker that hangs must not outlive a killed supervisor.
                preexec_fn=end_with_parent(signal.SIGKILL),
            )
        except BaseException:
            channel.close()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ready(self) -> bool:
        """Whether it takes readers in."""
        return self._ready.done() and not self._ready.cancelled() and self._ready.exception() is None

    def send(self, message: Down) -> None:
        """Says `message`; nobody hears it if the worker has gone."""
        self._channel.send(message)

    def kill(self) -> None:
        """Ends it at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def until_ready(self) -> None:
        """Waits until it takes readers in.

        Raises:
            WorkerFailed: It will not; it said why, or just ended.
        """
        await asyncio.shield(self._ready)

    async def ends_within(self, seconds: float) -> bool:
        """Waits for its end, and so long at most; whether it has ended."""
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            return False
        return True

    async def ask(self, timeout_seconds: float) -> WorkerFigures:
        """Its figures: fresh ones, or the last known where it takes too long."""
        if not self.ready:
            return self.figures
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self.send(FiguresWanted(number))
        try:
            async with asyncio.timeout(timeout_seconds):
                await answer
        except TimeoutError:
            log.debug("worker does not answer", worker=self.index)
        finally:
            del self._asked[number]
        return self.figures

    async def follow(self, on_request: Callable[[WorkerProcess, Request], None]) -> int:
        """Hears it to its end; returns its exit status, negative for a signal."""
        while (message := await self._channel.from_worker()) is not None:
            self.heard_at = time.monotonic()
            match message:
                case Ready():
                    self._settle(None)
                case Failed(why):
                    self._settle(WorkerFailed(self.index, why))
                case Figures(number, figures):
                    self.figures = figures
                    answer = self._asked.get(number)
                    if answer is not None and not answer.done():
                        answer.set_result(figures)
                case Delivered() | DeliveredWanted() | Ask() | Answer():
                    on_request(self, message)
        self._channel.close()
        status = await self._process.wait()
        how = f"it was ended by {signal.Signals(-status).name}" if status < 0 else f"it ended with status {status}"
        self._settle(WorkerFailed(self.index, how))
        return status

    def _settle(self, failure: WorkerFailed | None) -> None:
        if self._ready.done():
            return
        if failure is None:
            self._ready.set_result(None)
        else:
            self._ready.set_exception(failure)
            # Whoever waits for it gets it; that nobody does is no error of its own.
            self._ready.exception()
