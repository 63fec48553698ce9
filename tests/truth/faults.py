"""Breaks things on purpose, one after the other, and writes down from when until when they were broken."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from math import inf

from tests.truth.history import Fault, History, How
from tests.truth.nodes import LOOK_SECONDS, Service
from tests.truth.schedule import Act
from tests.truth.spans import Span


class Faults:
    """Does the faults of one run.

    Args:
        service: What is broken.
        history: Where it is written down.
    """

    def __init__(self, service: Service, history: History) -> None:
        self._service = service
        self._history = history

    async def do(self, act: Act) -> None:
        """Does one, and returns when it is over."""
        began = time.monotonic()
        if act.kind == "kill":
            await self._kill(act.worker)
        elif act.kind == "freeze":
            await self._freeze(act.worker, act.seconds)
        elif act.kind == "clock":
            self._service.nodes[act.worker].put_clock(act.seconds)
        else:
            await self._stop_store(act.kind, act.seconds)
        self._history.faults.append(Fault(act.kind, act.worker, Span(began, time.monotonic())))

    async def _worker(self, index: int) -> int:
        node = self._service.nodes[index]
        while (pid := node.worker) is None:
            await asyncio.sleep(LOOK_SECONDS)
        return pid

    async def _kill(self, index: int) -> None:
        pid = await self._worker(index)
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        at = Span(began, time.monotonic())
        for visit in self._history.visits:
            if visit.worker == index and visit.ended.began == inf:
                visit.ended, visit.how = at, How.KILLED
        while await self._worker(index) == pid or not await self._service.nodes[index].lets_in():
            await asyncio.sleep(LOOK_SECONDS)

    async def _freeze(self, index: int, seconds: float) -> None:
        pid = await self._worker(index)
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)

    async def _stop_store(self, kind: str, seconds: float) -> None:
        store = self._service.store
        if kind == "hang":
            store.hold(True)
            try:
                await asyncio.sleep(seconds)
            finally:
                store.hold(False)
            return
        store.kill(empty=kind == "empty")
        await asyncio.sleep(seconds)
        await store.start()
