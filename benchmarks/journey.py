"""What a reader costs the store and the worker by merely being there, and by turning a page: the whole service, with
sockets.

The cost of a page is that of everybody closing and opening one: what was used from then until every trace of those that
closed has gone, less what all would have cost at rest.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.peers import Crowd
from benchmarks.product import Product, request
from benchmarks.rounds import SETTLE_SECONDS, Plan, Step
from benchmarks.usage import Meter, Usage
from presence.settings import PresenceSettings

# Until the leases of those who left have lapsed and were swept.
_GONE_SECONDS = PresenceSettings().grace_seconds + 2


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """What so many readers cost.

    Attributes:
        readers: How many.
        rest_store: Of the store, while nobody did anything.
        rest_worker_seconds: Of the worker's processor, meanwhile.
        pages_store: Of the store, while everybody turned a page once.
        pages_worker_seconds: Of the worker's processor, meanwhile.
    """

    readers: int
    rest_store: Usage
    rest_worker_seconds: float
    pages_store: Usage
    pages_worker_seconds: float

    @property
    def store_per_reader_second(self) -> float:
        """Seconds of the store's processor."""
        return self.rest_store.cores / self.readers

    @property
    def worker_per_reader_second(self) -> float:
        """Seconds of the worker's processor."""
        return self.rest_worker_seconds / self.rest_store.seconds / self.readers

    @property
    def store_per_page(self) -> float:
        """Seconds of the store's processor."""
        return self.pages_store.cpu_seconds / self.readers - self.store_per_reader_second * self.pages_store.seconds

    @property
    def worker_per_page(self) -> float:
        """Seconds of the worker's processor."""
        return self.pages_worker_seconds / self.readers - self.worker_per_reader_second * self.pages_store.seconds

    def commands_per_page(self, kind: str) -> float:
        """Of the store, ``sent`` or called ``inside`` scripts."""
        at_rest = getattr(self.rest_store, kind) / self.rest_store.seconds
        return float(getattr(self.pages_store, kind) - at_rest * self.pages_store.seconds) / self.readers


def measure(plan: Plan, step: Step) -> Journey:
    """Measures; `step` is told what is being done.

    Raises:
        BenchmarkError: It cannot be measured.
    """
    shown = request(show="section,page")
    step("a page view: starting")
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as directory,
        Crowd("crowd", plan.crowd, plan.cores.others) as crowd,
        Product(Path(directory), plan.readers, plan.cores.server) as product,
        Meter(product.store_url) as meter,
    ):
        crowd.join(product.port, plan.readers, shown)
        time.sleep(SETTLE_SECONDS)
        step("a page view: at rest")
        before, worker = meter.read(), product.cpu_seconds()
        time.sleep(plan.idle_seconds)
        rest, rest_worker = meter.read().since(before), product.cpu_seconds() - worker
        step("a page view: everybody turns a page")
        before, worker = meter.read(), product.cpu_seconds()
        crowd.leave()
        crowd.join(product.port, plan.readers, shown)
        time.sleep(_GONE_SECONDS)
        journey = Journey(
            readers=plan.readers,
            rest_store=rest,
            rest_worker_seconds=rest_worker,
            pages_store=meter.read().since(before),
            pages_worker_seconds=product.cpu_seconds() - worker,
        )
        crowd.leave()
    return journey
