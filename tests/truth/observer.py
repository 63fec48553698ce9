"""Asks every worker for its numbers many times a second, looks at what browsers show, and measures who stands still.

Who stood still is measured apart for the harness (its own loop), each worker (an answer that touches no store) and the
store (a ping). What a fault did on purpose is no stall.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Iterable
from typing import Any

import aiohttp

from tests.patience import PATIENCE_SECONDS
from tests.truth.driver import Driver
from tests.truth.history import HARNESS, STORE, History
from tests.truth.judge import Observation
from tests.truth.nodes import SITE, Service
from tests.truth.schedule import PAGES, SECTIONS
from tests.truth.segments import STATES, Number
from tests.truth.spans import Span, without

ASK_SECONDS = 0.08
TICK_SECONDS = 0.02
# Less than this is how things go on a machine that has nothing else to do.
STALL_SECONDS = 0.03


class Observer:
    """Watches one run. An async context.

    Args:
        service: What is watched.
        driver: Whose browsers are looked at.

    Attributes:
        observations: All so far.
        bounds: The longest of each that any answer stated, and ``freshness_seconds``.
        latest: By worker, the last answer.
    """

    def __init__(self, service: Service, driver: Driver) -> None:
        self._service = service
        self._driver = driver
        self._stalls: dict[int, list[Span]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._client: aiohttp.ClientSession | None = None
        self.observations: list[Observation] = []
        self.bounds: dict[str, float] = {}
        self.latest: dict[int, Observation] = {}

    async def __aenter__(self) -> Observer:
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_SECONDS))
        tasks = [self._tick(), self._ping_store(), self._look()]
        for worker in range(len(self._service.nodes)):
            tasks += [self._ask_site(worker, self._client), self._ask_places(worker, self._client)]
        self._tasks = [asyncio.create_task(task) for task in tasks]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self._client is not None
        await self._client.close()
        for one in ended:
            if not isinstance(one, asyncio.CancelledError) and one is not None:
                raise one

    def stalls(self, history: History) -> dict[int, list[Span]]:
        """Who stood still when, apart from what faults did."""
        broken: dict[int, list[Span]] = {}
        for fault in history.faults:
            if fault.kind in ("freeze", "kill", "hang", "stop", "empty"):
                broken.setdefault(fault.worker, []).append(fault.span)
        return {
            who: [left for span in spans for left in without(span, broken.get(who, ()))]
            for who, spans in self._stalls.items()
        }

    # -- numbers

    async def _ask_site(self, worker: int, client: aiohttp.ClientSession) -> None:
        while True:
            asked = time.monotonic()
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                said = await self._ask(client, worker, {})
                answered = time.monotonic()
                self._stall(worker, asked, answered)
                for name, seconds in {**said["bounds"], "freshness_seconds": said["freshness_seconds"]}.items():
                    self.bounds[name] = max(seconds, self.bounds.get(name, 0.0))
                values = {Number("site"): said["online"]}
                values |= {Number(state): said["states"] and said["states"][state] for state in STATES}
                for number, value in values.items():
                    self._note(Observation(asked, answered, worker, number, value, said["stale"], "api"))
                self.latest[worker] = Observation(
                    asked, answered, worker, Number("site"), said["online"], said["stale"], "api"
                )
            await asyncio.sleep(ASK_SECONDS)

    async def _ask_places(self, worker: int, client: aiohttp.ClientSession) -> None:
        for section, page in zip(itertools.cycle(SECTIONS), itertools.cycle(PAGES), strict=False):
            asked = time.monotonic()
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                said = await self._ask(client, worker, {"section": section, "path": page.path})
                answered = time.monotonic()
                for number, value in (
                    (Number("section", section), said["section"]["online"]),
                    (Number("page", page.path), said["page"]["online"]),
                ):
                    # Of a place it is not said since when the store is away, only that it does not answer.
                    stale = said["stale"] or value is None
                    self._note(Observation(asked, answered, worker, number, value, stale, "api"))
            await asyncio.sleep(ASK_SECONDS)

    async def _ask(self, client: aiohttp.ClientSession, worker: int, query: dict[str, str]) -> Any:
        url = f"{self._service.nodes[worker].url}/api/v1/sites/{SITE}/presence"
        async with client.get(url, params=query) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def _look(self) -> None:
        """What browsers show, those that show all numbers."""
        while True:
            await asyncio.sleep(ASK_SECONDS)
            now = time.monotonic()
            for tab in self._driver.tabs:
                if tab.connection is None or tab.visit is None or not tab.browser.show:
                    continue
                here = {
                    Number("site"),
                    Number("section", tab.place.section),
                    Number("page", tab.place.path),
                    *map(Number, STATES),
                }
                for number in here & tab.connection.told.keys():
                    value = tab.connection.told[number]
                    # What has never been counted yet is told later.
                    stale = tab.connection.stale or value is None
                    self._note(Observation(now, now, tab.visit.worker, number, value, stale, "push"))

    def _note(self, one: Observation) -> None:
        self.observations.append(one)

    # -- who stands still

    def _stall(self, who: int, began: float, done: float) -> None:
        if done - began > STALL_SECONDS:
            self._stalls.setdefault(who, []).append(Span(began, done))

    async def _tick(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(TICK_SECONDS)
            self._stall(HARNESS, began + TICK_SECONDS, time.monotonic())

    async def _ping_store(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_unix_connection(str(self._service.store.socket))
                try:
                    while True:
                        began = time.monotonic()
                        writer.write(b"PING\r\n")
                        if not await reader.readline():
                            break
                        self._stall(STORE, began, time.monotonic())
                        await asyncio.sleep(TICK_SECONDS)
                finally:
                    writer.close()
                    with contextlib.suppress(OSError):
                        await writer.wait_closed()
            await asyncio.sleep(TICK_SECONDS)


def passed_over(history: History, observations: Iterable[Observation], told_seconds: float) -> list[Observation]:
    """Without what browsers show of a worker that is frozen: nobody can tell them, nor at once when it wakes."""
    mute: dict[int, list[Span]] = {}
    for fault in history.faults:
        if fault.kind == "freeze":
            mute.setdefault(fault.worker, []).append(Span(fault.span.began, fault.span.done + told_seconds))
    return [
        one
        for one in observations
        if one.by == "api" or not any(began <= one.answered <= done for began, done in mute.get(one.worker, ()))
    ]
