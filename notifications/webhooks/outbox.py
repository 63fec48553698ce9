"""What waits to be delivered, in the store; how the worker that delivers gets at it and writes down what came of it.

Every write looks at the lease in the same step, so that of two workers which both think they deliver, as after a long
pause of one of them, only one changes anything. Where it says that a write was refused, that worker has to stop.

Each method raises :class:`redis.exceptions.RedisError` if the store does not answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar, cast

import msgspec
import structlog
from redis.asyncio import Redis

from notifications.announcement import Announcement
from notifications.webhooks import event
from notifications.webhooks.board import Board, Waiting
from notifications.webhooks.event import Happening
from notifications.webhooks.keys import WebhookKeys
from notifications.webhooks.webhook import Webhook
from store.errors import NOT_UNDERSTOOD, reason
from store.scripts import load

log = structlog.get_logger(__name__)

_PACKAGE = "notifications.webhooks"
# So many entries of the trail are read at a time, about 2 KB each.
_PAGE = 100
_EXPIRING = 50

_Kind = TypeVar("_Kind", Webhook, Waiting)

Outcome: TypeAlias = Literal["done", "again", "dead", "gone"]


class Lease(NamedTuple):
    """What the worker that delivers knows from taking or keeping its lease.

    Attributes:
        ours: Whether it has it.
        now_ms: The store's time.
        changes: Another number than before: the board is to be read anew.
        dead: How many deliveries are dead.
    """

    ours: bool
    now_ms: int
    changes: int
    dead: int


class Entries(NamedTuple):
    """Some entries of the trail: where they end, and which of them webhooks are told of."""

    end: str
    happenings: list[Happening]


class Outbox:
    """What waits below `prefix`; of one term in office."""

    def __init__(self, redis: Redis, prefix: str, term: str, lease_ms: int) -> None:
        self._redis = redis
        self._keys = WebhookKeys(prefix)
        self._term = term
        self._lease_ms = lease_ms
        self._lease, self._release, self._take, self._expire, self._settle = (
            redis.register_script(load(_PACKAGE, name)) for name in ("lease", "release", "take", "expire", "settle")
        )

    async def lease(self) -> Lease:
        """Takes the lease, or keeps it for as long again."""
        keys = self._keys
        ours, now_ms, changes, dead = await self._lease(
            keys=[keys.lease, keys.changes, keys.dead], args=[self._term, self._lease_ms]
        )
        return Lease(bool(ours), int(now_ms), int(changes), int(dead))

    async def release(self) -> None:
        """Gives it back."""
        await self._release(keys=[self._keys.lease], args=[self._term])

    async def board(self) -> Board:
        """Everything that is to be known at the beginning, and whenever somebody has changed something."""
        keys = self._keys
        all, cursors, disabled = [
            await _answer(self._redis.hgetall(key)) for key in (keys.all, keys.cursor, keys.disabled)
        ]
        webhooks = _read(Webhook, {id: stored for id, stored in all.items() if id not in disabled})
        waiting = {id: _read(Waiting, await _answer(self._redis.hgetall(keys.waiting(id)))) for id in webhooks}
        return Board(webhooks, {id.decode(): cursor.decode() for id, cursor in cursors.items()}, waiting)

    async def last(self) -> str:
        """Where the trail ends."""
        entries: Any = await _answer(self._redis.xrevrange(self._keys.audit, count=1))
        return entries[0][0].decode() if entries else "0-0"

    async def heard(self, after: str, *, block_seconds: float) -> str:
        """Waits up to `block_seconds` for something to be written after `after`; where the trail ends then."""
        answer: Any = await self._redis.xread({self._keys.audit: after}, count=1, block=round(block_seconds * 1000))
        return await self.last() if answer else after

    async def entries(self, after: str) -> Entries:
        """What the trail holds after `after`, so many at a time."""
        found: Any = await _answer(self._redis.xrange(self._keys.audit, min=f"({after}", count=_PAGE))
        happenings = [one for id, fields in found if (one := _understood(id.decode(), fields[b"entry"])) is not None]
        return Entries(found[-1][0].decode() if found else after, happenings)

    async def happening(self, id: str, waiting: Waiting) -> Happening | None:
        """What is to be told; None if the store has it no more."""
        if waiting.event == "announcement.expired":
            stored = await _answer(self._redis.hget(self._keys.state, waiting.announcement))
            one = _announcement(stored)
            return event.expiry(one) if one is not None else None
        found: Any = await _answer(self._redis.xrange(self._keys.audit, min=id, max=id))
        return _understood(id, found[0][1][b"entry"]) if found else None

    async def take(
        self, id: str, before: str, after: str, new: Mapping[str, Waiting], followed: Mapping[str, int | None]
    ) -> bool:
        """Moves the cursor of webhook `id`; False if that was refused.

        Args:
            id: Which.
            before: Where its cursor is.
            after: Where it is to be.
            new: What waits from now on, by happening.
            followed: When what it follows expires, by announcement; None if it does no more.
        """
        keys = self._keys
        arguments: list[Any] = [self._term, id, before, after, len(new)]
        for happening, waiting in new.items():
            arguments += [happening, msgspec.json.encode(waiting)]
        for announcement, expires_ms in followed.items():
            arguments += [announcement, "" if expires_ms is None else expires_ms]
        done = await self._take(keys=[keys.lease, keys.cursor, keys.waiting(id), keys.expiring(id)], args=arguments)
        return bool(done)

    async def expired(self, id: str, now_ms: int) -> list[tuple[str, bytes, Announcement | None]]:
        """What webhook `id` follows that should have expired by `now_ms`: id, thought end, and the announcement."""
        due: Any = await _answer(
            self._redis.zrangebyscore(
                self._keys.expiring(id), "-inf", now_ms, start=0, num=_EXPIRING, withscores=True, score_cast_func=bytes
            )
        )
        found: list[tuple[str, bytes, Announcement | None]] = []
        for announcement, score in due:
            stored = await _answer(self._redis.hget(self._keys.state, announcement))
            found.append((announcement.decode(), score, _announcement(stored)))
        return found

    async def expire(self, id: str, announcement: str, score: bytes, told: tuple[str, Waiting] | None) -> bool:
        """Puts down that `announcement` has expired, and that webhook `id` is `told` so; False if that was refused."""
        keys = self._keys
        happening, waiting = (told[0], msgspec.json.encode(told[1])) if told is not None else ("", b"")
        done = await self._expire(
            keys=[keys.lease, keys.waiting(id), keys.expiring(id)],
            args=[self._term, announcement, score, happening, waiting],
        )
        return bool(done)

    async def settle(self, id: str, happening: str, outcome: Outcome, waiting: Waiting, most_dead: int) -> bool:
        """Writes down what came of a try to deliver `happening` to webhook `id`; False if that was refused."""
        keys = self._keys
        said = waiting.why.encode() if outcome == "gone" else msgspec.json.encode(waiting)
        done = await self._settle(
            keys=[
                keys.lease, keys.all, keys.waiting(id), keys.dead, keys.disabled, keys.expiring(id), keys.cursor,
            ],
            args=[self._term, id, happening, outcome, said, most_dead],
        )  # fmt: skip
        return bool(done)


def _read(kind: type[_Kind], stored: Mapping[bytes, bytes]) -> dict[str, _Kind]:
    """A hash, read; what this release does not understand waits for one that does."""
    found = {}
    for field, value in stored.items():
        try:
            found[field.decode()] = msgspec.json.decode(value, type=kind)
        except NOT_UNDERSTOOD as error:
            log.error("not understood", what=kind.__name__, id=field.decode(), why=reason(error))
    return found


def _understood(id: str, entry: bytes) -> Happening | None:
    """None also for what this release does not understand: it must not keep the rest from being told."""
    try:
        return event.happening(id, entry)
    except NOT_UNDERSTOOD as error:
        log.error("entry of the audit trail not understood", entry=id, why=reason(error))
        return None


def _announcement(stored: bytes | None) -> Announcement | None:
    try:
        return msgspec.json.decode(stored, type=Announcement) if stored is not None else None
    except NOT_UNDERSTOOD as error:
        log.error("announcement not understood", why=reason(error))
        return None


async def _answer(answer: Any) -> Any:
    return await cast("Awaitable[Any]", answer)
