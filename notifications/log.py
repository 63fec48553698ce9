"""The log of announcements: publishes, changes and recalls, and tells workers what happened.

What it promises:

- One act is one step in the store (``lua/commit.lua``): state, log and idempotency key cannot disagree.
- An act is carried out at most once, however often it is asked for with the same idempotency key, by clients that
  repeat a request and by ourselves when the store did not answer.
- An act that returns has been carried out, and says how safe it is. One that raises ``SendRefused`` was not, and never
  will be. ``OutcomeUnknown`` says so when it cannot be known.
- Every act is in the audit trail, written in the same step.
- The time is the store's.

Lifecycle and validation are decided before; here they meet concurrency: what is read may have changed when it is
written, which the script notices, and the act is decided anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from notifications import acts, lifecycle, past
from notifications.actor import Actor
from notifications.announcement import Announcement, Change, Draft, Status
from notifications.audience import includes, mentions
from notifications.commit import PAUSES_SECONDS, Committer
from notifications.durability import Disk, Durability
from notifications.errors import (
    KeyReused,
    NoSuchAnnouncement,
    NotUnderstood,
    OutcomeUnknown,
    SendRefused,
    StaleRevision,
    StoreAway,
)
from notifications.keys import Keys
from notifications.lifecycle import Action
from notifications.revision import Write
from notifications.settings import NotificationsSettings
from notifications.view import Entry, Head, Snapshot
from store.errors import NOT_UNDERSTOOD, reason
from store.scripts import load

log = structlog.get_logger(__name__)

# Each try has seen another revision than the one before; so many colleagues are not at work on one announcement.
_MOST_TRIES = 20
# So many newest entries a snapshot brings along, for browsers that were away.
RECENT = 256
_PAGE = 200
# So many that are due are looked at together.
_DUE = 100
_MOST_PAGES = 25


class Publication(NamedTuple):
    """What came of an act.

    Attributes:
        announcement: As it is now, or as it was after the first such request.
        status: Its state.
        version: The version of the log that wrote it.
        durability: `disk`, or `memory` where the store cannot say.
        replayed: Nothing was written: this request had been carried out before.
    """

    announcement: Announcement
    status: Status
    version: int
    durability: Durability
    replayed: bool


class Request(NamedTuple):
    """What tells a request from another under the same idempotency key: the act, its announcement, and the rest."""

    act: str
    id: str
    body: bytes


# What is to be written of an announcement, its state and the store's time in ms; it raises what forbids it.
Decision: TypeAlias = Callable[[Announcement, lifecycle.State, int], Write]


class Found(NamedTuple):
    """An announcement and its state when it was read."""

    announcement: Announcement
    status: Status


class Page(NamedTuple):
    """Some announcements, the newest first, and the id to continue before; empty at the end."""

    found: list[Found]
    before: str


class Log:
    """The log below `prefix`.

    Args:
        redis: For acts and questions. A worker's feed has a Log with a client of its own, whose read timeout is longer
            than it blocks.
        prefix: First part of every key.
        settings: Lengths and limits.
    """

    def __init__(self, redis: Redis, prefix: str, settings: NotificationsSettings) -> None:
        self.settings = settings
        self._redis = redis
        self._keys = Keys(prefix)
        self._disk = Disk(redis, self._keys, settings.acknowledge_seconds)
        self._committer = Committer(redis, self._keys, settings)
        self._look = redis.register_script(load("notifications", "look"))
        self._snapshot = redis.register_script(load("notifications", "snapshot"))
        self._head = redis.register_script(load("notifications", "head"))
        self._page = redis.register_script(load("notifications", "page"))

    # Acts

    async def publish(self, draft: Draft, *, by: Actor, key: str = "") -> Publication:
        """Publishes `draft`; see `create`."""
        return await self.create(draft, "publish", by=by, key=key)

    async def create(self, draft: Draft, action: Action, *, by: Actor, key: str = "") -> Publication:
        """Writes `draft` as a new announcement.

        Args:
            draft: Validated.
            action: What it begins as: ``draft``, ``submit``, ``schedule`` or ``publish``.
            by: Who; their idempotency keys are meant.
            key: The idempotency key; empty: the request is not going to be repeated by its client.

        Raises:
            KeyReused, TooManyActive, EndPassed, SendRefused, OutcomeUnknown: See there.
        """
        fingerprint = _fingerprint(action, "", msgspec.json.encode(draft))
        write = acts.created(draft, action, by)
        written = await self._committer.commit(write, once=self._once(by, key), fingerprint=fingerprint)
        if written is None:
            raise AssertionError("what does not exist yet cannot have moved")
        return await self._publication(*written)

    async def update(
        self, id: str, change: Change, *, by: Actor, key: str = "", expected: int | None = None
    ) -> Publication:
        """Writes a new revision of announcement `id`, whose unset members stay; see `act`."""
        request = Request("change", id, msgspec.json.encode((change, expected)))
        return await self.act(
            request, lambda one, state, _: acts.changed(one, state, change, by), by=by, key=key, expected=expected
        )

    async def recall(
        self, id: str, reason: str = "", *, by: Actor, key: str = "", expected: int | None = None
    ) -> Publication:
        """Takes announcement `id` back everywhere; see `act`. One that is recalled already stays, reason included."""
        request = Request("recall", id, msgspec.json.encode((reason, expected)))
        return await self.act(
            request,
            lambda one, state, _: acts.moved(one, state, "recall", by, reason=reason),
            by=by,
            key=key,
            expected=expected,
        )

    async def act(
        self, request: Request, decide: Decision, *, by: Actor, key: str = "", expected: int | None = None
    ) -> Publication:
        """Writes what `decide` makes of an announcement as it is.

        Args:
            request: What tells this request from others under the same key.
            decide: Gives the next revision, or raises; asked again if the announcement has changed meanwhile. A recall
                of what is recalled writes nothing.
            by: Who; their idempotency keys are meant.
            key: The idempotency key; empty: the request is not going to be repeated by its client.
            expected: The revision the editor has seen; None: whichever it is.

        Raises:
            NoSuchAnnouncement, ActionRefused, StaleRevision: See there.
            KeyReused, TooManyActive, EndPassed, SendRefused, OutcomeUnknown: See there.
        """
        id, fingerprint, once = request.id, _fingerprint(*request), self._once(by, key)
        for _ in range(_MOST_TRIES):
            now_ms, payload, known, first = await self._look_patiently(once, id)
            # Before the lifecycle: a recall that is repeated must not be told that it is recalled already.
            if known is not None:
                if known.decode() != fingerprint:
                    raise KeyReused
                return await self._publication(first, True)
            if payload is None:
                raise NoSuchAnnouncement(id)
            current = _understood(payload)
            if current is None:
                raise SendRefused(str(NotUnderstood(id))) from NotUnderstood(id)
            write = decide(current, lifecycle.state_at(current, int(now_ms)), int(now_ms))
            if write.act == "recall" and current.status == "recalled":
                return await self._publication(payload, True)
            if expected is not None and expected != current.revision:
                raise StaleRevision(expected, current, await self._as_it_was(id, expected))
            written = await self._committer.commit(write, once=once, fingerprint=fingerprint)
            if written is not None:
                return await self._publication(*written)
        raise SendRefused("the announcement is being changed by too many at once")

    async def _as_it_was(self, id: str, revision: int) -> Announcement | None:
        try:
            return await past.revision_of(self._redis, self._keys, id, revision)
        except StoreAway:
            # That it has changed is known all the same.
            return None

    def _once(self, by: Actor, key: str) -> str:
        return self._keys.once(by.owner, key or secrets.token_hex(16))

    async def due(self, first: int = 0) -> tuple[int, list[tuple[str, int]]]:
        """The store's time, and the next that are to go live but for `first` of them: id and when (both in ms).

        Raises:
            redis.exceptions.RedisError: The store does not answer.
        """
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.time()
            pipeline.zrange(self._keys.due, first, first + _DUE - 1, withscores=True)
            (seconds, microseconds), rows = await pipeline.execute()
        now_ms = int(seconds) * 1000 + int(microseconds) // 1000
        return now_ms, [(id.decode(), int(starts_ms)) for id, starts_ms in rows]

    async def _look_patiently(self, once: str, id: str) -> Any:
        """What an act is decided by; waits, as the act itself does, for a store that is being restarted."""
        for pause_seconds in PAUSES_SECONDS:
            try:
                return await self._look(keys=[self._keys.state, once], args=[id])
            except RedisConnectionError:
                await asyncio.sleep(pause_seconds)
            except (RedisError, OSError) as error:
                # It hangs, or it refuses: no restart that is over in a moment.
                raise SendRefused(reason(error)) from error
        return await self._ask(self._look(keys=[self._keys.state, once], args=[id]), SendRefused)

    async def _publication(self, payload: bytes, replayed: bool) -> Publication:
        announcement = _understood(payload)
        if announcement is None:
            # Carried out by a worker of another release, which can say how; this one cannot.
            raise OutcomeUnknown("another release of Loa carried it out")
        durability = await self._disk.confirm(announcement.id, announcement.revision)
        # As the act left it; whoever wants to know how it is by now asks for it.
        return Publication(announcement, announcement.status, announcement.version, durability, replayed)

    # Questions

    async def get(self, id: str) -> Found:
        """Announcement `id`.

        Raises:
            NoSuchAnnouncement, NotUnderstood, StoreAway: See there.
        """
        now_ms, payload, _, _ = await self._ask(self._look(keys=[self._keys.state, self._keys.once("", "")], args=[id]))
        if payload is None:
            raise NoSuchAnnouncement(id)
        announcement = _understood(payload)
        if announcement is None:
            raise NotUnderstood(id)
        return Found(announcement, lifecycle.state_at(announcement, int(now_ms)))

    async def some(self, ids: Sequence[str]) -> list[Announcement]:
        """Those of `ids`, one or more, that there are and that this release understands.

        Raises:
            StoreAway: See there.
        """
        payloads: list[bytes | None] = await self._ask(self._redis.hmget(self._keys.state, [*ids]))
        return [one for payload in payloads if payload is not None and (one := _understood(payload)) is not None]

    async def page(
        self,
        *,
        site: str = "",
        status: str = "",
        before: str = "",
        limit: int = 50,
        text: str = "",
        only: Callable[[Announcement], bool] = lambda one: True,
    ) -> Page:
        """Announcements older than the id `before`, the newest first; with `text` in them, and such as `only` accepts.

        Looks through a bounded number at a time: a page may hold fewer than `limit` and still have a continuation.
        What this release does not understand is left out.

        Raises:
            StoreAway: See there.
        """
        found: list[Found] = []
        for _ in range(_MOST_PAGES):
            now_ms, *rows = await self._ask(self._page(keys=[self._keys.ids, self._keys.state], args=[before, _PAGE]))
            ids = rows[::2]
            for id, payload in zip(ids, rows[1::2], strict=True):
                before = id.decode()
                announcement = _understood(payload) if payload is not None else None
                if announcement is None:
                    continue
                state = lifecycle.state_at(announcement, int(now_ms))
                if not only(announcement) or (site and not includes(announcement, site)):
                    continue
                if status in ("", state) and mentions(announcement, text):
                    found.append(Found(announcement, state))
                    if len(found) == limit:
                        return Page(found, before)
            if len(ids) < _PAGE:
                return Page(found, "")
        return Page(found, before)

    # For the feed

    async def snapshot(self) -> Snapshot:
        """Where the log is, all that is active, and the newest entries, in one step.

        Raises:
            redis.exceptions.RedisError: The store does not answer.
        """
        keys = self._keys
        now_ms, epoch, version, chain, active, recent = await self._snapshot(
            keys=[keys.head, keys.state, keys.log, keys.active], args=[secrets.token_hex(4), RECENT]
        )
        entries = [_entry(id, dict(zip(fields[::2], fields[1::2], strict=True))) for id, fields in reversed(recent)]
        head = Head(int(now_ms), epoch.decode(), int(version), chain.decode())
        understood = [announcement for payload in active if (announcement := _understood(payload)) is not None]
        return Snapshot(head, understood, entries)

    async def head(self) -> Head | None:
        """Where the log is; None if it has not begun, or was lost.

        Raises:
            redis.exceptions.RedisError: The store does not answer.
        """
        now_ms, epoch, version, chain = await self._head(keys=[self._keys.head])
        if epoch is None:
            return None
        return Head(int(now_ms), epoch.decode(), int(version), chain.decode())

    async def tail(self, version: int, *, block_seconds: float = 0.0, most: int = 100) -> list[Entry]:
        """The entries after `version`, in order; waits up to `block_seconds` for one.

        Raises:
            redis.exceptions.RedisError: The store does not answer.
        """
        entries, _ = await self.listen(version, "", 0, block_seconds=block_seconds, most=most)
        return entries

    async def listen(
        self, version: int, canary: str, number: int, *, block_seconds: float = 0.0, most: int = 100
    ) -> tuple[list[Entry], int]:
        """As `tail`, and in the same command the newest canary after `number` in the stream `canary`, 0 for none.

        Raises:
            redis.exceptions.RedisError: The store does not answer.
        """
        after: dict[Any, Any] = {self._keys.log: f"{version}-0"}
        if canary:
            after[canary] = f"{number}-0"
        answer: Any = await self._redis.xread(after, count=most, block=round(block_seconds * 1000) or None)
        streams = dict(answer)
        heard = streams.get(canary.encode(), [])
        entries = [_entry(id, fields) for id, fields in streams.get(self._keys.log.encode(), [])]
        return entries, _number(heard[-1][0]) if heard else 0

    async def hang_up(self) -> None:
        """Lets go of the connections: the next question is asked over a new one."""
        await self._redis.connection_pool.disconnect()

    async def _ask(self, question: Any, otherwise: Callable[[str], Exception] = StoreAway) -> Any:
        try:
            return await question
        except (RedisError, OSError) as error:
            raise otherwise(reason(error)) from error


def _entry(id: bytes, fields: dict[bytes, bytes]) -> Entry:
    payload = fields[b"payload"]
    return Entry(_number(id), fields[b"chain"].decode(), payload, _understood(payload))


def _number(id: bytes) -> int:
    return int(id.partition(b"-")[0])


def _understood(payload: bytes) -> Announcement | None:
    """None for what this release does not understand: one such announcement must not keep the others from readers."""
    try:
        return _DECODER.decode(payload)
    except NOT_UNDERSTOOD as error:
        log.error("announcement not understood", payload=payload[:200], why=reason(error))
        return None


def _fingerprint(act: str, id: str, request: bytes) -> str:
    return hashlib.sha256(b"|".join((act.encode(), id.encode(), request))).hexdigest()


_DECODER = msgspec.json.Decoder(Announcement)
