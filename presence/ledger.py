"""The leases in Redis: four scripts as four methods, each atomic, idempotent and timed by Redis's own clock.

Keys of leases are ``<prefix>:presence:{<site>:<shard>}:site``; what stands in braces is the hash tag, so that all
keys of one shard are on one node of a Redis Cluster. A reader's shard comes from its id, not from its name: the name
changes at midnight, and the old and the new one must be exchanged in one step.

``<prefix>:presence:epoch`` is drawn once by whoever finds none: a store that has another, or none, has lost what it
held, though every command was answered. The client comes back to a restarted server without saying so.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from redis.asyncio import Redis

from presence.figures import Figures
from presence.naming import Names
from presence.storeclock import StoreClock
from store.scripts import load

# As many as one command of Lua can take at a time, and half a millisecond.
INHERITED = 1000

# A sweep of so many takes Redis about half a millisecond.
SWEEP = 1000


class Tally(NamedTuple):
    """Live leases, and when they were counted, in milliseconds since the epoch by Redis's clock."""

    online: int
    at_ms: int


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
        self.shards = shards
        self.store_clock = StoreClock()
        self.figures = Figures()

    def key(self, site: str, shard: int) -> str:
        """The ZSET of one shard of a site."""
        return f"{self._prefix}:presence:{{{site}:{shard}}}:site"

    def by_shard(self, readers: Sequence[bytes]) -> list[tuple[int, Sequence[bytes]]]:
        """`readers`, ids, with the shard each belongs to."""
        if self.shards == 1:
            return [(0, readers)] if readers else []
        shards: dict[int, list[bytes]] = {}
        for reader in readers:
            shards.setdefault(crc32(reader) % self.shards, []).append(reader)
        return list(shards.items())

    async def open(self) -> None:
        """Remembers the store's epoch; draws one where there is none."""
        await self._redis.set(self._epoch_key, secrets.token_hex(8), nx=True)
        self._epoch = await self._redis.get(self._epoch_key)

    async def unbroken(self) -> bool:
        """Whether the store has kept everything since `open`."""
        return self._epoch is not None and await self._redis.get(self._epoch_key) == self._epoch

    async def renew(
        self, site: str, shard: int, readers: Sequence[bytes], names: Names, lease_seconds: float
    ) -> int | None:
        """Gives or renews leases; returns how many were not there before, or None if the names' day was over."""
        head = [round(1000 * lease_seconds), names.midnight_ms, len(names.keys)]
        added = await self._run(self._renew, site, shard, [*head, *names.of(readers)])
        if added[1] < 0:
            self.figures.refused += 1
            return None
        self.figures.batches += 1
        self.figures.batched += len(readers)
        return int(added[1])

    async def leave(self, site: str, shard: int, readers: Sequence[bytes], names: Names, grace_seconds: float) -> int:
        """Shortens leases to the grace; returns how many were longer."""
        shortened = await self._run(self._leave, site, shard, [round(1000 * grace_seconds), *names.of(readers)])
        self.figures.batches += 1
        self.figures.batched += len(readers)
        return int(shortened[1])

    async def inherit(self, site: str, last_seconds: float) -> int:
        """Cuts every lease of the site that lasts longer than `last_seconds`; returns how many did."""
        shortened = 0
        for shard in range(self.shards):
            latest_ms = 0
            while True:
                arguments = [round(1000 * last_seconds), INHERITED, latest_ms]
                _, cut, latest_ms = await self._run(self._inherit, site, shard, arguments)
                shortened += cut
                if cut < INHERITED:
                    break
        return shortened

    async def count(self, site: str) -> Tally:
        """Live leases of the site, over all shards; as of the first of them."""
        online = 0
        at_ms = 0
        for shard in range(self.shards):
            now, live, swept = await self._run(self._count, site, shard, [SWEEP])
            online += live
            at_ms = at_ms or now
            self.figures.swept += swept
        self.figures.counts += 1
        return Tally(online, at_ms)

    async def _run(self, script: Any, site: str, shard: int, arguments: list[Any]) -> list[int]:
        sent = self._clock()
        reply: list[int] = await script(keys=[self.key(site, shard)], args=arguments)
        received = self._clock()
        self.store_clock.observe(sent, received, reply[0])
        self.figures.round_trip(received - sent)
        return reply
