"""Texts of one's own to begin with, in the store."""

from __future__ import annotations

import secrets

import msgspec
import structlog
from redis.asyncio import Redis

from notifications.actor import Actor
from notifications.announcement import Draft
from notifications.asking import ask
from notifications.console.samples import BUILT_IN, Sample, kept
from notifications.keys import SampleKeys
from notifications.trail import Trail
from store.clock import now_ms
from store.errors import NOT_UNDERSTOOD, reason

log = structlog.get_logger(__name__)

MOST = 200


class TooManySamples(Exception):
    """As many are kept as may be."""


class Samples:
    """Those below `prefix`, and those that come with Loa. Each method raises StoreAway if that does not answer.

    What becomes of one's own is in the audit trail: it is what goes out on a day without time to read it twice.
    """

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._trail = Trail(redis, prefix)
        self._key = SampleKeys(prefix).samples

    async def list(self) -> list[Sample]:
        """One's own by their names, then those that come with Loa."""
        stored = await ask(self._redis.hvals(self._key))
        own = [sample for each in stored if (sample := _read(each)) is not None]
        return [*sorted(own, key=lambda sample: (sample.name.casefold(), sample.id)), *BUILT_IN]

    async def get(self, id: str) -> Sample | None:
        """The one of this id."""
        for sample in BUILT_IN:
            if sample.id == id:
                return sample
        stored = await ask(self._redis.hget(self._key, id))
        return None if stored is None else _read(stored)

    async def keep(self, name: str, draft: Draft, by: Actor) -> Sample:
        """Keeps a text under a name; one's own of that name before gives way to it.

        Raises:
            TooManySamples: As many are kept as may be.
        """
        own = [sample for sample in await self.list() if sample.by]
        same = next((sample for sample in own if sample.name.casefold() == name.casefold()), None)
        if same is None and len(own) >= MOST:
            raise TooManySamples
        at_ms = int(await ask(now_ms(self._redis)))
        sample = kept(same.id if same else secrets.token_hex(8), name, draft, by.name or by.owner, at_ms)
        before = same.told() if same is not None else None
        await self._trail.record("template.keep", by, {"id": sample.id, "before": before, "after": sample.told()})
        await ask(self._redis.hset(self._key, sample.id, msgspec.json.encode(sample)))
        return sample

    async def forget(self, id: str, by: Actor) -> bool:
        """Removes one of one's own; False if there is none of this id."""
        stored = await ask(self._redis.hget(self._key, id))
        if stored is None:
            return False
        sample = _read(stored)
        before = sample.told() if sample is not None else None
        await self._trail.record("template.remove", by, {"id": id, "before": before, "after": None})
        return bool(await ask(self._redis.hdel(self._key, id)))


def _read(stored: bytes) -> Sample | None:
    """None for what another release has written and this one cannot read."""
    try:
        return msgspec.json.decode(stored, type=Sample)
    except NOT_UNDERSTOOD as error:
        log.warning("a sample text is not understood", why=reason(error))
        return None
