"""Keeps N workers running: starts them, replaces one that dies or hangs, sees them off at the end.

A worker that dies is replaced at once the first time, then ever later while it keeps dying. What it had counted is
carried over to the one that takes its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from operations.deliveries import Deliveries
from operations.errors import WorkerFailed
from operations.figures import WorkerFigures, WorkerReport, ended, plus
from operations.intercom import Delivered, DeliveredTotal, DeliveredWanted, Drain, Start
from operations.process import WorkerProcess

log = structlog.get_logger(__name__)

START_SECONDS = 60.0
RESTART_DELAYS_SECONDS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
# One that lived so long has not died of what killed the one before it.
SOUND_AFTER_SECONDS = 60.0
LOOK_SECONDS = 1.0
# A loop that stood still for so long will not recover by itself.
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
        hung_seconds: A worker that stood and says nothing for so long is killed.
    """

    def __init__(
        self,
        count: int,
        command: Sequence[str],
        start_of: Callable[[int], Start],
        *,
        hung_seconds: float = HUNG_SECONDS,
    ) -> None:
        self._count = count
        self._command = command
        self._start_of = start_of
        self._hung_seconds = hung_seconds
        self._workers: dict[int, WorkerProcess] = {}
        self._carried = [WorkerFigures() for _ in range(count)]
        self._restarts = [0] * count
        self._deliveries = Deliveries()
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

    async def drain(self, seconds: float) -> None:
        """Has all workers see their readers off within `seconds` and leave; those who do not are ended."""
        self._leaving.set()
        if self._watch is not None:
            self._watch.cancel()
        for worker in self._workers.values():
            worker.send(Drain(seconds))
        if not await self._left_within(seconds + _LEAVE_SECONDS, self._hurry):
            for worker in self._workers.values():
                worker.send(Drain(0))
            await self._left_within(_HURRIED_SECONDS, None)
        for worker in self._workers.values():
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
        if worker is None:
            return self._carried[index]
        figures = await worker.ask(_ANSWER_SECONDS)
        # It may have ended meanwhile, and its figures have been carried over already.
        return plus(figures, self._carried[index]) if self._workers.get(index) is worker else self._carried[index]

    async def _keep(self, index: int, first: asyncio.Future[None]) -> None:
        """Runs one worker after the other in the place `index`."""
        failures = 0
        while True:
            began_at = time.monotonic()
            try:
                await self._run(await WorkerProcess.spawn(self._command, self._start_of(index)), first)
            except WorkerFailed as error:
                _fail(first, error)
                log.error("worker does not start", worker=index, why=error.why)
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
        """Accompanies a worker to its end."""
        index = worker.index
        self._workers[index] = worker
        if self._leaving.is_set():
            # It has nobody to see off yet, and while its rooms open it would not hear that it is to leave.
            worker.kill()
        readiness = asyncio.create_task(self._announce(worker, first))
        status = await worker.follow(self._on_delivery)
        del self._workers[index]
        self._carried[index] = ended(plus(worker.figures, self._carried[index]))
        await readiness
        self._answer_those_who_wait()
        if not self._leaving.is_set():
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
            workers = list(self._workers.values())
            await asyncio.gather(*(worker.ask(_ANSWER_SECONDS) for worker in workers))
            for worker in workers:
                # One that starts has nothing to say yet, and may wait for the store.
                patience = self._hung_seconds if worker.ready else START_SECONDS
                if time.monotonic() - worker.heard_at > patience:
                    log.error("worker hangs, ending it", worker=worker.index, pid=worker.pid)
                    worker.kill()

    def _on_delivery(self, worker: WorkerProcess, message: Delivered | DeliveredWanted) -> None:
        if isinstance(message, Delivered):
            self._deliveries.tell(worker.index, message.name, message.sessions)
        else:
            patience = asyncio.get_running_loop().call_later(message.seconds, self._answer_those_who_wait)
            self._waiting.append((worker, message, patience))
        self._answer_those_who_wait()

    def _answer_those_who_wait(self) -> None:
        """Answers every question whose total is complete or whose time is over."""
        now = asyncio.get_running_loop().time()
        alive = [index for index, worker in self._workers.items() if worker.ready]
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
        for worker in self._workers.values():
            worker.kill()
        await asyncio.wait(self._keepers)


def _fail(first: asyncio.Future[None], error: WorkerFailed) -> None:
    if not first.done():
        first.set_exception(error)
        # Of several failures one is told; that nobody reads the others is no error of its own.
        first.exception()
