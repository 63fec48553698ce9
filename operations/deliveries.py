"""How many sessions an announcement went to, added up over the workers. Pure: no I/O, no clock.

A version may be told again with another content after the store was emptied; a worker that tells a version anew
therefore begins it anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection

# Totals are asked for within seconds of publishing; older ones need not be kept.
_KEPT = 256


class Deliveries:
    """What the workers have told so far."""

    def __init__(self) -> None:
        self._told: OrderedDict[int, dict[int, int]] = OrderedDict()

    def tell(self, worker: int, version: int, sessions: int) -> None:
        """`worker` has sent `version` to so many sessions."""
        told = self._told.get(version)
        if told is None or worker in told:
            self._told[version] = {worker: sessions}
            self._told.move_to_end(version)
        else:
            told[worker] = sessions
        while len(self._told) > _KEPT:
            self._told.popitem(last=False)

    def total(self, version: int, workers: Collection[int]) -> tuple[int, bool]:
        """Sessions so far, and whether all of `workers`, those that are alive, have told."""
        told = self._told.get(version, {})
        return sum(told.values()), bool(told) and all(worker in told for worker in workers)
