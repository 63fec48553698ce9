"""The reach of announcements in Redis: written by each worker once a second, whoever asks reads it.

A write is one script, however many readers it tells of, and may be repeated: see :mod:`notifications.reach.sums`.
Every method raises ``redis.exceptions.RedisError`` (or ``OSError``) if the store does not answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from notifications.announcement import Announcement
from notifications.keys import Keys
from notifications.reach.outbox import DEEDS, Entry
from notifications.reach.sums import Reach, Readers, decode, reach
from store.scripts import Call, load, run_all

DAY_MS = 86_400_000


class Ledger:
    """Reads and writes.

    Args:
        redis: The store.
        prefix: First part of every key.
        keep_days: For how long after an announcement's end its reach is kept.
    """

    def __init__(self, redis: Redis, prefix: str, keep_days: int) -> None:
        self._redis = redis
        self._keys = Keys(prefix)
        self._keep_ms = keep_days * DAY_MS
        self._apply = redis.register_script(load("notifications.reach", "apply"))
        self._read = redis.register_script(load("notifications.reach", "read"))

    async def apply(self, entries: Sequence[Entry]) -> list[int]:
        """Writes; returns the number of the write that was there before of each, 0 if there was none."""
        keys: list[str] = []
        arguments: list[str | bytes | int] = []
        for one in entries:
            keys += self._keys.reach(one.id)
            arguments += [one.field, one.number, one.payload, one.ends_ms + self._keep_ms]
            arguments += [b"".join(one.names.get(deed, ())) for deed in DEEDS]
        before: list[int] = await self._apply(keys=keys, args=arguments)
        return before

    async def read(self, announcement: Announcement) -> Reach:
        """What all workers know together."""
        return (await self.read_all([announcement]))[0]

    async def read_all(self, announcements: Sequence[Announcement]) -> list[Reach]:
        """The same of one or more, in one round trip."""
        calls: list[Call] = [(self._keys.reach(one.id), []) for one in announcements]
        answers = await run_all(self._redis, self._read, calls)
        return [_reach(one, found) for one, found in zip(announcements, answers, strict=True)]


def _reach(announcement: Announcement, found: Sequence[bytes]) -> Reach:
    now_ms, rendered, clicked, dismissed, *told = found
    readers = Readers(int(rendered), int(clicked), int(dismissed))
    return reach(announcement, [decode(one) for one in told], readers, int(now_ms))
