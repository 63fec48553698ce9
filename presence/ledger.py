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
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias
from zlib import crc32

from redis.asyncio import Redis

from presence.apart import Apart
from presence.figures import Figures
from presence.gauge import Tally
from presence.holding import Departure
from presence.naming import Names
from presence.places import Place
from presence.roster import Attention, Reader
from presence.storeclock import StoreClock
from store.scripts import Call, load, run_all

Epoch: TypeAlias = "bytes | str"

# As many as one command of Lua can take at a time, and half a millisecond.
INHERITED = 1000

# A sweep of so many takes Redis about half a millisecond.
SWEEP = 1000

# A place is tended by each worker so often while it has readers here. Seldom enough to cost little, often enough that
# what has lapsed takes little memory; the backstop of its key, a minute and three leases, would bear more.
TEND_SECONDS = 10.0

# Places counted in one command; each takes Redis a microsecond.
PLACES = 200

# Sites, or shards of them, counted in one round trip. Each takes Redis 5 µs, and at most three sweeps.
COUNTS = 20


class ToCount(NamedTuple):
    """A site to be counted.

    Attributes:
        site: Which.
        here: This worker's sessions that are no readers; None: it has none to speak of.
        holds_seconds: For how long the others go by that; one that is killed says nothing any more.
    """

    site: str
    here: Apart | None = None
    holds_seconds: float = 30.0


class Ledger:
    """Reads and writes leases; every reply also sets the estimate of Redis's clock.

    Every method raises ``redis.exceptions.RedisError`` if the store does not answer or refuses; it then may or may not
    have been done, and can be repeated.

    Args:
        redis: The store.
        prefix: First part of every key.
        shards: Over how many keys a site is spread.
        clock: Seconds, steady; need not be right.

    Attributes:
        epoch: The store's, as of `open`; None before.
    """

    def __init__(self, redis: Redis, prefix: str, shards: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._prefix = prefix
        self._clock = clock
        self._redis = redis
        self._epoch_key = f"{prefix}:presence:epoch"
        self.epoch: Epoch | None = None
        self._worker = secrets.token_hex(8)
        self._renew = redis.register_script(load("presence", "renew"))
        self._leave = redis.register_script(load("presence", "leave"))
        self._inherit = redis.register_script(load("presence", "inherit"))
        self._count = redis.register_script(load("presence", "count"))
        self._count_places = redis.register_script(load("presence", "places"))
        self._tended: set[str] = set()
        self._tended_at = clock()
        self.shards = shards
        self.store_clock = StoreClock()
        self.figures = Figures()

    def keys(self, site: str, shard: int) -> list[str]:
        """The ZSETs of one shard of a site, in the order of :class:`~presence.roster.Attention`."""
        return [f"{self._head(site, shard)}:{each.name.lower()}" for each in Attention]

    def place_key(self, site: str, shard: int, place: Place) -> str:
        """The ZSET of one shard of a place."""
        return f"{self._head(site, shard)}:{place.kind}:{place.name}"

    def apart_key(self, site: str) -> str:
        """The hash in which workers say which of their sessions are no readers."""
        return f"{self._head(site, 0)}:apart"

    def _head(self, site: str, shard: int) -> str:
        return f"{self._prefix}:presence:{{{site}:{shard}}}"

    def shard_of(self, reader: bytes) -> int:
        """Where the leases of a reader, an id, are."""
        return crc32(reader) % self.shards if self.shards > 1 else 0

    async def open(self) -> None:
        """Remembers the store's epoch; draws one where there is none."""
        await self._redis.set(self._epoch_key, secrets.token_hex(8), nx=True)
        self.epoch = await self._redis.get(self._epoch_key)

    async def unbroken(self) -> bool:
        """Whether the store has kept everything since `open`."""
        return await self.has_kept(self.epoch)

    async def has_kept(self, epoch: Epoch | None) -> bool:
        """Whether the store has kept everything since it had this epoch; never so for None."""
        return epoch is not None and await self._redis.get(self._epoch_key) == epoch

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
        of_places: dict[Place, list[bytes]] = {}
        for reader in readers:
            own = named[reader.id]
            written[site_keys[reader.attention]].append(own)
            for place in reader.places:
                held = of_places.get(place)
                if held is None:
                    held = of_places[place] = []
                held.append(own)
        place_keys = {self.place_key(site, shard, place): held for place, held in of_places.items()}
        untended = self._untended(place_keys)
        written.update({key: place_keys[key] for key in untended})
        written.update(place_keys)
        head = [round(1000 * lease_seconds), names.midnight_ms, len(names.keys), round(1000 * grace_seconds)]
        added = await self._run(self._renew, [*written], [*head, len(untended), *map(b"".join, written.values())])
        if added[1] < 0:
            self.figures.refused += 1
            return None
        self._tended.update(untended)
        if added[2]:
            # At each batch, until everything has been swept.
            self._tended.clear()
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

    async def count(self, site: str, here: Apart | None = None, *, holds_seconds: float = 30.0) -> Tally:
        """Live leases of one site; see `count_all`."""
        return (await self.count_all([ToCount(site, here, holds_seconds)]))[0]

    async def count_all(self, asked: Sequence[ToCount]) -> list[Tally]:
        """Live leases of each site, over all its shards; as of the first of them."""
        calls = [self._count_call(one, shard) for one in asked for shard in range(self.shards)]
        replies: list[list[int]] = []
        for first in range(0, len(calls), COUNTS):
            replies += await self._run_all(self._count, calls[first : first + COUNTS])
        self.figures.counts += len(asked)
        return [self._tally(replies[first : first + self.shards]) for first in range(0, len(replies), self.shards)]

    def _count_call(self, asked: ToCount, shard: int) -> Call:
        keys = self.keys(asked.site, shard)
        if shard > 0:
            return keys, [SWEEP]
        here = " ".join(map(str, asked.here or ()))
        return [*keys, self.apart_key(asked.site)], [SWEEP, self._worker, here, round(1000 * asked.holds_seconds)]

    def _tally(self, replies: Sequence[list[int]]) -> Tally:
        """The sum of what the shards of a site replied."""
        self.figures.swept += sum(reply[4] for reply in replies)
        reading, idle, background = (sum(each) for each in zip(*(reply[1:4] for reply in replies), strict=True))
        return Tally(reading, idle, background, replies[0][0], Apart(*replies[0][5:]))

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

    def _untended(self, place_keys: Iterable[str]) -> list[str]:
        """Those of the keys whose turn it is to be tended."""
        now = self._clock()
        if now - self._tended_at >= TEND_SECONDS:
            self._tended_at = now
            self._tended.clear()
        return [key for key in place_keys if key not in self._tended]

    async def _run(self, script: Any, keys: list[str], arguments: list[Any]) -> list[int]:
        return (await self._run_all(script, [(keys, arguments)]))[0]

    async def _run_all(self, script: Any, calls: Sequence[Call]) -> list[list[int]]:
        """The replies to all calls, in one round trip."""
        sent = self._clock()
        replies: list[list[int]] = await run_all(self._redis, script, calls)
        received = self._clock()
        self.store_clock.observe(sent, received, replies[-1][0])
        self.figures.round_trip(received - sent)
        return replies
