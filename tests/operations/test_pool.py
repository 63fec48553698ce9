"""Workers that die, hang or will not start, looked after by a pool in this process."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

from operations.errors import WorkerFailed
from operations.figures import WorkerFigures, WorkerReport
from operations.intercom import Start
from operations.pool import HUNG_SECONDS, RESTART_DELAYS_SECONDS, START_SECONDS, WorkerPool
from operations.preflight import Reservation, reserve
from operations.process import WorkerProcess
from tests.operations.conftest import PATIENCE_SECONDS, alive, gone
from tests.operations.small_worker import SmallSettings

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

COMMAND = (sys.executable, "-m", "tests.operations.small_worker")


class Conduct:
    """Tells the workers that start from now on how to behave."""

    def __init__(self, port: int) -> None:
        self.now = "well"
        self._port = port

    def start_of(self, index: int) -> Start:
        return Start(
            index=index,
            workers=1,
            node="test",
            host="127.0.0.1",
            port=self._port,
            store_url="",
            public_url="",
            data_dir="",
            base_dir="",
            settings=msgspec.Raw(msgspec.json.encode(SmallSettings(conduct=self.now))),
        )


@pytest.fixture
async def reservation() -> AsyncIterator[Reservation]:
    held = await reserve("127.0.0.1", 0, "--port")
    yield held
    held.release()


async def report(pool: WorkerPool, *, ready: bool = True, other_than: int | None = None) -> WorkerReport:
    """The pool's only worker, once it is ready or not, and another one than before."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            (found,) = await pool.reports()
            if found.ready is ready and (other_than is None or found.pid != other_than):
                return found
            await asyncio.sleep(0.02)


async def test_a_worker_that_hangs_is_replaced(reservation: Reservation) -> None:
    pool = WorkerPool(1, COMMAND, Conduct(reservation.port).start_of)
    await pool.start()
    first = await report(pool)
    assert first.pid is not None
    worker = pool._workers[0]
    os.kill(first.pid, signal.SIGSTOP)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while alive(first.pid):
            # Again and again: what it had said before it was stopped may be heard only now.
            worker.heard_at = min(worker.heard_at, time.monotonic() - HUNG_SECONDS - 1)
            await asyncio.sleep(0.01)
    second = await report(pool, other_than=first.pid)
    assert second.restarts == 1
    await pool.drain(0)


async def test_a_worker_that_starts_has_the_time_of_a_start_before_it_hangs(
    reservation: Reservation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operations.pool.LOOK_SECONDS", 0.01)
    conduct = Conduct(reservation.port)
    pool = WorkerPool(1, COMMAND, conduct.start_of)
    await pool.start()
    first = await report(pool)
    assert first.pid is not None
    store_is_back = tmp_path / "store is back"
    conduct.now = f"waits for {store_is_back}"
    os.kill(first.pid, signal.SIGKILL)
    worker = await successor(pool, first.pid)
    # Silent for longer than one that stood may be, and for less than a start may take.
    worker.heard_at -= HUNG_SECONDS + 1
    await looked_at(worker, monkeypatch)
    assert alive(worker.pid)
    assert (await report(pool, ready=False)).restarts == 1
    worker.heard_at -= START_SECONDS
    await gone(worker.pid)
    store_is_back.touch()
    assert (await report(pool)).restarts == 2
    await pool.drain(0)


async def successor(pool: WorkerPool, pid: int) -> WorkerProcess:
    """The worker that takes the place of `pid`, ready or not."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (worker := pool._workers.get(0)) is None or worker.pid == pid:
            await asyncio.sleep(0.01)
    return worker


async def looked_at(worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits until the pool has looked at `worker` and gone on to the next round."""
    rounds = 0

    async def ask(_timeout_seconds: float) -> WorkerFigures:
        nonlocal rounds
        rounds += 1
        return worker.figures

    with monkeypatch.context() as watched:
        watched.setattr(worker, "ask", ask)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while rounds < 2:
                await asyncio.sleep(0.01)


async def test_one_that_was_being_spawned_while_all_is_given_up_does_not_stay(
    reservation: Reservation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawn = WorkerProcess.spawn
    spawned = []

    async def late(command: Sequence[str], start: Start) -> WorkerProcess:
        if start.index == 1:
            await given_up.wait()
        spawned.append(await spawn(command, start))
        return spawned[-1]

    monkeypatch.setattr(WorkerProcess, "spawn", late)
    refusing, waiting = Conduct(reservation.port), Conduct(reservation.port)
    refusing.now, waiting.now = "refuses", f"waits for {tmp_path / 'a store that never comes back'}"
    pool = WorkerPool(2, COMMAND, lambda index: (refusing, waiting)[index].start_of(index))
    given_up = pool._leaving
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(WorkerFailed, match="the small worker refuses"):
            await pool.start()
    assert [worker.index for worker in spawned] == [0, 1]
    assert not any(alive(worker.pid) for worker in spawned)


async def test_a_worker_that_cannot_be_spawned_is_tried_again(
    reservation: Reservation, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = WorkerPool(1, COMMAND, Conduct(reservation.port).start_of)
    await pool.start()
    first = await report(pool)
    assert first.pid is not None
    with monkeypatch.context() as exhausted:
        exhausted.setattr("socket.socketpair", too_many)
        os.kill(first.pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await report(pool, ready=False)).restarts < 2:
                await asyncio.sleep(0.01)
    assert (await report(pool, other_than=first.pid)).restarts >= 2
    await pool.drain(0)


def too_many() -> NoReturn:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


async def test_a_worker_that_keeps_dying_is_tried_again_until_it_stands(reservation: Reservation) -> None:
    conduct = Conduct(reservation.port)
    pool = WorkerPool(1, COMMAND, conduct.start_of)
    await pool.start()
    first = await report(pool)
    assert first.pid is not None
    conduct.now = "refuses"
    os.kill(first.pid, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await report(pool, ready=False)).restarts < 2:
            await asyncio.sleep(0.02)
    conduct.now = "well"
    assert (await report(pool)).restarts >= 2
    await pool.drain(0)


async def test_it_leaves_also_while_it_waits_to_try_again(reservation: Reservation) -> None:
    conduct = Conduct(reservation.port)
    pool = WorkerPool(1, COMMAND, conduct.start_of)
    await pool.start()
    first = await report(pool)
    assert first.pid is not None
    conduct.now = "exits"
    os.kill(first.pid, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await report(pool, ready=False)).restarts < 2:
            await asyncio.sleep(0.02)
        await pool.drain(0)


async def test_a_worker_told_to_leave_by_a_signal_sees_its_readers_off(reservation: Reservation) -> None:
    pool = WorkerPool(1, COMMAND, Conduct(reservation.port).start_of)
    await pool.start()
    first = await report(pool)
    assert first.pid is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", reservation.port)
    await reader.readline()
    os.kill(first.pid, signal.SIGTERM)
    assert await reader.readline() == b"bye\n"
    writer.close()
    await report(pool, other_than=first.pid)
    await pool.drain(0)


def test_the_first_replacement_is_immediate_and_the_others_ever_later() -> None:
    assert RESTART_DELAYS_SECONDS[0] == 0
    assert list(RESTART_DELAYS_SECONDS) == sorted(RESTART_DELAYS_SECONDS)
