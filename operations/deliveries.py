"""How many sessions an announcement went to, added up over the workers. Pure: no I/O, no clock.

What was sent is named by announcement and revision, not by its version in the log: versions begin anew when the store
is lost, and a total of one history must not be given for another's. A worker that takes a dead one's place tells again
what is active; what the dead one had sent stays counted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection

# Totals are asked for within seconds of publishing; older ones need not be kept.
_KEPT = 256


class Deliveries:
    """What the workers have told so far."""

    def __init__(self) -> None:
        self._told: OrderedDict[str, dict[int, int]] = OrderedDict()

    def tell(self, worker: int, name: str, sessions: int) -> None:
        """`worker` has sent the revision `name` to so many sessions."""
        self._told.setdefault(name, {}).setdefault(worker, sessions)
        while len(self._told) > _KEPT:
            self._told.popitem(last=False)

    def total(self, name: str, workers: Collection[int]) -> tuple[int, bool]:
        """Sessions so far, and whether all of `workers`, those that are alive, have told."""
        told = self._told.get(name, {})
        return sum(told.values()), bool(told) and all(worker in told for worker in workers)
