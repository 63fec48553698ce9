"""The leases in Redis: five scripts as five methods, each atomic, idempotent and timed by Redis's own clock.

Keys of leases are ``<prefix>:presence:{<site>:<shard>}:reading``, ``…:idle`` and ``…:background``, and
``…:section:<name>`` and ``…:page:<path>`` for each place; what stands in braces is the hash tag, so that all
keys of one shard are on one node of a Redis Cluster. A reader's shard comes from its id, not from its name: the name
changes at midnight, and the old and the new one must be exchanged in one step.

``<prefix>:presence:epoch`` is drawn once by whoever finds none: a store that has another, or none, has lost what it
held, though every command was answered. The client comes back to a restarted server without saying so.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

from redis.asyncio import Redis

from presence.figures import Figures
from presence.gauge import Tally
from presence.holding import Departure
from presence.naming import Names
from presence.places import Place
from presence.roster import Attention, Reader
from presence.storeclock import StoreClock
from store.scripts import load

# As many as one command of Lua can take at a time, and half a millisecond.
INHERITED = 1000

# A sweep of so many takes Redis about half a millisecond.
SWEEP = 1000

# Places counted in one command; each takes Redis a microsecond.
PLACES = 200


class Ledger:
    """Reads and writes leases; every reply also sets the estimate of Redis's clock.

    Every method raises ``redis.exceptions.RedisError`` if the store does not answer or refuses; it then may or may not
    have been done, and can be repeated.

    Args:
        redis: The store.
        prefix: First part of every key.
        shards: Over how many keys a site is spread.
        clock: Seconds, steady; need not be right.
    """

    def __init__(self, redis: Redis, prefix: str, shards: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._prefix = prefix
        self._clock = clock
        self._redis = redis
        self._epoch_key = f"{prefix}:presence:epoch"
        self._epoch: bytes | str | None = None
        self._renew = redis.register_script(load("presence", "renew"))
        self._leave = redis.register_script(load("presence", "leave"))
        self._inherit = redis.register_script(load("presence", "inherit"))
        self._count = redis.register_script(load("presence", "count"))
        self._count_places = redis.register_script(load("presence", "places"))
        self.shards = shards
        self.store_clock = StoreClock()
        self.figures = Figures()

    def keys(self, site: str, shard: int) -> list[str]:
        """The ZSETs of one shard of a site, in the order of :class:`~presence.roster.Attention`."""
        return [f"{self._head(site, shard)}:{each.name.lower()}" for each in Attention]

    def place_key(self, site: str, shard: int, place: Place) -> str:
        """The ZSET of one shard of a place."""
        return f"{self._head(site, shard)}:{place.kind}:{place.name}"

    def _head(self, site: str, shard: int) -> str:
        return f"{self._prefix}:presence:{{{site}:{shard}}}"

    def shard_of(self, reader: bytes) -> int:
        """Where the leases of a reader, an id, are."""
        return crc32(reader) % self.shards if self.shards > 1 else 0

    async def open(self) -> None:
        """Remembers the store's epoch; draws one where there is none."""
        await self._redis.set(self._epoch_key, secrets.token_hex(8), nx=True)
        self._epoch = await self._redis.get(self._epoch_key)

    async def unbroken(self) -> bool:
        """Whether the store has kept everything since `open`."""
        return self._epoch is not None and await self._redis.get(self._epoch_key) == self._epoch

    async def renew(
        self,
        site: str,
        shard: int,
        readers: Sequence[Reader],
        names: Names,
        lease_seconds: float,
        *,
        grace_seconds: float,
    ) -> int | None:
        """Gives or renews leases, for the site and for all places of each reader.

        Returns:
            How many of the site were not there before, or None if the names' day was over.
        """
        named = names.of([reader.id for reader in readers])
        site_keys = self.keys(site, shard)
        written: dict[str, list[bytes]] = {key: [] for key in site_keys}
        place_keys: dict[Place, list[bytes]] = {}
        for reader in readers:
            own = named[reader.id]
            written[site_keys[reader.attention]].append(own)
            for place in reader.places:
                held = place_keys.get(place)
                if held is None:
                    held = place_keys[place] = written[self.place_key(site, shard, place)] = []
                held.append(own)
        head = [round(1000 * lease_seconds), names.midnight_ms, len(names.keys), round(1000 * grace_seconds)]
        added = await self._run(self._renew, [*written], [*head, *map(b"".join, written.values())])
        if added[1] < 0:
            self.figures.refused += 1
            return None
        self.figures.batches += 1
        self.figures.batched += len(readers)
        return int(added[1])

    async def leave(
        self, site: str, shard: int, departures: Sequence[Departure], names: Names, grace_seconds: float
    ) -> int:
        """Shortens leases to the grace; returns how many were longer."""
        named = names.of([departure.reader for departure in departures])
        site_keys = self.keys(site, shard)
        written: dict[str, list[bytes]] = {}
        for departure in departures:
            place = departure.place
            left = site_keys if place is None else [self.place_key(site, shard, place)]
            for key in left:
                written.setdefault(key, []).append(named[departure.reader])
        head = [round(1000 * grace_seconds)]
        shortened = await self._run(self._leave, [*written], [*head, *map(b"".join, written.values())])
        self.figures.batches += 1
        self.figures.batched += len(departures)
        return int(shortened[1])

    async def inherit(self, site: str, last_seconds: float) -> int:
        """Cuts every lease of the site that lasts longer than `last_seconds`; returns how many did.

        Those of places are left to lapse by themselves: nothing says which there are.
        """
        shortened = 0
        for key in [key for shard in range(self.shards) for key in self.keys(site, shard)]:
            latest_ms = 0
            while True:
                arguments = [round(1000 * last_seconds), INHERITED, latest_ms]
                _, cut, latest_ms = await self._run(self._inherit, [key], arguments)
                shortened += cut
                if cut < INHERITED:
                    break
        return shortened

    async def count(self, site: str) -> Tally:
        """Live leases of the site, over all shards; as of the first of them."""
        totals = [0, 0, 0]
        at_ms = 0
        for shard in range(self.shards):
            now, *live, swept = await self._run(self._count, self.keys(site, shard), [SWEEP])
            totals = [total + one for total, one in zip(totals, live, strict=True)]
            at_ms = at_ms or now
            self.figures.swept += swept
        self.figures.counts += 1
        reading, idle, background = totals
        return Tally(reading, idle, background, at_ms)

    async def count_places(self, site: str, places: Sequence[Place]) -> list[int]:
        """Live leases of each place, over all shards."""
        totals = [0] * len(places)
        for first in range(0, len(places), PLACES):
            some = places[first : first + PLACES]
            for shard in range(self.shards):
                keys = [self.place_key(site, shard, place) for place in some]
                _, *live = await self._run(self._count_places, keys, [])
                for at, one in enumerate(live, first):
                    totals[at] += one
        return totals

    async def _run(self, script: Any, keys: list[str], arguments: list[Any]) -> list[int]:
        sent = self._clock()
        reply: list[int] = await script(keys=keys, args=arguments)
        received = self._clock()
        self.store_clock.observe(sent, received, reply[0])
        self.figures.round_trip(received - sent)
        return reply
