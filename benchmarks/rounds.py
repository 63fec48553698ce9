"""One round: the service from start to stop, and beside it, for the fan-outs, the bare loop with the same bytes.

The two send in turn, a third of a second apart, and are compared with each other: a machine, a virtual one above all,
is not the same from one second to the next. Each round starts a new service, since what a worker has once grown to it
does not give back.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import msgspec

from benchmarks import machine
from benchmarks.peers import Bare, Crowd, Heard, Joined
from benchmarks.product import REQUEST, Product
from gateway import frames

# A fan-out takes a tenth of a second: a round is the median of several.
FANOUTS = 9
SETTLE_SECONDS = 2.0
_BEAT_MS = 2
PAUSE_SECONDS = 0.3

# As long as people write: 70 characters, Vietnamese.
TITLE = "Hồ thủy điện Thạch Vân xả lũ từ 14 giờ, người dân ven sông cần di dời ngay"

Step = Callable[[str], None]


class Fanout(msgspec.Struct, frozen=True):
    """One message to everybody.

    Attributes:
        received_seconds: From the first reader that heard it to the last.
        sent_seconds: From the server's beginning to its last write, by its own account.
        latency_p50_seconds, latency_p99_seconds: From when it was asked for to when a reader heard it.
        crowd_busy: Share of a core that the crowd used while it listened.
    """

    received_seconds: float
    sent_seconds: float
    latency_p50_seconds: float
    latency_p99_seconds: float
    crowd_busy: float


class Joins(msgspec.Struct, frozen=True):
    """All readers coming at once: seconds for all handshakes, and the share of a core that the crowd used."""

    seconds: float
    crowd_busy: float


class ProductRound(msgspec.Struct, frozen=True):
    """What one service did.

    Attributes:
        joins: All readers coming at once.
        miscounted: By how much its number was wrong two seconds later.
        bytes_per_session: What the worker has grown by, over the sessions, at the worse of two moments: settled, and
            at the end.
        fanouts: Several.
        beat_seconds: The slowest answer to a ping through one session during a fan-out.
        slice_seconds: The longest time a slice of a broadcast held the loop, by the worker's account.
        idle_share: Share of a core of a worker whose readers only read.
    """

    joins: Joins
    miscounted: int
    bytes_per_session: float
    fanouts: list[Fanout]
    beat_seconds: float
    slice_seconds: float
    idle_share: float


class BareRound(msgspec.Struct, frozen=True):
    """What the bare loop did with the same readers and the same bytes."""

    joins: Joins
    fanouts: list[Fanout]


class Round(msgspec.Struct, frozen=True):
    """Both, how busy the machine was with other things before, and the share of a core it was without meanwhile."""

    others_busy: float
    stolen: float
    product: ProductRound
    bare: BareRound


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to do.

    Attributes:
        readers: How many.
        idle_seconds: How long to watch them do nothing.
        crowd: What starts the crowd.
        bare: What starts the bare loop.
        cores: Whose core is which.
    """

    readers: int
    idle_seconds: float
    crowd: Sequence[str]
    bare: Sequence[str]
    cores: machine.Cores


def run(plan: Plan, step: Step) -> Round:
    """One round; `step` is told what is being done.

    Raises:
        BenchmarkError: It cannot be measured.
    """
    others_busy = machine.busy_share(0.5)
    with machine.Stolen() as stolen:
        measured = _round(plan, step)
    return Round(others_busy, stolen.share, *measured)


def _round(plan: Plan, step: Step) -> tuple[ProductRound, BareRound]:
    step("starting")
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as directory,
        Crowd("crowd", plan.crowd, plan.cores.others) as crowd,
        Product(Path(directory), plan.readers, plan.cores.server) as product,
    ):
        empty = product.resident_bytes()
        step("joining")
        joined = crowd.join(product.port, plan.readers, REQUEST)
        step("settling")
        time.sleep(SETTLE_SECONDS)
        online = product.online()
        settled = product.resident_bytes()
        step("idle")
        idle = _idle(plan, product)
        step("fan-out")
        fanouts, bare = _fanouts(plan, product, crowd)
        step("fan-out, watched")
        beat = _watched(plan, product, crowd)
        crowd.arm()
        measured = ProductRound(
            joins=_joins(joined),
            miscounted=abs((online or 0) - plan.readers),
            bytes_per_session=(max(settled, product.resident_bytes()) - empty) / plan.readers,
            fanouts=fanouts,
            beat_seconds=beat,
            slice_seconds=product.fanout().longest_slice_seconds,
            idle_share=idle,
        )
        crowd.leave()
        step("stopping")
    return measured, bare


def _idle(plan: Plan, product: Product) -> float:
    before, began = product.cpu_seconds(), time.monotonic()
    time.sleep(plan.idle_seconds)
    return (product.cpu_seconds() - before) / (time.monotonic() - began)


def _fanouts(plan: Plan, product: Product, crowd: Crowd) -> tuple[list[Fanout], BareRound]:
    """The service and the bare loop in turn, each to a crowd of its own."""
    fanouts, limits = [], []
    with (
        Bare(plan.bare, plan.cores.server) as bare,
        Crowd("crowd of the bare loop", plan.crowd, plan.cores.others) as other_crowd,
    ):
        joined = other_crowd.join(bare.port, plan.readers, REQUEST)
        for _ in range(FANOUTS):
            fanout, message = _announce(plan, product, crowd)
            fanouts.append(fanout)
            limits.append(_send(plan, bare, other_crowd, message))
        other_crowd.leave()
    return fanouts, BareRound(_joins(joined), limits)


def _send(plan: Plan, bare: Bare, crowd: Crowd, message: bytes) -> Fanout:
    time.sleep(PAUSE_SECONDS)
    crowd.arm()
    asked_at = time.monotonic()
    sent_seconds = bare.send(frames.text(message))
    return _fanout(crowd.heard(plan.readers), asked_at, sent_seconds)


def _announce(plan: Plan, product: Product, crowd: Crowd) -> tuple[Fanout, bytes]:
    """Also returns the announcement as it was heard."""
    time.sleep(PAUSE_SECONDS)
    crowd.arm()
    before = product.fanout().seconds
    asked_at = product.publish(TITLE)
    heard = crowd.heard(plan.readers)
    return _fanout(heard, asked_at, product.fanout().seconds - before), heard.message


def _watched(plan: Plan, product: Product, crowd: Crowd) -> float:
    """A fan-out of its own: the pings cost the loop a little."""
    time.sleep(PAUSE_SECONDS)
    crowd.arm()
    crowd.begin_beat(_BEAT_MS)
    product.publish(TITLE)
    crowd.heard(plan.readers)
    return crowd.end_beat()


def _joins(joined: Joined) -> Joins:
    return Joins(joined.seconds, joined.busy)


def _fanout(heard: Heard, asked_at: float, sent_seconds: float) -> Fanout:
    at = heard.at
    return Fanout(
        received_seconds=at[-1] - at[0],
        sent_seconds=sent_seconds,
        latency_p50_seconds=median(at) - asked_at,
        latency_p99_seconds=at[int(0.99 * (len(at) - 1))] - asked_at,
        crowd_busy=heard.busy,
    )
