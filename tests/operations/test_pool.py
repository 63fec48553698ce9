"""Workers that die, hang or will not start, looked after by a pool in this process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator

import msgspec
import pytest

from operations.figures import WorkerReport
from operations.intercom import Start
from operations.pool import RESTART_DELAYS_SECONDS, WorkerPool
from operations.preflight import Reservation, reserve
from tests.operations.conftest import PATIENCE_SECONDS, gone
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
    pool = WorkerPool(1, COMMAND, Conduct(reservation.port).start_of, hung_seconds=2.5)
    await pool.start()
    first = await report(pool)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGSTOP)
    second = await report(pool, other_than=first.pid)
    await gone(first.pid)
    assert second.restarts == 1
    await pool.drain(0)


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
