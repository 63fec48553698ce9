"""What was, in Redis: the counters of days, the record, and readers by minute and by hour.

Every write is one script, atomic, and may be repeated: the client repeats what was not answered. Every method raises
``redis.exceptions.RedisError`` (or ``OSError``) if the store does not answer; it then may or may not have been done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from presence.history.books import Books, Numbers, Record
from presence.history.keys import Keys
from presence.history.oldcounter import Imported
from presence.history.sampling import Minute
from presence.history.series import KEPT_DAYS, Resolution, names, pack, slot
from presence.history.tally import Batch
from store.clock import now_ms
from store.scripts import load

DAY_SECONDS = 86_400
# A worker that was cut off for so long may still say who was here on a day that is over.
READERS_SECONDS = 3 * DAY_SECONDS
# Within so long a worker hears whether a batch it is not sure of was applied.
APPLIED_SECONDS = 7 * DAY_SECONDS


class Chronicle:
    """Reads and writes history.

    Args:
        redis: The store.
        prefix: First part of every key.
    """

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix
        self._apply = redis.register_script(load("presence.history", "apply"))
        self._record = redis.register_script(load("presence.history", "record"))
        self._minute = redis.register_script(load("presence.history", "minute"))

    def keys(self, site: str) -> Keys:
        """The keys of a site."""
        return Keys(self._prefix, site)

    async def apply(self, site: str, run: str, batch: Batch, *, forced: bool = False) -> int:
        """Applies a batch of views and visits, if that has not been done.

        Args:
            site: Id of the site.
            run: Which worker's, and which run of it.
            batch: What is told.
            forced: Also if the batch before it is missing.

        Returns:
            The number of the last batch of this run that is applied now.
        """
        keys = self.keys(site)
        year = batch.day[:4]
        return int(
            await self._apply(
                keys=[
                    keys.views(year),
                    keys.visits(year),
                    keys.total,
                    keys.readers(batch.day),
                    keys.applied(run),
                ],
                args=[
                    batch.number,
                    int(forced),
                    batch.day,
                    batch.views,
                    b"".join(batch.names),
                    READERS_SECONDS,
                    APPLIED_SECONDS,
                ],
            )
        )

    async def books(self, site: str, days: Sequence[str]) -> Books:
        """The numbers of `days`, dates in ISO 8601, and the totals, all as of one moment."""
        keys = self.keys(site)
        years = list(dict.fromkeys(day[:4] for day in days))
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hgetall(keys.total)
            pipeline.hgetall(keys.record)
            pipeline.hmget(keys.imported, ["total", *years])
            for year in years:
                fields = [day[5:] for day in days if day[:4] == year]
                pipeline.hmget(keys.visits(year), fields)
                pipeline.hmget(keys.views(year), fields)
            total, record, imported, *counted = await pipeline.execute()
        known: dict[str, Numbers] = {}
        for at, year in enumerate(years):
            here = [day for day in days if day[:4] == year]
            for day, visits, views in zip(here, counted[2 * at], counted[2 * at + 1], strict=True):
                if visits is not None or views is not None:
                    known[day] = Numbers(int(visits or 0), int(views or 0))
        base = Imported.read(imported[0], imported[1:])
        for day in days:
            if (old := base.days.get(day)) is not None:
                known[day] = known.get(day, Numbers(0, 0)).plus(old)
        own = Numbers(int(total.get(b"visits", 0)), int(total.get(b"views", 0)))
        return Books(
            known,
            own.plus(base.total),
            total.get(b"since", b"").decode(),
            Record(int(record[b"online"]), record[b"at"].decode()) if record else None,
        )

    async def record(self, site: str, online: int, at: str) -> int:
        """Keeps `online` readers as the record if they are more than ever; returns the record."""
        return int(await self._record(keys=[self.keys(site).record], args=[online, at]))

    async def minute(self, site: str, minute: Minute) -> bool:
        """Writes a minute and makes its hour anew; False if the minute had been written."""
        keys = self.keys(site)
        day, month = slot("minute", minute.at_ms), slot("hour", minute.at_ms)
        written = await self._minute(
            keys=[keys.minutes(day.name), keys.hours(month.name)],
            args=[
                day.number,
                pack(minute.peak, minute.mean),
                month.slots,
                month.number,
                (KEPT_DAYS["minute"] + 1) * DAY_SECONDS,
                (KEPT_DAYS["hour"] + 31) * DAY_SECONDS,
            ],
        )
        return bool(written)

    async def strings(self, site: str, resolution: Resolution, from_ms: int, to_ms: int) -> dict[str, bytes]:
        """What is kept of the time between, for :func:`presence.history.series.points`."""
        keys = self.keys(site)
        wanted = names(resolution, from_ms, to_ms)
        key = keys.minutes if resolution == "minute" else keys.hours
        found: list[Any] = await self._redis.mget([key(name) for name in wanted]) if wanted else []
        return {name: packed for name, packed in zip(wanted, found, strict=True) if packed}

    async def now_ms(self) -> int:
        """The store's clock, in milliseconds since the epoch."""
        return await now_ms(self._redis)

    async def replace_imported(self, site: str, imported: Imported) -> None:
        """What was imported before is forgotten, and this is in its place."""
        key = self.keys(site).imported
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.delete(key)
            if fields := imported.fields():
                pipeline.hset(key, items=[part for field in fields.items() for part in field])
            await pipeline.execute()

    async def imported(self, site: str) -> Imported:
        """All that was imported."""
        fields: dict[Any, Any] = await self._redis.hgetall(self.keys(site).imported)
        return Imported.read(fields.pop(b"total", None), fields.values())
