"""One run, from the start of the service to the verdict."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.truth import nodes
from tests.truth.driver import Driver
from tests.truth.history import History
from tests.truth.judge import Observation, Verdict, judge
from tests.truth.model import Model, Promise
from tests.truth.observer import Observer, passed_over
from tests.truth.schedule import Plan, schedule
from tests.truth.segments import Number
from tests.truth.spans import Stalls

# How much longer than it should take a machine that does ten things at once may need until the numbers stand still.
SETTLE_SECONDS = 60.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a run.

    Attributes:
        plan: What was asked for.
        promise: What the API stated, at its longest.
        history: What happened.
        observations: What was said.
        verdict: What of it was right.
        unsettled: Workers that were not exact when all had been quiet for long enough; empty as it should be.
    """

    plan: Plan
    promise: Promise
    history: History
    observations: list[Observation]
    verdict: Verdict
    unsettled: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not self.verdict.violations and not self.unsettled


async def run(plan: Plan, progress: Callable[[int, int], None] = lambda done, total: None) -> Result:
    """Starts a service, drives it, and judges it; `progress` hears how many acts of how many are done."""
    acts = schedule(plan)
    directory = Path(tempfile.mkdtemp(prefix="loa-truth-"))
    try:
        async with nodes.Service(directory, plan.workers) as service:
            driver = Driver(service, plan.seed)
            try:
                async with Observer(service, driver) as observer:
                    driving = asyncio.create_task(driver.run(acts))
                    while not driving.done():
                        await asyncio.wait([driving], timeout=LOOK_SECONDS)
                        progress(driver.done, len(acts))
                    driving.result()
                    await driver.settle()
                    unsettled = await _settled(plan, driver, observer)
            finally:
                await driver.end()
            history = driver.history
            history.stalls = observer.stalls(history)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    promise = promised(observer.bounds)
    observations = passed_over(history, observer.observations, promise.join)
    verdict = await asyncio.to_thread(judge, history, promise, observations)
    return Result(
        plan=plan,
        promise=promise,
        history=history,
        observations=observations,
        verdict=verdict,
        unsettled=unsettled,
    )


def promised(bounds: dict[str, float]) -> Promise:
    """The bounds of the API's answers, with the settings that the nodes were given."""
    return Promise(
        join=bounds["join_seconds"],
        leave=bounds["leave_seconds"],
        vanish=bounds["vanish_seconds"],
        lost_worker=bounds["lost_worker_seconds"],
        move=bounds["move_seconds"],
        turn=bounds["turn_seconds"],
        freshness=bounds["freshness_seconds"],
        renew=nodes.RENEW_SECONDS,
        lease=nodes.LEASE_SECONDS,
        grace=nodes.GRACE_SECONDS,
        batch=nodes.BATCH_MS / 1000,
        count=nodes.COUNT_SECONDS,
    )


async def _settled(plan: Plan, driver: Driver, observer: Observer) -> tuple[str, ...]:
    """Waits until nothing has happened for so long that every number must be exact, and then until it is."""
    quiet_since = time.monotonic()
    freshness = promised(observer.bounds).freshness
    while time.monotonic() < _running(driver, observer).reach(quiet_since, freshness):
        await asyncio.sleep(LOOK_SECONDS)
    truth = Model(driver.history, promised(observer.bounds)).truth(Number("site")).at(time.monotonic())
    deadline = time.monotonic() + SETTLE_SECONDS
    wrong: tuple[str, ...] = ()
    while time.monotonic() < deadline:
        latest = [observer.latest.get(worker) for worker in range(plan.workers)]
        wrong = tuple(
            f"worker {worker} says {one.value if one is not None else None}, true is {truth}"
            for worker, one in enumerate(latest)
            if one is None or one.stale or one.value != truth
        )
        if not wrong:
            # A moment more, in which every other number is looked at too.
            await asyncio.sleep(1.0)
            return ()
        await asyncio.sleep(LOOK_SECONDS)
    return wrong


def _running(driver: Driver, observer: Observer) -> Stalls:
    return Stalls([span for spans in observer.stalls(driver.history).values() for span in spans])
