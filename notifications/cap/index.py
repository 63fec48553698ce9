"""What became of the CAP messages that came: found by their identity, per site.

A hash for each message and site, ``{announcements}:cap:<hash of both>``:

- ``claim``: who sends it, what it says (its digest), what is to be done about it, decided once. JSON.
- ``outcome``: what came of it; absent while nobody knows. JSON.

The claim comes before the act, so that a message which is sent again after no answer came is decided as it was then,
and carried out under the same idempotency key. It stays for twice the longest time an announcement may be shown, so
that what updates or cancels it finds it.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from notifications.announcement import Status
from notifications.asking import ask
from notifications.cap.making import Plan
from notifications.cap.values import Identity
from notifications.keys import Keys
from store.clock import now_ms


class Claim(Struct, frozen=True, kw_only=True):
    """What is to be done about a message.

    Attributes:
        owner: Who sends it; their idempotency keys are meant.
        at_ms: When it came.
        digest: What tells the message from another of the same identity.
        plan: What is to be done.
        target: Id of the announcement it is done to; empty for a new one.
        again: Whether those who dismissed it are to see the update.
    """

    owner: str
    at_ms: int
    digest: str
    plan: Plan
    target: str = ""
    again: bool = False


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a message: `done`, and the announcement as it was then."""

    done: str
    id: str
    revision: int
    status: Status
    durability: str
    why: str = ""
    notes: tuple[str, ...] = ()


class Known(NamedTuple):
    """A message that has come before; `outcome` is None while nobody knows it."""

    claim: Claim
    outcome: Outcome | None


class Index:
    """The index below `prefix`; each method raises :class:`StoreAway` if the store does not answer.

    Args:
        redis: The store.
        prefix: First part of every key.
        keep_seconds: How long a message is known.
    """

    def __init__(self, redis: Redis, prefix: str, keep_seconds: int) -> None:
        self._redis = redis
        self._keys = Keys(prefix)
        self._keep_seconds = keep_seconds

    async def now_ms(self) -> int:
        """The store's time."""
        return int(await ask(now_ms(self._redis)))

    async def find(self, site: str, identity: Identity) -> Known | None:
        """What is known of a message; None if it has not come."""
        claim, outcome = await ask(self._redis.hmget(self._key(site, identity), ["claim", "outcome"]))
        return _known(claim, outcome) if claim is not None else None

    async def claim(self, site: str, identity: Identity, claim: Claim) -> Known:
        """Writes down what is to be done about a message, unless that has been; what is known of it then."""
        key = self._key(site, identity)
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hsetnx(key, "claim", msgspec.json.encode(claim).decode())
            pipeline.expire(key, self._keep_seconds)
            pipeline.hmget(key, ["claim", "outcome"])
            _, _, (first, outcome) = await ask(pipeline.execute())
        return _known(first, outcome)

    async def finish(self, site: str, identity: Identity, outcome: Outcome) -> None:
        """Writes down what came of it."""
        key = self._key(site, identity)
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hset(key, "outcome", msgspec.json.encode(outcome).decode())
            pipeline.expire(key, self._keep_seconds)
            await ask(pipeline.execute())

    async def release(self, site: str, identity: Identity) -> None:
        """Forgets a message that nothing was done about."""
        await ask(self._redis.delete(self._key(site, identity)))

    def _key(self, site: str, identity: Identity) -> str:
        return self._keys.cap(site, identity.normal)


def _known(claim: bytes, outcome: bytes | None) -> Known:
    return Known(
        msgspec.json.decode(claim, type=Claim),
        msgspec.json.decode(outcome, type=Outcome) if outcome is not None else None,
    )
