"""The shell around a worker: it speaks with the supervisor, and starts and ends what the roof built.

The rooms live inside an async context that the roof provides. This shell gives it an event loop, logs and a quiet
garbage collector, tells the supervisor when it stands, answers for its figures, and leaves: after a drain when asked
to, with a failure when one of its background tasks has died, and at once when the supervisor is gone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeAlias

import msgspec
import structlog
import uvloop
from redis.exceptions import RedisError

from operations import logs
from operations.collector import CollectorPauses, collect_seldom, set_aside_what_stays
from operations.descriptors import Descriptors, allowed
from operations.figures import WorkerFigures
from operations.intercom import (
    UNASKED,
    Adopt,
    Answered,
    Asked,
    Channel,
    DeliveredTotal,
    Drain,
    Failed,
    Figures,
    FiguresWanted,
    Intercom,
    Ready,
    Start,
)
from operations.lag import LoopLag
from operations.settings import OperationsSettings
from store.errors import reason

log = structlog.get_logger(__name__)

# What the rooms may take to put things away after the drain, leases above all.
_CLOSE_SECONDS = 1.5
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the shell needs of the rooms once they stand.

    Attributes:
        figures: Reads off everything that is counted; cheap.
        drain: Takes nobody in any more, sends everybody away within so many seconds.
        failures: Background tasks that have died, and of what.
        adopt: Puts the roof's settings, as JSON, in force as far as that can be done without a restart.
    """

    figures: Callable[[], WorkerFigures]
    drain: Callable[[float], Awaitable[object]]
    failures: Callable[[], Mapping[str, BaseException]]
    adopt: Callable[[msgspec.Raw], object] = bool


Build: TypeAlias = Callable[[Start, Intercom], AbstractAsyncContextManager[Rooms]]


# Their errors say in one line what is wrong; anything else is told with its type and logged with its trace.
_OUR_ROOMS = frozenset({"settings", "store", "gateway", "presence", "notifications", "operations", "server", "loa"})


class _Logged(msgspec.Struct):
    """The one section of the settings that the shell reads itself."""

    operations: OperationsSettings = OperationsSettings()


def run(fd: int, build: Build) -> int:
    """Runs a worker to its end; returns the process's exit status.

    Args:
        fd: Our end of the socket pair with the supervisor.
        build: Opens the rooms; they stand when the context has been entered, and are gone when it has been left.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_work(socket.socket(fileno=fd), build))


async def _work(end: socket.socket, build: Build) -> int:
    channel = await Channel.over(end)
    start = await channel.from_supervisor()
    if not isinstance(start, Start):
        return 1
    settings = msgspec.json.decode(start.settings, type=_Logged).operations
    logs.configure(settings.log_format, settings.log_level, worker=start.index)
    shell = _Shell(channel, settings.drain_seconds)
    shell.attend()
    try:
        try:
            return await shell.host(build(start, shell.intercom))
        except Exception as error:
            # The supervisor prints it at a start, and logs it at a restart.
            why = _said(error)
            log.log(logging.DEBUG if why else logging.ERROR, "worker failed", exc_info=error)
            channel.send(Failed(why or f"{type(error).__name__}: {reason(error)}"))
            await channel.sent()
            return 1
    finally:
        shell.leave()


def _said(error: Exception) -> str:
    """What an expected error says, for people; empty for one that nobody reckoned with."""
    if isinstance(error, RedisError):
        return f"the store failed: {reason(error)}"
    kinds = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return reason(error) if isinstance(error, OSError) or kinds & _OUR_ROOMS else ""


class _Shell:
    """One worker's life."""

    def __init__(self, channel: Channel, drain_seconds: float) -> None:
        self.intercom = Intercom(channel)
        self._channel = channel
        self._drain_seconds = drain_seconds
        self._lag = LoopLag()
        self._pauses = CollectorPauses()
        self._descriptors = Descriptors()
        self._rooms: Rooms | None = None
        # Came while the rooms were opening.
        self._to_adopt: Adopt | None = None
        self._leaving = asyncio.Event()
        self._hurried = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    def attend(self) -> None:
        """Listens to the supervisor and to signals."""
        self._listening = asyncio.create_task(self._listen(), name="intercom")
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._ask_to_leave, self._drain_seconds)
        # Ctrl-C is the supervisor's.
        loop.add_signal_handler(signal.SIGINT, lambda: None)

    def leave(self) -> None:
        """The opposite of `attend`."""
        if self._listening is not None:
            self._listening.cancel()
        self._channel.close()

    async def host(self, rooms: AbstractAsyncContextManager[Rooms]) -> int:
        """Opens the rooms, keeps them until it is time to leave, closes them; returns the exit status."""
        self._rooms = await rooms.__aenter__()
        try:
            if self._to_adopt is not None:
                self._adopt(self._to_adopt)
            set_aside_what_stays()
            collect_seldom()
            self._lag.start()
            self._pauses.start()
            self._channel.send(Ready())
            status = await self._stay(self._rooms)
            await self._see_off(self._rooms)
            # Whoever takes this place goes on from here; the supervisor last asked up to a second ago.
            self._channel.send(Figures(UNASKED, self._figures()))
        finally:
            self._lag.stop()
            self._pauses.stop()
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await rooms.__aexit__(None, None, None)
            except TimeoutError:
                log.warning("rooms did not close in time", seconds=_CLOSE_SECONDS)
        return status

    async def _stay(self, rooms: Rooms) -> int:
        """Waits until it is time to leave."""
        while not self._leaving.is_set():
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._leaving.wait()
            except TimeoutError:
                if failures := rooms.failures():
                    log.error("leaving, a background task has died", tasks=sorted(failures))
                    return 1
        return 0

    async def _see_off(self, rooms: Rooms) -> None:
        draining = asyncio.ensure_future(rooms.drain(self._drain_seconds))
        hurried = asyncio.create_task(self._hurried.wait())
        await asyncio.wait([draining, hurried], timeout=self._drain_seconds + 0.5, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not draining.done():
            draining.cancel()
        await asyncio.wait([draining, hurried])
        if not draining.cancelled() and (failure := draining.exception()) is not None:
            log.error("drain failed", exc_info=failure)

    async def _listen(self) -> None:
        while (message := await self._channel.from_supervisor()) is not None:
            match message:
                case FiguresWanted(number):
                    self._channel.send(Figures(number, self._figures()))
                case DeliveredTotal():
                    self.intercom.answered(message)
                case Asked():
                    self.intercom.asked(message)
                case Answered():
                    self.intercom.replied(message)
                case Adopt():
                    self._to_adopt = message
                    self._adopt(message)
                case Drain(seconds):
                    self._ask_to_leave(seconds)
                case Start():
                    log.warning("told to start twice")
        _vanish()

    def _adopt(self, message: Adopt) -> None:
        """What the supervisor found good may be strange to a worker of another release, which goes on as it is."""
        if self._rooms is None:
            return
        try:
            self._rooms.adopt(message.settings)
            logs.set_level(msgspec.json.decode(message.settings, type=_Logged).operations.log_level)
        except (msgspec.MsgspecError, ValueError) as error:
            log.error("settings are not understood, keeping those in force", why=reason(error))
        else:
            log.debug("settings in force")

    def _ask_to_leave(self, seconds: float) -> None:
        if self._leaving.is_set() or seconds == 0:
            self._hurried.set()
        else:
            self._drain_seconds = seconds
        self._leaving.set()

    def _figures(self) -> WorkerFigures:
        figures = self._rooms.figures() if self._rooms is not None else WorkerFigures()
        return msgspec.structs.replace(
            figures,
            loop_lag=self._lag.histogram,
            collector=self._pauses.histogram,
            descriptors=self._descriptors.open(),
            descriptors_allowed=allowed(),
            cpu_seconds=time.process_time(),
            resident_bytes=_resident_bytes(),
        )


def _vanish() -> NoReturn:
    """Leaves at once: the supervisor is gone, and the next one wants the port. Leases lapse by themselves."""
    log.warning("supervisor is gone, leaving")
    sys.stderr.flush()
    os._exit(1)


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except OSError:
        # No /proc: the most it ever was, in kilobytes on most systems and bytes on macOS.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return pages * resource.getpagesize()
