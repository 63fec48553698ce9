"""Readers sent away by a service that stops, by one worker of two that is started again, and by a rolling restart.

The readers are those of ``loa simulate``, in this process: each comes back after the delay it was given, under its own
id, and tries again as a browser does. So the figures are those of all on one machine, readers included.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from benchmarks import machine
from benchmarks.figures import Row
from benchmarks.product import SITE, Asked, Product
from benchmarks.rounds import TITLE, Plan, Step
from benchmarks.usage import Meter
from presence.crowd import Crowd, Target, loopback_sources

GONE_SECONDS = 15.0
BACK_SECONDS = 20.0
HELD_SECONDS = 0.05
COMMANDS = 2_000.0
HANDSHAKES = 4_000
# Readers of the stop; of the restart there are so many on each of two workers.
RESTARTED_SHARE = 0.9
_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 120.0
# The number is that of both workers when it was the same for longer than a count takes to come.
_SETTLED_LOOKS = 6


class Rolled(msgspec.Struct, frozen=True, kw_only=True):
    """All workers replaced, one after the other, while announcements are made.

    Attributes:
        readers: Connected before it began, and when it was over.
        seconds: From the signal until all workers were others and all readers were there.
        online: The least and the most that the API said meanwhile.
        announced: How many announcements were made.
        missed: Readers without one, over all announcements.
        twice: How often a reader was told what it knew.
    """

    readers: int
    seconds: float
    online: tuple[int, int]
    announced: int
    missed: int
    twice: int


class Drained(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Attributes:
        readers: Connected when the service was told to stop.
        told: Of these, how many got a close frame with a delay.
        gone_seconds: From the signal until the service had ended; infinite where it did not by itself.
        held: Readers on the worker that was started again.
        back_seconds: From the signal until all were there again.
        others_held_seconds: Upper edge of the longest time the other worker's loop ran late meanwhile.
        commands: Most commands a second that the store was sent, over half a second.
        refused: Tries to come back that were not let in.
        rolled: A rolling restart with the readers of the stop, before it.
    """

    readers: int
    told: int
    gone_seconds: float
    held: int
    back_seconds: float
    others_held_seconds: float
    commands: float
    refused: int
    rolled: Rolled


def measure(plan: Plan, step: Step) -> Drained:
    """Measures; `plan.readers` is for how many the service stops.

    Two workers, the store and the readers share the machine as it comes.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {plan.cores.server, plan.cores.others})
    try:
        return uvloop.run(_interruptible(plan, step))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        os.sched_setaffinity(0, before)


async def _interruptible(plan: Plan, step: Step) -> Drained:
    """An exception that a signal raises in the middle of a callback would be taken for that callback's."""
    measuring = asyncio.ensure_future(_measure(plan, step))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, measuring.cancel)
    return await measuring


def _crowd_of_two(plan: Plan) -> int:
    return int(2 * RESTARTED_SHARE * plan.readers)


async def _measure(plan: Plan, step: Step) -> Drained:
    with tempfile.TemporaryDirectory(prefix="loa-drain-") as directory:
        product = Product(Path(directory), _crowd_of_two(plan), plan.cores.server, workers=2, handshakes=HANDSHAKES)
        try:
            crowd = _crowd(product.port, _crowd_of_two(plan))
            step("readers come to two workers")
            await crowd.gather(_crowd_of_two(plan), HANDSHAKES / 2)
            restarted = await _restart(product, crowd, step)
            await crowd.disperse()
            crowd = _crowd(product.port, plan.readers)
            await crowd.gather(plan.readers, HANDSHAKES / 2)
            rolled = await _roll(product, crowd, step)
            step("the service stops")
            readers, away, began = crowd.connected, len(crowd.sent_away), time.monotonic()
            ended = await asyncio.to_thread(product.ended_within, 2 * GONE_SECONDS)
            seconds = time.monotonic() - began
            told = len(crowd.sent_away) - away
            await crowd.disperse()
        finally:
            product.__exit__(None, None, None)
    return Drained(
        readers=readers, told=told, gone_seconds=seconds if ended else float("inf"), rolled=rolled, **restarted
    )


async def _restart(product: Product, crowd: Crowd, step: Step) -> dict[str, Any]:
    """Has the first worker leave as its supervisor would, and another takes its place."""
    await asyncio.sleep(2)
    step("a worker is started again")
    readers = crowd.connected
    late = await asyncio.to_thread(_late, product)
    sessions = _by_worker(product, "loa_sessions")
    pids = product.workers(2)
    with Meter(product.store_url) as meter:
        began, used, most = time.monotonic(), meter.read(), 0.0
        os.kill(pids[0], signal.SIGTERM)
        deadline, back = began + _PATIENCE_SECONDS, 0.0
        while not back and time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_SECONDS)
            now = meter.read()
            passed = now.since(used)
            most, used = max(most, passed.sent / passed.seconds), now
            if crowd.sent_away and crowd.connected >= readers:
                back = time.monotonic() - began
    gone = len(crowd.sent_away)
    # Which of the two it was, those say whom it sent away.
    index = min(sessions, key=lambda one: abs(sessions[one] - gone))
    after = await asyncio.to_thread(_late, product)
    grown = [edge for (worker, edge), count in after.items() if worker != index and count > late.get((worker, edge), 0)]
    return {
        "held": gone,
        "back_seconds": back or float("inf"),
        "others_held_seconds": max(grown, default=0.0),
        "commands": most,
        "refused": crowd.failed.total(),
    }


async def _roll(product: Product, crowd: Crowd, step: Step) -> Rolled:
    """Has all workers replaced, as for an upgrade."""
    # The readers of before have closed their pages, and are counted for the grace. One worker knows that up to a second
    # before the other.
    deadline, settled = time.monotonic() + _PATIENCE_SECONDS, 0
    while settled < _SETTLED_LOOKS and time.monotonic() < deadline:
        product.reconnect()
        settled = settled + 1 if await asyncio.to_thread(product.online) == crowd.connected else 0
        await asyncio.sleep(_LOOK_SECONDS)
    step("all workers are replaced")
    readers, before = crowd.connected, set(product.workers(2))
    announced, said = [], []
    began = time.monotonic()
    os.kill(product.supervisor, signal.SIGUSR2)
    while time.monotonic() < began + _PATIENCE_SECONDS:
        one, online = await asyncio.to_thread(_announced, product)
        announced.append(one)
        said.append(online)
        await asyncio.sleep(_LOOK_SECONDS)
        now = set(machine.children(product.supervisor))
        if not before & now and crowd.connected >= readers:
            break
    seconds = time.monotonic() - began
    # What was announced last is still on its way.
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (missed := sum(crowd.without(one.id) for one in announced)) and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_SECONDS)
    return Rolled(
        readers=crowd.connected if crowd.connected >= readers else 0,
        seconds=seconds,
        online=(min(said), max(said)),
        announced=len(announced),
        missed=missed,
        twice=crowd.told_twice,
    )


def _announced(product: Product) -> tuple[Asked, int]:
    """An announcement, and the number."""
    product.reconnect()
    return product.announce(TITLE), product.online() or 0


def _crowd(port: int, readers: int) -> Crowd:
    target = Target("127.0.0.1", port, tls=False, site=SITE)
    return Crowd(target, list(loopback_sources(readers)), lambda: None, lambda *_: None)


def _by_worker(product: Product, name: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for sample in product.metrics():
        if sample.name == name:
            found[sample.labels["worker"]] = found.get(sample.labels["worker"], 0.0) + sample.value
    return found


def _late(product: Product) -> dict[tuple[str, float], float]:
    """How often each worker's loop ran late, by upper edge, in seconds; each time under one edge only."""
    found: dict[tuple[str, float], float] = {}
    for worker, edges in _edges(product):
        below = 0.0
        for edge, count in edges:
            found[worker, edge] = count - below
            below = count
    return found


def _edges(product: Product) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    buckets: dict[str, list[tuple[float, float]]] = {}
    for sample in product.metrics():
        if sample.name == "loa_event_loop_lag_seconds_bucket":
            buckets.setdefault(sample.labels["worker"], []).append((float(sample.labels["le"]), sample.value))
    for worker, edges in buckets.items():
        yield worker, sorted(edges)


def rows(measured: list[Drained]) -> list[Row]:
    """One row a figure."""
    return [row for one in measured for row in _of(one)]


def _of(one: Drained) -> list[Row]:
    stop, restart = f"stop with {one.readers:,} sessions", f"restart of a worker with {one.held:,}"
    return [
        _row(f"{stop}: sent away with a delay", "readers", one.told, f"all {one.readers:,}", one.told >= one.readers),
        _row(f"{stop}: gone", "s", one.gone_seconds, f"at most {GONE_SECONDS:g}", one.gone_seconds <= GONE_SECONDS),
        _row(
            f"{restart}: all back", "s", one.back_seconds, f"at most {BACK_SECONDS:g}", one.back_seconds <= BACK_SECONDS
        ),
        _row(
            f"{restart}: the other one's loop late, below",
            "ms",
            1000 * one.others_held_seconds,
            f"at most {1000 * HELD_SECONDS:g}",
            one.others_held_seconds <= HELD_SECONDS,
        ),
        _row(
            f"{restart}: store commands sent",
            "a second",
            one.commands,
            f"under {COMMANDS:,.0f}",
            one.commands < COMMANDS,
        ),
        _row(f"{restart}: tries that were not let in", "", one.refused),
        *_of_rolled(one.rolled),
    ]


def _of_rolled(one: Rolled) -> list[Row]:
    name = f"rolling restart with {one.readers:,}"
    wrong = max(abs(said - one.readers) for said in one.online)
    return [
        _row(f"{name}: all workers replaced, all readers there", "s", one.seconds),
        _row(f"{name}: count wrong by, at most", "readers", wrong, "0", wrong == 0),
        _row(f"{name}: announcements meanwhile", "", one.announced),
        _row(f"{name}: missed by a reader", "", one.missed, "0", one.missed == 0),
        _row(f"{name}: told twice", "", one.twice, "0", one.twice == 0),
    ]


def _row(figure: str, unit: str, measured: float, target: str = "", reached: bool | None = None) -> Row:
    return Row(figure=figure, unit=unit, measured=measured, target=target, reached=reached, rounds=[measured])
