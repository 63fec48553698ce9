"""Keeps N workers running: starts them, replaces one that dies or hangs, sees them off at the end.

A worker that dies is replaced at once the first time, then ever later while it keeps dying. What it had counted is
carried over to the one that takes its place.

All are replaced one after the other without a gap (:meth:`WorkerPool.roll`): the new one opens the same port beside the
old one and takes readers in before the old one sends its own away. One that does not start ends the round, and the old
one stays. So in one place there may be two for a while: the one that is in it, and one that is on its way in or out.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from operations.deliveries import Deliveries
from operations.errands import Errand, Errands
from operations.errors import WorkerFailed
from operations.figures import WorkerFigures, WorkerReport, beside, ended, plus
from operations.intercom import (
    SUPERVISOR,
    Answer,
    Answered,
    Ask,
    Delivered,
    DeliveredTotal,
    DeliveredWanted,
    Down,
    Drain,
    Request,
    Start,
)
from operations.process import WorkerProcess

log = structlog.get_logger(__name__)

START_SECONDS = 60.0
RESTART_DELAYS_SECONDS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
# One that lived so long has not died of what killed the one before it.
SOUND_AFTER_SECONDS = 60.0
LOOK_SECONDS = 1.0
# A worker that stood and says nothing for so long is killed: its loop will not recover by itself.
HUNG_SECONDS = 30.0
_ANSWER_SECONDS = 1.0
# Between the end of the drain and the end of patience: leases are shortened, logs written.
_LEAVE_SECONDS = 2.0
_HURRIED_SECONDS = 0.5


class WorkerPool:
    """The workers of this node.

    Args:
        count: How many.
        command: What starts one; ``--fd N`` is added.
        start_of: What worker `index` is told at its start.

    Attributes:
        answer: What the supervisor answers to what a worker asks it; None: it does not know.
    """

    def __init__(self, count: int, command: Sequence[str], start_of: Callable[[int], Start]) -> None:
        self._count = count
        self._command = command
        self._start_of = start_of
        self.answer: Callable[[str], str | None] = lambda _: None
        # Who is in each place, and all there are by process id.
        self._workers: dict[int, WorkerProcess] = {}
        self._running: dict[int, WorkerProcess] = {}
        # Those on their way into a place, and what accompanies them to their end.
        self._successors: dict[int, asyncio.Task[None]] = {}
        self._accompanying: set[asyncio.Task[None]] = set()
        self._carried = [WorkerFigures() for _ in range(count)]
        self._restarts = [0] * count
        self._deliveries = Deliveries()
        self._errands = Errands()
        self._waiting: list[tuple[WorkerProcess, DeliveredWanted, asyncio.TimerHandle]] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._watch: asyncio.Task[None] | None = None
        self._leaving = asyncio.Event()
        self._hurry = asyncio.Event()

    async def start(self) -> None:
        """Starts all and waits until all take readers in.

        Raises:
            WorkerFailed: One cannot; the others have been ended.
        """
        loop = asyncio.get_running_loop()
        first: list[asyncio.Future[None]] = [loop.create_future() for _ in range(self._count)]
        self._keepers = [
            asyncio.create_task(self._keep(index, first[index]), name=f"worker {index}") for index in range(self._count)
        ]
        try:
            async with asyncio.timeout(START_SECONDS):
                await asyncio.gather(*first)
        except TimeoutError:
            await self._abandon()
            raise WorkerFailed(0, f"not all workers were ready within {START_SECONDS:.0f} s") from None
        except BaseException:
            await self._abandon()
            raise
        self._watch = asyncio.create_task(self._look_after(), name="watch over workers")

    @property
    def started(self) -> bool:
        """Whether all have once been ready."""
        return self._watch is not None

    def send_all(self, message: Down) -> None:
        """Says `message` to every worker, also to those that are starting or leaving."""
        for worker in self._running.values():
            worker.send(message)

    async def roll(self, drain_seconds: float) -> None:
        """Replaces all, one after the other; stops at the first whose successor does not start.

        Args:
            drain_seconds: How long the readers of each are given to leave.
        """
        log.info("replacing all workers")
        for index in range(self._count):
            try:
                old = await self._succeed(index)
            except WorkerFailed as error:
                log.error("new worker does not start, keeping the old ones", worker=index, why=error.why)
                return
            if old is not None:
                await self._see_off(old, drain_seconds)
        log.info("all workers replaced")

    async def _succeed(self, index: int) -> WorkerProcess | None:
        """Puts a new worker into the place `index`; the one that was in it, if any, is still at work.

        Raises:
            WorkerFailed: The new one does not start; nothing has changed.
        """
        worker = await WorkerProcess.spawn(self._command, self._start_of(index))
        following = asyncio.create_task(self._accompany(worker), name=f"worker {index}, next")
        self._successors[index] = following
        self._accompanying.add(following)
        following.add_done_callback(self._accompanying.discard)
        try:
            async with asyncio.timeout(START_SECONDS):
                await worker.until_ready()
        except BaseException as error:
            worker.dismissed = True
            worker.kill()
            if self._successors.get(index) is following:
                del self._successors[index]
            if isinstance(error, TimeoutError):
                raise WorkerFailed(index, f"it was not ready within {START_SECONDS:.0f} s") from None
            raise
        log.info("worker ready", worker=index, pid=worker.pid)
        old = self._workers.get(index)
        self._workers[index] = worker
        return old if old is not worker else None

    async def _see_off(self, old: WorkerProcess, seconds: float) -> None:
        """Has a worker that is in no place any more send its readers away, and leave."""
        old.dismissed = True
        old.send(Drain(seconds))
        if not await old.ends_within(seconds + _LEAVE_SECONDS):
            log.warning("worker does not leave, ending it", worker=old.index, pid=old.pid)
            old.kill()

    async def drain(self, seconds: float) -> None:
        """Has all workers see their readers off within `seconds` and leave; those who do not are ended."""
        self._leaving.set()
        if self._watch is not None:
            self._watch.cancel()
        self.send_all(Drain(seconds))
        if not await self._left_within(seconds + _LEAVE_SECONDS, self._hurry):
            self.send_all(Drain(0))
            await self._left_within(_HURRIED_SECONDS, None)
        for worker in self._running.values():
            log.warning("worker does not leave, ending it", worker=worker.index)
            worker.kill()
        if self._keepers:
            await asyncio.wait(self._keepers)

    def hurry(self) -> None:
        """Cuts a drain short."""
        self._hurry.set()

    async def reports(self) -> list[WorkerReport]:
        """All workers as they are now; one that does not answer within a second is told of as it last was."""
        workers = [self._workers.get(index) for index in range(self._count)]
        now = await asyncio.gather(*(self._figures(index, worker) for index, worker in enumerate(workers)))
        return [
            WorkerReport(
                index,
                worker.pid if worker is not None else None,
                worker is not None and worker.ready and not self._leaving.is_set(),
                self._restarts[index],
                figures,
            )
            for index, (worker, figures) in enumerate(zip(workers, now, strict=True))
        ]

    async def _figures(self, index: int, worker: WorkerProcess | None) -> WorkerFigures:
        if worker is not None:
            await worker.ask(_ANSWER_SECONDS)
        # Asked for now: it may have ended meanwhile, and its figures have been carried over already.
        figures = self._carried[index]
        if worker is not None and worker.pid in self._running:
            figures = plus(worker.figures, figures)
        for one in self._running.values():
            if one.index == index and one is not worker:
                figures = beside(one.figures, figures)
        return figures

    async def _keep(self, index: int, first: asyncio.Future[None]) -> None:
        """Runs one worker after the other in the place `index`."""
        failures = 0
        while True:
            began_at = time.monotonic()
            if (successor := self._successors.pop(index, None)) is not None:
                # It has this place, or is about to.
                await successor
            else:
                try:
                    await self._run(await WorkerProcess.spawn(self._command, self._start_of(index)), first)
                except WorkerFailed as error:
                    _fail(first, error)
                    log.error("worker does not start", worker=index, why=error.why)
            if index in self._successors:
                continue
            if self._leaving.is_set() or first.cancelled() or first.exception() is not None:
                return
            if time.monotonic() - began_at > SOUND_AFTER_SECONDS:
                failures = 0
            delay = RESTART_DELAYS_SECONDS[min(failures, len(RESTART_DELAYS_SECONDS) - 1)]
            failures += 1
            self._restarts[index] += 1
            log.info("replacing worker", worker=index, delay_seconds=delay)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._leaving.wait()
                return

    async def _run(self, worker: WorkerProcess, first: asyncio.Future[None]) -> None:
        """Puts a worker into its place, and accompanies it to its end."""
        self._workers[worker.index] = worker
        readiness = asyncio.create_task(self._announce(worker, first))
        await self._accompany(worker)
        await readiness

    async def _accompany(self, worker: WorkerProcess) -> None:
        """Hears a worker to its end, and takes over what it leaves."""
        index = worker.index
        self._running[worker.pid] = worker
        if self._leaving.is_set():
            # It has nobody to see off yet, and while its rooms open it would not hear that it is to leave.
            worker.kill()
        status = await worker.follow(self._on_request)
        del self._running[worker.pid]
        if self._workers.get(index) is worker:
            del self._workers[index]
        for errand in self._errands.ended(worker.pid):
            self._send(errand)
        self._carried[index] = ended(plus(worker.figures, self._carried[index]))
        self._answer_those_who_wait()
        if not self._leaving.is_set() and not worker.dismissed:
            log.error("worker ended", worker=index, pid=worker.pid, status=status)

    async def _announce(self, worker: WorkerProcess, first: asyncio.Future[None]) -> None:
        try:
            await worker.until_ready()
        except WorkerFailed as error:
            if first.done() and not self._leaving.is_set():
                log.error("worker does not start", worker=worker.index, why=error.why)
            _fail(first, error)
            return
        log.info("worker ready", worker=worker.index, pid=worker.pid)
        if not first.done():
            first.set_result(None)

    async def _look_after(self) -> None:
        """Keeps the last figures of each worker fresh, and ends one that hangs."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            workers = list(self._running.values())
            await asyncio.gather(*(worker.ask(_ANSWER_SECONDS) for worker in workers))
            for worker in workers:
                # One that starts has nothing to say yet, and may wait for the store.
                patience = HUNG_SECONDS if worker.ready else START_SECONDS
                if time.monotonic() - worker.heard_at > patience:
                    log.error("worker hangs, ending it", worker=worker.index, pid=worker.pid)
                    worker.kill()

    def _on_request(self, worker: WorkerProcess, message: Request) -> None:
        match message:
            case Ask(number, index, question) if index == SUPERVISOR:
                worker.send(Answered(number, self.answer(question)))
            case Ask():
                # Places are asked, processes answer: there may be two of one place.
                asked = self._workers.get(message.worker)
                passed_on = Ask(message.number, asked.pid if asked is not None else 0, message.text)
                self._send(self._errands.ask(worker.pid, passed_on, self._running))
            case Answer():
                self._send(self._errands.answer(message))
            case Delivered():
                self._deliveries.tell(worker.pid, message.name, message.sessions)
                self._answer_those_who_wait()
            case DeliveredWanted():
                patience = asyncio.get_running_loop().call_later(message.seconds, self._answer_those_who_wait)
                self._waiting.append((worker, message, patience))
                self._answer_those_who_wait()

    def _send(self, errand: Errand | None) -> None:
        if errand is not None and (worker := self._running.get(errand[0])) is not None:
            worker.send(errand[1])

    def _answer_those_who_wait(self) -> None:
        """Answers every question whose total is complete or whose time is over."""
        now = asyncio.get_running_loop().time()
        alive = [pid for pid, worker in self._running.items() if worker.ready]
        still = []
        for worker, wanted, patience in self._waiting:
            sessions, complete = self._deliveries.total(wanted.name, alive)
            if complete or now >= patience.when():
                patience.cancel()
                worker.send(DeliveredTotal(wanted.name, sessions, complete))
            else:
                still.append((worker, wanted, patience))
        self._waiting = still

    async def _left_within(self, seconds: float, cut_short: asyncio.Event | None) -> bool:
        """Whether all workers have left, waiting at most `seconds`, or until `cut_short`."""
        if not self._keepers:
            return True
        waiting: list[asyncio.Task[Any]] = [asyncio.create_task(asyncio.wait(self._keepers))]
        if cut_short is not None:
            waiting.append(asyncio.create_task(cut_short.wait()))
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
        return all(keeper.done() for keeper in self._keepers)

    async def _abandon(self) -> None:
        """Ends all after a failed start; there is nobody to see off."""
        self._leaving.set()
        for worker in self._running.values():
            worker.kill()
        await asyncio.wait(self._keepers)


def _fail(first: asyncio.Future[None], error: WorkerFailed) -> None:
    if not first.done():
        first.set_exception(error)
        # Of several failures one is told; that nobody reads the others is no error of its own.
        first.exception()
