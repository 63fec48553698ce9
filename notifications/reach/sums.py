"""What one worker knows of an announcement's reach, and what all of them know together.

Each worker keeps sums of its own and writes them whole, under a name that nobody else writes to. So writing them twice
changes nothing, an answer that got lost costs nothing, and a store that went back is set right by the next write: it is
a counter that grows only, one for each worker, and reading adds them up (a G-counter: Shapiro et al. 2011).

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from gateway.instants import rfc3339
from notifications.announcement import Announcement
from notifications.reach.latency import bucket, quantile
from store.errors import NOT_UNDERSTOOD

SECONDS = 60
# Of each announcement, so many revisions are kept: the newest.
REVISIONS = 8
# Standard error of a HyperLogLog of 16,384 registers, 1.04 / sqrt(16384).
ERROR = 0.0081


class Sums(Struct, array_like=True):
    """Of one revision.

    Attributes:
        connected: Sessions that were open when it was sent.
        received: Of these, such as it was written to.
        greeted: Sessions that came later, and were told of it as they came.
        took: Sessions that showed it to a reader, by how long that took (:mod:`notifications.reach.latency`).
        seconds: The same, by the second after it was sent; only the first `SECONDS`.
    """

    connected: int = 0
    received: int = 0
    greeted: int = 0
    took: dict[int, int] = {}
    seconds: dict[int, int] = {}

    def rendered(self, after_ms: int) -> None:
        """A session has shown it to a reader so long after it was sent."""
        after_ms = max(0, after_ms)
        _count(self.took, bucket(after_ms), 1)
        if after_ms < 1000 * SECONDS:
            _count(self.seconds, after_ms // 1000, 1)

    def add(self, other: Sums) -> None:
        """Counts what another worker knows, too."""
        self.connected += other.connected
        self.received += other.received
        self.greeted += other.greeted
        for mine, theirs in ((self.took, other.took), (self.seconds, other.seconds)):
            for number, count in theirs.items():
                _count(mine, number, count)


Revisions = dict[int, Sums]


class Readers(Struct, frozen=True):
    """How many readers did what, each counted once, whatever the revision."""

    rendered: int = 0
    clicked: int = 0
    dismissed: int = 0


class Reach(Struct, frozen=True, kw_only=True):
    """The answer to "whom did it reach?".

    Attributes:
        id: Of the announcement.
        revision: The newest that was sent; `connected` to `greeted` and the times are of it.
        connected: Connections that were open when it was sent; the tabs of a browser may share one.
        received: Of these, such as it was written to.
        greeted: Connections that were opened later and told of it then.
        rendered: Readers that saw it on a visible page, in whichever revision.
        clicked, dismissed: Readers that followed its link, that put it away.
        p50_ms, p99_ms: Within so long of being sent, half of those connected that showed it had; 99 in 100 of them.
        measured: How many these are.
        by_second: How many of these showed it in each of the first 60 seconds.
        as_of: When this was so, by the store's clock.
        error: Standard error of the numbers of readers, as a share of them.
    """

    id: str
    revision: int
    connected: int
    received: int
    greeted: int
    rendered: int
    clicked: int
    dismissed: int
    p50_ms: int | None
    p99_ms: int | None
    measured: int
    by_second: list[int]
    as_of: str
    error: float = ERROR


def reach(announcement: Announcement, told: Iterable[Revisions], readers: Readers, now_ms: int) -> Reach:
    """What all workers know together of `announcement`."""
    total = Sums()
    known = [*told]
    revision = max((one for revisions in known for one in revisions), default=announcement.revision)
    for revisions in known:
        if revision in revisions:
            total.add(revisions[revision])
    return Reach(
        id=announcement.id,
        revision=revision,
        connected=total.connected,
        received=total.received,
        greeted=total.greeted,
        rendered=readers.rendered,
        clicked=readers.clicked,
        dismissed=readers.dismissed,
        p50_ms=quantile(total.took, 0.5),
        p99_ms=quantile(total.took, 0.99),
        measured=sum(total.took.values()),
        by_second=[total.seconds.get(second, 0) for second in range(SECONDS)],
        as_of=rfc3339(now_ms),
    )


def encode(number: int, revisions: Revisions) -> bytes:
    """What a worker keeps in the store of one announcement, as its write of that `number`."""
    return b"%d:" % number + msgspec.json.encode(revisions)


def decode(kept: bytes) -> Revisions:
    """The opposite; nothing of what another release wrote in another form."""
    try:
        return _DECODER.decode(kept.partition(b":")[2])
    except NOT_UNDERSTOOD:
        return {}


def _count(counts: dict[int, int], number: int, by: int) -> None:
    counts[number] = counts.get(number, 0) + by


_DECODER = msgspec.json.Decoder(Revisions)
