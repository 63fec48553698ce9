"""How many readers a place has, asked for by name: for the API, whose caller need not be on any page itself.

A number that tabs of this worker show is known here already. Any other is asked of the store, at most once a second
for each place however many ask, and from a connection that the leases do not wait for.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from redis.exceptions import RedisError

from presence.holding import Holding
from presence.ledger import Ledger
from presence.places import Kind, Place

FRESH_SECONDS = 1.0
# Whoever asks for more places within a second has each of them counted.
REMEMBERED = 1024


class Enquiry:
    """Answers for one worker.

    Args:
        ledger: The leases in Redis, over a connection of its own.
        holdings: What this worker holds, by site.
        clock: Seconds, steady.
    """

    def __init__(
        self, ledger: Ledger, holdings: Mapping[str, Holding], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ledger = ledger
        self._holdings = holdings
        self._clock = clock
        self._answers: OrderedDict[tuple[str, Kind, str], tuple[float, int]] = OrderedDict()

    async def readers(self, site: str, kind: Kind, name: str) -> int | None:
        """Readers of a section or page now; None if the store does not answer."""
        held = self._holdings[site].places.get(kind, name)
        if held is not None and held.online is not None:
            return held.shown
        now = self._clock()
        key = (site, kind, name)
        known = self._answers.get(key)
        if known is None or now - known[0] > FRESH_SECONDS:
            try:
                (online,) = await self._ledger.count_places(site, [Place(kind, name, "")])
            except (RedisError, OSError):
                return None
            known = self._answers[key] = (now, online)
            self._answers.move_to_end(key)
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return max(known[1], held.readers if held is not None else 0)
