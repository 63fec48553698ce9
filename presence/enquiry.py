"""How many readers a place has, asked for by name: for the API and for badges, whose caller need not be on any page.

A number that tabs of this worker show is known here already. Any other is asked of the store, at most once in the
time between two counts for each place however many ask, and from a connection that the leases do not wait for. A store
that has lost what it held is believed as little here as by the leases.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from redis.exceptions import RedisError

from presence.holding import Holding
from presence.ledger import Epoch, Ledger
from presence.places import Kind, Place

# Whoever asks for more places within that time has each of them counted.
REMEMBERED = 1024


class Enquiry:
    """Answers for one worker.

    Args:
        ledger: The leases in Redis, over a connection of its own.
        holdings: What this worker holds, by site.
        epoch: The store's, as the leases know it.
        fresh_seconds: For so long an answer is good: the time between two counts.
        clock: Seconds, steady.
    """

    def __init__(
        self,
        ledger: Ledger,
        holdings: Mapping[str, Holding],
        epoch: Callable[[], Epoch | None],
        fresh_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._holdings = holdings
        self._epoch = epoch
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._answers: OrderedDict[tuple[str, Kind, str], tuple[float, int]] = OrderedDict()

    async def readers(self, site: str, kind: Kind, name: str, epoch: Epoch | None = None) -> int | None:
        """Readers of a section or page now.

        Args:
            site, kind, name: Of which.
            epoch: The store's, as the leases knew it when the question was asked, where something was awaited since:
                while one question waits for a store that starts again, the leases may have found it empty, and the next
                must not take what they alone have written there for all there is. None: it is asked now.

        Returns:
            None if the store does not answer or has lost what it held, or if the settings have none counted.
        """
        if not self._holdings[site].counts(kind):
            return None
        held = self._holdings[site].places.get(kind, name)
        if held is not None and held.online is not None:
            return held.shown
        now = self._clock()
        key = (site, kind, name)
        known = self._answers.get(key)
        if known is None or now - known[0] > self._fresh_seconds:
            epoch = epoch or self._epoch()
            try:
                (online,) = await self._ledger.count_places(site, [Place(kind, name, "")])
                # Asked afterwards: what was still there now was there when it was counted.
                if not await self._ledger.has_kept(epoch):
                    return None
            except (RedisError, OSError):
                return None
            known = self._answers[key] = (now, online)
            self._answers.move_to_end(key)
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return max(known[1], held.readers if held is not None else 0)
