"""What it costs that readers acknowledge an announcement: commands of the store, and time of a fan-out meanwhile.

The same readers are told of an announcement that none acknowledges, then of one that each does within five seconds,
and, while these acknowledgements come in, of a third: so the worker hears thousands a second while it delivers. This
is done several times over, since a machine is not the same from one half minute to the next.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.peers import Crowd
from benchmarks.product import REQUEST, Product
from benchmarks.rounds import SETTLE_SECONDS, Plan, Step
from benchmarks.usage import Meter, Usage

# As browsers do.
HOLD_MS = 5_000
_MEANWHILE_SECONDS = 1.5
# After the last may have come, so long until all is written and told once more.
_AFTER_SECONDS = 2.0
# By notifications/reach/lua/apply.lua.
_CALLED = ("hget", "hset", "pfadd", "pexpireat")
_TITLE = "Hồ thủy điện Thạch Vân xả lũ từ 14 giờ, người dân ven sông cần di dời ngay"


class Acks(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Attributes:
        readers: How many acknowledged.
        measured: Of how many pages the service knows when they showed it.
        counted: How many readers it says have seen it.
        seconds: How long they took, and what is written after them.
        sent: Commands a second that the store was sent for it, less those while nobody acknowledges.
        inside: Of those that its script calls, so many a second more than while nobody acknowledges.
        worker_share: Of a core, what the worker used for it.
        alone_p50_seconds, alone_p99_seconds: From when an announcement was asked for to when a reader heard it, where
            none is acknowledged.
        with_p50_seconds, with_p99_seconds: The same, while acknowledgements come in.
        alone_worker_seconds, with_worker_seconds: Of the worker's processor from when it was asked for until all had
            heard it. It grows with how long that takes, since so many more acknowledge meanwhile.
        slower: The p99 with over that without; like the others the median of the rounds.
    """

    readers: int
    measured: int
    counted: int
    seconds: float
    sent: float
    inside: float
    worker_share: float
    alone_p50_seconds: float
    alone_p99_seconds: float
    with_p50_seconds: float
    with_p99_seconds: float
    alone_worker_seconds: float
    with_worker_seconds: float
    slower: float


class _Stretch(msgspec.Struct, frozen=True):
    """A stretch of time: what the store did, and of the worker's processor."""

    store: Usage
    called: int
    worker_seconds: float


class _Told(msgspec.Struct, frozen=True):
    """An announcement: how long until half of the readers and 99 in 100 had heard it, and of the worker's processor."""

    p50_seconds: float
    p99_seconds: float
    worker_seconds: float


def measure(plan: Plan, rounds: int, step: Step) -> Acks:
    """One run with so many rounds of fan-outs; `step` is told what is being done.

    Raises:
        BenchmarkError: It cannot be measured.
    """
    step("acks: joining")
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as directory,
        Crowd("crowd", plan.crowd, plan.cores.others) as crowd,
        Product(Path(directory), plan.readers, plan.cores.server) as product,
        Meter(product.store_url) as meter,
    ):
        crowd.join(product.port, plan.readers, REQUEST)
        time.sleep(SETTLE_SECONDS)
        seconds = HOLD_MS / 1000 + _AFTER_SECONDS
        step("acks: idle")
        idle = _stretch(product, meter, seconds)
        step("acks: counted")
        crowd.acknowledge(HOLD_MS)
        _announce(plan, product, crowd)
        busy = _stretch(product, meter, seconds)
        reach = product.reach()
        alone, both = [], []
        for number in range(1, rounds + 1):
            step(f"acks: fan-outs, {number} of {rounds}")
            crowd.acknowledge(0)
            alone.append(_announce(plan, product, crowd))
            crowd.acknowledge(HOLD_MS)
            _announce(plan, product, crowd)
            time.sleep(_MEANWHILE_SECONDS)
            both.append(_announce(plan, product, crowd))
            time.sleep(seconds)
        crowd.acknowledge(0)
        crowd.arm()
        crowd.leave()
    return Acks(
        readers=plan.readers,
        measured=reach.measured,
        counted=reach.rendered,
        seconds=busy.store.seconds,
        sent=busy.store.sent / busy.store.seconds - idle.store.sent / idle.store.seconds,
        inside=busy.called / busy.store.seconds - idle.called / idle.store.seconds,
        worker_share=(busy.worker_seconds - idle.worker_seconds) / busy.store.seconds,
        alone_p50_seconds=median(one.p50_seconds for one in alone),
        alone_p99_seconds=median(one.p99_seconds for one in alone),
        with_p50_seconds=median(one.p50_seconds for one in both),
        with_p99_seconds=median(one.p99_seconds for one in both),
        alone_worker_seconds=median(one.worker_seconds for one in alone),
        with_worker_seconds=median(one.worker_seconds for one in both),
        slower=median(late.p99_seconds / early.p99_seconds for early, late in zip(alone, both, strict=True)),
    )


def _stretch(product: Product, meter: Meter, seconds: float) -> _Stretch:
    called, before, cpu = meter.calls(*_CALLED), meter.read(), product.cpu_seconds()
    time.sleep(seconds)
    used = meter.read().since(before)
    return _Stretch(used, meter.calls(*_CALLED) - called, product.cpu_seconds() - cpu)


def _announce(plan: Plan, product: Product, crowd: Crowd) -> _Told:
    crowd.arm()
    cpu, asked_at = product.cpu_seconds(), product.publish(_TITLE)
    at = crowd.heard(plan.readers).at
    used = product.cpu_seconds() - cpu
    return _Told(median(at) - asked_at, at[int(0.99 * (len(at) - 1))] - asked_at, used)
