"""Who is signed in: a random token in a cookie, its hash in the store, looked up at every request with its user.

One script a request, whatever the number of users and sessions (``lua/session.lua``). Nothing is remembered in a
worker: what changes of a user holds from the next request on, on every worker.

A session ends `idle_seconds` after it was last used, `lifetime_seconds` after it began, at sign-out, and when its user
is disabled, removed or given another password (the user's generation is then another one).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any, NamedTuple

import msgspec
from redis.asyncio import Redis

from notifications.asking import ask
from notifications.people.keys import PeopleKeys
from notifications.people.user import User
from store.scripts import load

# Of one user; the one that would end first makes room.
MAX_SESSIONS = 20
# Its use is written down so often at most: a lookup is nearly always a read.
NOTE_SECONDS = 60
SHOWN_ID = 12

_TOKEN = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session, without the token.

    Attributes:
        digest: SHA-256 of the token, hexadecimal.
        user: The name of whoever is signed in.
        made_ms: Since when, by the store's clock.
        seen_ms: When it was last used, to the minute.
        until_ms: When it ends at the latest.
        address: Where the sign-in came from.
        browser: With what, in words.
    """

    digest: str
    user: str
    made_ms: int
    seen_ms: int
    until_ms: int
    address: str = ""
    browser: str = ""

    @property
    def id(self) -> str:
        """What it is listed and ended by; it proves nothing."""
        return self.digest[:SHOWN_ID]


class SignedIn(NamedTuple):
    """Who a request comes from, and by which session."""

    user: User
    session: Session


class Sessions:
    """The sessions below `prefix`. Each method raises :class:`StoreAway` if the store does not answer.

    Args:
        redis: The store.
        prefix: Of its keys.
        idle_seconds: After so long without use a session is over.
        lifetime_seconds: After so long it is over in any case.
    """

    def __init__(self, redis: Redis, prefix: str, *, idle_seconds: int, lifetime_seconds: int) -> None:
        self._redis = redis
        self._keys = PeopleKeys(prefix)
        self._idle_ms = idle_seconds * 1000
        self.lifetime_seconds = lifetime_seconds
        self._begin = redis.register_script(load("notifications.people", "begin"))
        self._look_up = redis.register_script(load("notifications.people", "session"))

    async def begin(self, user: User, *, address: str, browser: str) -> str:
        """Begins a session of `user`; returns its token, which is known only now."""
        token = secrets.token_hex(32)
        digest = digest_of(token)
        over = await ask(
            self._begin(
                keys=[self._keys.session(digest), self._keys.sessions(user.name)],
                args=[
                    digest,
                    user.name,
                    user.generation,
                    self._idle_ms,
                    self.lifetime_seconds * 1000,
                    address,
                    browser,
                    MAX_SESSIONS,
                ],
            )
        )
        if over:
            await ask(self._redis.delete(*[self._keys.session(one.decode()) for one in over]))
        return token

    async def find(self, token: str, *, used: bool = True) -> SignedIn | None:
        """Who is signed in with this token; None if nobody is, or not any more.

        Args:
            token: What the cookie says.
            used: Whether a person is using it now; a page that only asks whether it still may does not keep it alive.
        """
        if _TOKEN.fullmatch(token) is None:
            return None
        digest = digest_of(token)
        keys = [self._keys.session(digest), self._keys.users]
        args = [self._idle_ms, int(used), NOTE_SECONDS * 1000]
        _, fields, stored = await ask(self._look_up(keys=keys, args=args))
        if not stored:
            return None
        user = msgspec.json.decode(stored, type=User)
        read = _flat(fields)
        if user.disabled or read.get("generation") != str(user.generation):
            return None
        return SignedIn(user, _session(digest, read))

    async def list(self, user: User) -> list[Session]:
        """Where a user is signed in, the latest sign-in first."""
        digests = [one.decode() for one in await ask(self._redis.zrange(self._keys.sessions(user.name), 0, -1))]
        if not digests:
            return []
        async with self._redis.pipeline(transaction=False) as many:
            for digest in digests:
                many.hgetall(self._keys.session(digest))
            found = await ask(many.execute())
        read = [({key.decode(): value.decode() for key, value in each.items()}) for each in found]
        alive = [
            _session(digest, fields)
            for digest, fields in zip(digests, read, strict=True)
            if fields.get("generation") == str(user.generation)
        ]
        return sorted(alive, key=lambda session: session.made_ms, reverse=True)

    async def end(self, session: Session) -> None:
        """Signs out."""
        async with self._redis.pipeline(transaction=True) as both:
            both.delete(self._keys.session(session.digest))
            both.zrem(self._keys.sessions(session.user), session.digest)
            await ask(both.execute())


def digest_of(token: str) -> str:
    """What the store knows a token by: 256 random bits need no slow hash."""
    # A cookie may hold bytes that are no text.
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


def _flat(fields: list[bytes]) -> dict[str, str]:
    return {fields[at].decode(): fields[at + 1].decode() for at in range(0, len(fields), 2)}


def _session(digest: str, fields: dict[str, Any]) -> Session:
    return Session(
        digest=digest,
        user=fields["user"],
        made_ms=int(fields["made_ms"]),
        seen_ms=int(fields["seen_ms"]),
        until_ms=int(fields["until_ms"]),
        address=fields.get("address", ""),
        browser=fields.get("browser", ""),
    )
