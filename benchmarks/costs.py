"""What a site of any size costs, from what some sizes were measured to cost, by :data:`FORMULA`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import msgspec

from benchmarks.held import WORKER_SESSIONS
from benchmarks.journey import Journey
from benchmarks.leases import VIEW_SECONDS, Leases
from benchmarks.presence_figures import PUSH_SHARE
from presence.settings import PresenceSettings

FORMULA = """\
workers          W = readers / 18,000, rounded up
renewals/s       R = readers / 10, at most 20,000: then the interval stretches
page views/s     V = readers / 60
commands/s         = W x commands of a worker
store, cores       = R x a renewal, with its share of the counts, + V x a page view
store, memory      = readers x bytes of a reader
workers, cores     = readers x a reader for a second + V x a page view + W x 0.10 for counts pushed, at most"""

COLUMNS = (
    "readers",
    "workers",
    "renewals/s",
    "page views/s",
    "commands/s",
    "store, % of a core",
    "store, MB",
    "workers, cores",
    "store's figures",
)


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into the formula.

    Attributes:
        commands: A worker sends in a second.
        renewal_seconds, view_seconds: Of the store's processor, each.
        bytes_per_reader: Of the store.
        reader_seconds, page_seconds: Of a worker's processor, for a reader and second, and for a page view.
    """

    commands: float
    renewal_seconds: float
    view_seconds: float
    bytes_per_reader: float
    reader_seconds: float
    page_seconds: float


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a site costs.

    Attributes:
        readers: Of the site.
        workers: That hold them.
        renewals: A second.
        views: Pages turned a second.
        commands: The store is sent a second.
        store_cores: Of its processor.
        store_bytes: Of its memory.
        worker_cores: Of all workers together.
        measured: Whether the figures of the store were; those of the workers never are but by the formula.
    """

    readers: int
    workers: int
    renewals: float
    views: float
    commands: float
    store_cores: float
    store_bytes: float
    worker_cores: float
    measured: bool


def rates(largest: Leases, journey: Journey) -> Rates:
    """By the largest site that was measured, and by the readers that had sockets."""
    rest, views = largest.rest, largest.views
    return Rates(
        commands=views.store.sent / views.store.seconds / largest.workers,
        renewal_seconds=rest.store.cpu_seconds / rest.renewed,
        view_seconds=(views.store.cpu_seconds - rest.store.cores * views.store.seconds) / views.views,
        bytes_per_reader=_bytes(largest) / largest.readers,
        reader_seconds=journey.worker_per_reader_second,
        page_seconds=journey.worker_per_page,
    )


def formula(readers: int, by: Rates) -> Cost:
    """What a site of so many readers costs."""
    settings = PresenceSettings()
    workers = ceil(readers / WORKER_SESSIONS)
    renewals = min(readers / settings.renew_seconds, settings.renewals_per_second)
    views = readers / VIEW_SECONDS
    return Cost(
        readers=readers,
        workers=workers,
        renewals=renewals,
        views=views,
        commands=workers * by.commands,
        store_cores=renewals * by.renewal_seconds + views * by.view_seconds,
        store_bytes=readers * by.bytes_per_reader,
        worker_cores=readers * by.reader_seconds + views * by.page_seconds + workers * PUSH_SHARE,
        measured=False,
    )


def table(sizes: Sequence[Leases], journey: Journey, extrapolated: Sequence[int]) -> list[Cost]:
    """Every size that was measured, as measured, and some that were not."""
    by = rates(max(sizes, key=lambda one: one.readers), journey)
    return [*(_measured(one, by) for one in sizes), *(formula(readers, by) for readers in extrapolated)]


def _measured(one: Leases, by: Rates) -> Cost:
    store = one.views.store
    return msgspec.structs.replace(
        formula(one.readers, by),
        workers=one.workers,
        renewals=one.rest.renewed / one.rest.store.seconds,
        views=one.views.views / store.seconds,
        commands=store.sent / store.seconds,
        store_cores=store.cores,
        store_bytes=_bytes(one),
        measured=True,
    )


def _bytes(one: Leases) -> float:
    """With what readers that turn pages leave behind for a while."""
    return one.bytes_per_reader * one.readers + max(0, one.rest.store.memory_bytes + one.views.store.memory_bytes)


def cells(cost: Cost) -> list[str]:
    """A row of the table, for :data:`COLUMNS`."""
    return [
        f"{cost.readers:,}",
        f"{cost.workers:,}",
        f"{cost.renewals:,.0f}",
        f"{cost.views:,.0f}",
        f"{cost.commands:,.0f}",
        f"{100 * cost.store_cores:.1f}",
        f"{cost.store_bytes / 1e6:.1f}",
        f"{cost.worker_cores:.1f}",
        "measured" if cost.measured else "by the formula",
    ]
