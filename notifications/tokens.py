"""API tokens: made, looked up at every request, revoked.

A token reads ``loa_<id>_<secret>``. The store holds the SHA-256 of the secret and never the secret: 256 random bits
need no slow hash. A token is looked up for every request it comes with, so a revoked one stops working at once, on
every worker.

A token has one role (``notifications/people/rights.py``) on all sites or on some, and may have an end. When it was
last used is known to the minute.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import math
import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
from redis.asyncio import Redis

from notifications.actor import OPERATOR, Actor, Principal
from notifications.asking import ask
from notifications.errors import StoreAway
from notifications.keys import TokenKeys
from notifications.people.rights import ANY_SITE, Role
from notifications.trail import Trail
from store.clock import now_ms
from store.scripts import load

# Longer than a command goes on trying (``client.PAUSES_SECONDS``): a 401 must not hide what an earlier try has done.
LOCAL_SECONDS = 120
MAX_NAME = 60
# An end that lies further off is no end, and the calendar has one of its own.
MAX_DAYS = 3_650
# Its use is written down so often at most.
NOTE_SECONDS = 60

# Marks tokens that a command line made for itself; they live under keys of their own, which expire.
_LOCAL = "local"
_TEXT = re.compile(r"loa_([a-z0-9]{4,32})_([0-9a-f]{64})", re.ASCII)


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret, as the store holds it.

    Attributes:
        id: What it is listed and revoked by.
        name: Whose it is, in words.
        role: What it may do on `sites`.
        sites: Ids, or ``*`` alone for all there are and will be.
        digest: SHA-256 of the secret, hexadecimal.
        created_ms: When it was made, by the store's clock.
        expires_ms: From when on it is refused; 0: never.
        maker: The user who made it in the console, and is the person behind it; empty: made on the command line.
    """

    id: str
    name: str
    role: Role
    sites: tuple[str, ...] = (ANY_SITE,)
    digest: str
    created_ms: int
    expires_ms: int = 0
    maker: str = ""

    @property
    def owner(self) -> str:
        """Whose idempotency keys and budget go with it: a command that is repeated comes with another local token."""
        return _LOCAL if self.id.startswith(_LOCAL) else self.id

    @property
    def roles(self) -> dict[str, Role]:
        """Its role by site."""
        return dict.fromkeys(self.sites, self.role)

    def principal(self, address: str) -> Principal:
        """Whoever sends it, from `address`."""
        return Principal(owner=self.owner, roles=self.roles, name=self.name, address=address, person=self.maker)


class NewToken(NamedTuple):
    """A token just made, and its text, which is known only now."""

    token: Token
    text: str


class Tokens:
    """The tokens below `prefix`. Each method raises :class:`StoreAway` if the store does not answer.

    Args:
        redis: The store.
        prefix: Of its keys.
        clock: Seconds, never going back.
    """

    def __init__(self, redis: Redis, prefix: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._keys = TokenKeys(prefix)
        self._trail = Trail(redis, prefix)
        self._clock = clock
        self._used = redis.register_script(load("notifications", "used"))
        # When this worker last told the store of a token's use; no longer than the list of tokens.
        self._noted: dict[str, float] = {}

    async def create(
        self,
        name: str,
        role: Role = "editor",
        expires_in_seconds: int | None = None,
        *,
        sites: Iterable[str] = (ANY_SITE,),
        by: Actor = OPERATOR,
    ) -> NewToken:
        """Makes a token, good until it is revoked if it is not to expire; its text is not to be had again."""
        new = _new(
            secrets.token_hex(4),
            name,
            role,
            await self._now_ms(),
            expires_in_seconds=expires_in_seconds,
            sites=sites,
            maker="" if by.owner == OPERATOR.owner else by.who,
        )
        # Before it exists: there must be no token that nobody knows of.
        await self._trail.record("token.create", by, {"id": new.token.id, "before": None, "after": _told(new.token)})
        await ask(self._redis.hset(self._keys.tokens, new.token.id, _stored(new.token)))
        return new

    async def create_local(self) -> NewToken:
        """Makes a token for a command line that has access to the store: good for two minutes, listed nowhere."""
        id = _LOCAL + secrets.token_hex(4)
        new = _new(id, "command line", "editor", await self._now_ms(), expires_in_seconds=LOCAL_SECONDS)
        await ask(self._redis.set(self._keys.local(id), _stored(new.token), ex=LOCAL_SECONDS))
        return new

    async def first_token(self) -> NewToken | None:
        """The token of the very first start; None at every other, also if several start at once."""
        if not await ask(self._redis.set(self._keys.first, await self._now_ms(), nx=True)):
            return None
        return await self.create("first start")

    async def forget_first(self, text: str) -> None:
        """Takes back the token of the very first start, which nobody has seen: the next start makes another."""
        # In this order: where it fails in between, a token is left that nobody knows, and not none for ever.
        await ask(self._redis.delete(self._keys.first))
        await self.revoke(text.split("_")[1])

    async def list(self) -> list[Token]:
        """All that were made and not revoked, the oldest first; expired ones too."""
        stored = await ask(self._redis.hvals(self._keys.tokens))
        return sorted((_read(one) for one in stored), key=lambda token: token.created_ms)

    async def used(self) -> dict[str, int]:
        """When each was last used (ms), to the minute; those that never were are not in it."""
        return {id.decode(): int(at) for id, at in (await ask(self._redis.hgetall(self._keys.used))).items()}

    async def revoke(self, id: str, by: Actor = OPERATOR) -> bool:
        """Ends a token; False if there is none of this id."""
        stored = await ask(self._redis.hget(self._keys.tokens, id))
        if stored is None or not await ask(self._redis.hdel(self._keys.tokens, id)):
            return False
        await ask(self._redis.hdel(self._keys.used, id))
        await self._trail.record("token.revoke", by, {"id": id, "before": _told(_read(stored)), "after": None})
        return True

    async def verify(self, text: str) -> Token | None:
        """The token whose text this is; None if there is none, or none any more."""
        parsed = _TEXT.fullmatch(text)
        if parsed is None:
            return None
        id, secret = parsed.groups()
        local = id.startswith(_LOCAL)
        stored = await ask(self._redis.get(self._keys.local(id)) if local else self._redis.hget(self._keys.tokens, id))
        token = _read(stored) if stored is not None else None
        # Compared also where there is nothing to compare with: an answer must not tell by its time which ids exist.
        same = hmac.compare_digest(token.digest if token is not None else _digest(""), _digest(secret))
        if token is None or not same:
            return None
        expired = token.expires_ms and token.expires_ms <= await self._now_ms()
        if expired:
            return None
        if not local:
            await self._note_use(id)
        return token

    async def _note_use(self, id: str) -> None:
        now = self._clock()
        if now - self._noted.get(id, -math.inf) < NOTE_SECONDS:
            return
        self._noted[id] = now
        # A note that could not be made is no reason to turn a right token away.
        with contextlib.suppress(StoreAway):
            await ask(self._used(keys=[self._keys.tokens, self._keys.used], args=[id, NOTE_SECONDS * 1000]))

    async def _now_ms(self) -> int:
        return int(await ask(now_ms(self._redis)))


def _new(
    id: str,
    name: str,
    role: Role,
    now_ms: int,
    *,
    expires_in_seconds: int | None,
    sites: Iterable[str] = (ANY_SITE,),
    maker: str = "",
) -> NewToken:
    secret = secrets.token_hex(32)
    expires_ms = 0 if expires_in_seconds is None else now_ms + expires_in_seconds * 1000
    token = Token(
        id=id,
        name=name,
        role=role,
        sites=tuple(sites),
        digest=_digest(secret),
        created_ms=now_ms,
        expires_ms=expires_ms,
        maker=maker,
    )
    return NewToken(token, f"loa_{id}_{secret}")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _told(token: Token) -> dict[str, object]:
    """What the audit trail says of a token."""
    return {"name": token.name, "role": token.role, "sites": token.sites, "expires_ms": token.expires_ms}


def _stored(token: Token) -> bytes:
    return msgspec.json.encode(token)


def _read(stored: bytes) -> Token:
    return msgspec.json.decode(stored, type=Token)
