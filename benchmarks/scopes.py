"""What the numbers of section and page cost beside that of the site: two services in turn, one that counts the site
alone, and one that counts all three and whose readers are shown all three.

Each round starts both anew, since what a worker has grown to it does not give back.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.peers import Crowd
from benchmarks.product import Product, request
from benchmarks.rounds import SETTLE_SECONDS, Plan, Step

ALL = ("section", "page")


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Readers of one service, all of whom came at once.

    Attributes:
        seconds: Until the last had its welcome.
        worker_seconds: Of the worker's processor, until all leases were written.
        bytes_per_session: What the worker has grown by.
    """

    seconds: float
    worker_seconds: float
    bytes_per_session: float


class ScopesRound(msgspec.Struct, frozen=True, kw_only=True):
    """Both: the site's number alone, and all three."""

    alone: Joined
    all: Joined


def run(plan: Plan, step: Step) -> ScopesRound:
    """One round; `step` is told what is being done.

    Raises:
        BenchmarkError: It cannot be measured.
    """
    step("scopes: the site alone")
    alone = _joined(plan, ())
    step("scopes: site, section and page")
    return ScopesRound(alone=alone, all=_joined(plan, ALL))


def _joined(plan: Plan, scopes: tuple[str, ...]) -> Joined:
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as directory,
        Crowd("crowd", plan.crowd, plan.cores.others) as crowd,
        Product(Path(directory), plan.readers, plan.cores.server, scopes) as product,
    ):
        empty, worker = product.resident_bytes(), product.cpu_seconds()
        joined = crowd.join(product.port, plan.readers, request(show=",".join(scopes)))
        time.sleep(SETTLE_SECONDS)
        measured = Joined(
            seconds=joined.seconds,
            worker_seconds=product.cpu_seconds() - worker,
            bytes_per_session=(product.resident_bytes() - empty) / plan.readers,
        )
        crowd.leave()
    return measured
