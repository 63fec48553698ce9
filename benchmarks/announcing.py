"""How long an announcement takes to everybody, and a recall: from the request to the last socket, beside the bare loop.

The three take turns within each round: the service is asked to announce, the bare loop to send the same bytes to as
many readers of its own, the service to recall. Nothing is left out of the service's time: the request over HTTP, the
token, the store with its append-only file, the feed, the broadcast. The bare loop is told by a pipe.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks import machine
from benchmarks.peers import Bare, Crowd
from benchmarks.product import REQUEST, Product
from benchmarks.rounds import FANOUTS, PAUSE_SECONDS, SETTLE_SECONDS, TITLE, Plan, Step
from gateway import frames


class AnnouncingRound(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from the request to the last of all readers, each of them several times; in the order they were taken.

    Attributes:
        others_busy: How busy the machine was with other things before.
        announced: An announcement by the service.
        recalled: A recall by the service.
        limits: The bytes of the announcement by the bare loop.
    """

    others_busy: float
    announced: list[float]
    recalled: list[float]
    limits: list[float]


def run(plan: Plan, step: Step) -> AnnouncingRound:
    """One round; `step` is told what is being done.

    Raises:
        BenchmarkError: It cannot be measured.
    """
    others_busy = machine.busy_share(0.5)
    announced, recalled, limits = [], [], []
    step("starting")
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as directory,
        Crowd("crowd", plan.crowd, plan.cores.others) as crowd,
        Product(Path(directory), plan.readers, plan.cores.server) as product,
        Bare(plan.bare, plan.cores.server) as bare,
        Crowd("crowd of the bare loop", plan.crowd, plan.cores.others) as other_crowd,
    ):
        step("joining")
        crowd.join(product.port, plan.readers, REQUEST)
        other_crowd.join(bare.port, plan.readers, REQUEST)
        time.sleep(SETTLE_SECONDS)
        step("announcing and recalling")
        for _ in range(FANOUTS):
            _quiet(crowd)
            asked = product.announce(TITLE)
            heard = crowd.heard(plan.readers)
            announced.append(heard.at[-1] - asked.at)
            _quiet(other_crowd)
            asked_at = time.monotonic()
            bare.send(frames.text(heard.message))
            limits.append(other_crowd.heard(plan.readers).at[-1] - asked_at)
            _quiet(crowd)
            asked_at = product.recall(asked.id)
            recalled.append(crowd.heard(plan.readers).at[-1] - asked_at)
        other_crowd.leave()
        crowd.leave()
        step("stopping")
    return AnnouncingRound(others_busy=others_busy, announced=announced, recalled=recalled, limits=limits)


def _quiet(crowd: Crowd) -> None:
    time.sleep(PAUSE_SECONDS)
    crowd.arm()
