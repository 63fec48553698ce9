"""Keeps the leases of this worker's readers in Redis, and counts all sites. One task, one connection.

A browser never waits for Redis: joins and departures are noted in :class:`~presence.holding.Holding` and written every
``batch_ms``, newcomers first, then renewals, then departures; then, once per ``count_seconds``, every site is counted.

What happens when:

- *Redis is away.* Nothing is lost but time: the last numbers stay, marked stale. It is tried again every half second.
- *It is back.* All readers held are renewed before a number is believed again, and for a moment longer, since the other
  workers need it too: a server that came back empty fills up before anybody is shown what it holds.
- *It lost everything though it answered* (restarted empty between two commands, flushed): a count is believed only if
  the store's epoch is still the one of before; else it is as if Redis had been away.
- *Leases have gone though it answered* (evicted, or this worker was frozen): the next renewal notices and renews all.
- *The worker is killed.* Its leases lapse, one lease after their last renewal.
- *It drains.* Its leases are left as they are: its readers come back to another worker within seconds, under the same
  names, and shortening leases meanwhile would make the number dip.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import TypeVar
from zoneinfo import ZoneInfo

import structlog
from redis.exceptions import RedisError

from gateway.sites import Sites
from gateway.tasks import told_to_stop
from presence.holding import Holding
from presence.identity import Identity
from presence.ledger import Ledger, ToCount
from presence.naming import Naming
from presence.places import Place
from presence.roster import Reader
from presence.secret import SharedSecret
from presence.settings import PresenceSettings
from store.errors import reason

log = structlog.get_logger(__name__)

T = TypeVar("T")

RETRY_SECONDS = 0.5
# Long enough for every other worker to have tried again and renewed all it holds, once it has noticed.
SETTLE_SECONDS = 3 * RETRY_SECONDS
# How often it is made sure that the store still has our secret: a key that nobody reads may be evicted.
SECRET_SECONDS = 10.0
# Most places of a site that are counted at a time, a microsecond of the store each. Where browsers show the numbers of
# more, they take turns.
PLACES_AT_A_TIME = 500


class Leases:
    """The leases of one worker.

    Args:
        ledger: The leases in Redis; its connection is used by nobody else.
        settings: The room's settings.
        holdings: One for each site; more may come.
        secret: Put back where Redis has lost it.
        clock: Seconds, steady; need not be right.
        reconnect_seconds: How long another worker may wait for a connection or an answer before it tries again.

    Attributes:
        holdings: By site.
        counted: Set once every site has been counted for the first time.
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: PresenceSettings,
        holdings: Mapping[str, Holding],
        secret: SharedSecret,
        clock: Callable[[], float] = time.monotonic,
        *,
        reconnect_seconds: float = 6.0,
    ) -> None:
        self.holdings = holdings
        self.ledger = ledger
        self.counted = asyncio.Event()
        self._settings = settings
        self._secret = secret
        self._clock = clock
        self._reconnect_seconds = reconnect_seconds
        self._away = False
        self._answered_at = clock()
        self._secret_at = 0.0
        self._believe_at = 0.0
        self._count_at = 0.0
        self._remedied: dict[str, float] = {}

    async def run(self) -> None:
        """Runs until cancelled.

        Raises:
            SecretReplaced: The worker cannot go on.
        """
        while not told_to_stop():
            try:
                await self._return()
                await self._attend()
            except (RedisError, OSError) as error:
                self._lost(error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _return(self) -> None:
        """Redis is there, perhaps anew: learns its clock and makes it whole."""
        if any_site := next(iter(self.holdings), None):
            await self.ledger.count(any_site)
        await self.ledger.open()
        await self._secret.restore()
        for holding in [*self.holdings.values()]:
            await self._renew(holding, holding.take_all())
        if self._away:
            log.info("presence store is back", readers=sum(len(one.roster) for one in self.holdings.values()))
            # Whoever was cut off as long as we were may wait as long again, up to the client's own patience.
            waited = min(self._clock() - self._answered_at, self._reconnect_seconds)
            self._believe_at = self._clock() + waited + SETTLE_SECONDS
        self._away = False

    async def _attend(self) -> None:
        """Writes and counts at a steady beat, for as long as Redis answers and has lost nothing."""
        batch_seconds = self._settings.batch_ms / 1000
        beat = self._clock()
        while not told_to_stop():
            for holding in [*self.holdings.values()]:
                await self._write(holding)
            if self._clock() >= max(self._count_at, self._believe_at):
                self._count_at = self._clock() + self._settings.count_seconds - batch_seconds / 2
                if not await self._count():
                    log.warning("presence store has lost its leases; numbers are stale")
                    self.ledger.figures.losses += 1
                    self._doubt()
                    return
            beat = max(beat + batch_seconds, self._clock())
            await asyncio.sleep(beat - self._clock())

    async def _write(self, holding: Holding) -> None:
        now = self._clock()
        # Both taken before anything is awaited: who joins meanwhile waits for the next beat and is due after it.
        joins, due = holding.take_joins(), holding.take_due(now)
        await self._renew(holding, joins)
        missing = await self._renew(holding, due)
        # Once per interval: where leases go missing all the time, renewing all at each beat would only add to it.
        if missing and now - self._remedied.get(holding.site, -inf) >= holding.terms.renew_seconds:
            self._remedied[holding.site] = now
            self.ledger.figures.losses += 1
            log.warning("leases were missing; renewing all", site=holding.site, readers=len(holding.roster))
            await self._secret.restore()
            await self._renew(holding, holding.take_all())
        await self._leave(holding)

    async def _renew(self, holding: Holding, readers: Sequence[Reader]) -> int:
        """Writes leases in batches; returns how many were missing, which joins always are."""
        missing = 0
        terms = holding.terms
        for shard, share in self._by_shard(readers, lambda reader: reader.id):
            for batch in _batches(share, self._settings.batch_size):
                added = None
                while added is None:
                    # A refusal has just taught us what time it is: the next attempt has the right names.
                    names = holding.names(self.ledger.store_clock.at(self._clock()))
                    added = await self.ledger.renew(
                        holding.site, shard, batch, names, terms.lease_seconds, grace_seconds=terms.grace_seconds
                    )
                missing += added
        return missing

    async def _leave(self, holding: Holding) -> None:
        leaves = holding.take_leaves(self._clock())
        if not leaves:
            return
        try:
            for shard, share in self._by_shard(leaves, lambda departure: departure.reader):
                for batch in _batches(share, self._settings.batch_size):
                    names = holding.names(self.ledger.store_clock.at(self._clock()))
                    await self.ledger.leave(holding.site, shard, batch, names, holding.terms.grace_seconds)
        except (RedisError, OSError):
            holding.put_back(leaves)
            raise

    def _by_shard(self, entries: Sequence[T], reader_of: Callable[[T], bytes]) -> list[tuple[int, Sequence[T]]]:
        """`entries` with the shard of the reader that each is about."""
        if self.ledger.shards == 1:
            return [(0, entries)] if entries else []
        shards: dict[int, list[T]] = {}
        for entry in entries:
            shards.setdefault(self.ledger.shard_of(reader_of(entry)), []).append(entry)
        return list(shards.items())

    async def _count(self) -> bool:
        """Counts sites and the places shown; False, and nothing is believed, if the store has lost what it held."""
        now = self._clock()
        if now >= self._secret_at:
            await self._secret.restore()
            self._secret_at = now + SECRET_SECONDS
        holdings = [*self.holdings.values()]
        tallies = await self.ledger.count_all([self._to_count(holding) for holding in holdings])
        of_places = [await self._count_places(holding) for holding in holdings]
        # Asked afterwards: what was still there now was there when it was counted.
        if not await self.ledger.unbroken():
            return False
        for holding, tally, (places, readers) in zip(holdings, tallies, of_places, strict=True):
            holding.gauge.counted(now, tally)
            for place, online in zip(places, readers, strict=True):
                # Nobody may be watching any more: then the number would stay as it is now.
                place.online = online if place.watchers else None
            holding.terms.update(now, max(tally.online, len(holding.roster)))
            holding.forget_places(now)
        self._answered_at = self._clock()
        self.counted.set()
        return True

    def _to_count(self, holding: Holding) -> ToCount:
        """The readers of a site over all workers; tells the others of the sessions here that are none."""
        holds_seconds = max(holding.terms.lease_seconds, 3 * self._settings.count_seconds)
        return ToCount(holding.site, holding.aside.apart, holds_seconds)

    async def _count_places(self, holding: Holding) -> tuple[Sequence[Place], Sequence[int]]:
        """The places of a site whose turn it is, and their readers."""
        places = holding.places.to_count(PLACES_AT_A_TIME)
        return places, await self.ledger.count_places(holding.site, places)

    def _lost(self, error: Exception) -> None:
        self.ledger.figures.errors += 1
        if not self._away:
            log.warning("presence store is away; numbers are stale", why=reason(error))
        self._doubt()

    def _doubt(self) -> None:
        """What was counted last is the last that is known, until the store is whole again."""
        self._away = True
        now = self._clock()
        for holding in self.holdings.values():
            holding.gauge.lost()
            holding.forget_lapsed(now)


def holdings(sites: Sites, settings: PresenceSettings, identity: Identity) -> dict[str, Holding]:
    """One holding for each site."""
    return {
        site: Holding(site, Naming(identity, site, ZoneInfo(one.timezone)), settings) for site, one in sites.items()
    }


def _batches(entries: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(entries), size):
        yield entries[start : start + size]
