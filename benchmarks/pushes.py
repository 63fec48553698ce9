"""What a number that changes all the time costs a worker: a few readers come and go without end, and every change is
pushed to everybody.

The same few come and go on another site first, whose changes nobody else is told of. The difference is the pushes.
"""

from __future__ import annotations

import tempfile
import time
from itertools import count
from pathlib import Path

import msgspec

from benchmarks import machine
from benchmarks.peers import Crowd
from benchmarks.product import OTHER_SITE, SITE, Product, request
from benchmarks.rounds import SETTLE_SECONDS, Plan, Step

# As many as come at a time, by turns: so that no two counts are the same.
_COME = (1, 5, 2, 7, 3)
_PAUSE_SECONDS = 0.4


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """So many sessions that were told.

    Attributes:
        sessions: How many.
        share: Of a core, for the pushes alone.
        pushes_per_second: How often each was told.
    """

    sessions: int
    share: float
    pushes_per_second: float


def measure(plan: Plan, step: Step) -> Pushed:
    """Measures with as many sessions as there are readers; `step` is told what is being done.

    Raises:
        BenchmarkError: It cannot be measured.
    """
    step(f"pushes to {plan.readers:,}: starting")
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as directory,
        Crowd("crowd", plan.crowd, plan.cores.others) as crowd,
        Crowd("those who come and go", plan.crowd, plan.cores.others) as passing,
        Product(Path(directory), plan.readers, plan.cores.server) as product,
    ):
        crowd.join(product.port, plan.readers, request())
        time.sleep(SETTLE_SECONDS)
        step(f"pushes to {plan.readers:,}: the number stands still")
        still, _ = _come_and_go(passing, product, OTHER_SITE, plan.idle_seconds)
        step(f"pushes to {plan.readers:,}: the number changes")
        changing, deliveries = _come_and_go(passing, product, SITE, plan.idle_seconds)
        crowd.arm()
        passing.leave()
        crowd.leave()
    return Pushed(
        sessions=plan.readers,
        share=changing - still,
        pushes_per_second=deliveries / plan.readers,
    )


def _come_and_go(passing: Crowd, product: Product, site: str, seconds: float) -> tuple[float, float]:
    """Returns the share of a core the worker used, and deliveries a second."""
    began, before, delivered = time.monotonic(), machine.cpu_seconds(product.worker), product.deliveries()
    for turn in count():
        # Those who came before leave.
        passing.join(product.port, _COME[turn % len(_COME)], request(site))
        time.sleep(_PAUSE_SECONDS)
        passed = time.monotonic() - began
        if passed >= seconds:
            break
    used = machine.cpu_seconds(product.worker) - before
    return used / passed, (product.deliveries() - delivered) / passed
