"""What one worker holds of one site: its readers, the number, the terms, and what Redis has yet to be told.

What waits for Redis is a set of readers, not a list of commands: however long the store is away, a reader waits once.
Departures wait no longer than a lease, after which there is nothing left to shorten.
"""

from __future__ import annotations

from presence.gauge import Gauge
from presence.naming import Names, Naming
from presence.push import Pushes
from presence.roster import Reader, Roster
from presence.settings import PresenceSettings
from presence.terms import Terms


class Holding:
    """One site on one worker.

    Attributes:
        site: Its id.
        roster: The readers.
        gauge: The number.
        terms: How long leases run now.
        pushes: What browsers have been told.
        draining: The worker is leaving: a session that closes is a reader on the way to another worker.
    """

    __slots__ = ("_joins", "_leaves", "_naming", "draining", "gauge", "pushes", "roster", "site", "terms")

    def __init__(self, site: str, naming: Naming, settings: PresenceSettings) -> None:
        self.site = site
        self.roster = Roster()
        self.gauge = Gauge()
        self.terms = Terms(settings)
        self.pushes = Pushes()
        self.draining = False
        self._naming = naming
        self._joins: dict[bytes, None] = {}
        self._leaves: dict[bytes, float] = {}

    def join(self, reader: bytes) -> Reader:
        """A session of `reader` has opened."""
        entry, new = self.roster.join(reader)
        if new:
            self._joins[reader] = None
            self._leaves.pop(reader, None)
        return entry

    def leave(self, entry: Reader, now: float) -> None:
        """A session of a reader has closed; if it was the last here, its lease is shortened to the grace."""
        if not self.roster.leave(entry):
            return
        # One that Redis was not told of yet stays among the joins: its visit, however short, is counted for the grace.
        if not self.draining:
            self._leaves[entry.id] = now

    def take_joins(self) -> list[bytes]:
        """Readers Redis does not know of yet, to be written before departures.

        Should that fail, all that are held are renewed before the next count.
        """
        joins = list(self._joins)
        self._joins.clear()
        return joins

    def take_all(self) -> list[bytes]:
        """All readers held, to be renewed: Redis may have lost any of them."""
        self._joins.clear()
        return self.roster.everyone()

    def take_leaves(self, now: float) -> dict[bytes, float]:
        """Readers that left, and when; those whose lease has lapsed by now are forgotten.

        One whose coming Redis has yet to be told of stays: told in the wrong order it would be given a whole lease.
        """
        leaves = self._unlapsed(now)
        self._leaves = {reader: at for reader, at in leaves.items() if reader in self._joins}
        return {reader: at for reader, at in leaves.items() if reader not in self._joins}

    def _unlapsed(self, now: float) -> dict[bytes, float]:
        lapsed = now - self.terms.lease_seconds
        return {reader: at for reader, at in self._leaves.items() if at > lapsed}

    def put_back(self, leaves: dict[bytes, float]) -> None:
        """Redis could not be told; who has come back meanwhile has not left."""
        waiting = {reader: at for reader, at in leaves.items() if reader not in self.roster}
        self._leaves = {**waiting, **self._leaves}

    def forget_lapsed(self, now: float) -> None:
        """Drops those that left and need not be told of any more, while the store is away."""
        self._leaves = self._unlapsed(now)
        self._joins = {one: None for one in self._joins if one in self.roster or one in self._leaves}
        # Nothing can be renewed now; the hand goes on all the same, since it clears the wheel of those that left.
        self.roster.due(now, self.terms.renew_seconds)

    def names(self, store_ms: int) -> Names:
        """How readers are named at this time of Redis's clock."""
        return self._naming.at(store_ms, round(1000 * self.terms.lease_seconds))
