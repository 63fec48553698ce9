"""API tokens: made, looked up at every request, revoked.

A token reads ``loa_<id>_<secret>``. The store holds the SHA-256 of the secret and never the secret: 256 random bits
need no slow hash. A token is looked up for every request it comes with, so a revoked one stops working at once, on
every worker.

``editor`` is the only role that can be given so far; ``viewer``, ``approver``, ``operator`` and ``admin`` are names to
come. A token of a role that may not do what is asked is refused, not taken for another.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable
from typing import Any, Literal, NamedTuple, cast

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from notifications.errors import StoreAway
from notifications.keys import TokenKeys

Role = Literal["editor"]
ROLES: tuple[Role, ...] = ("editor",)

# Longer than a command goes on trying (``client.PAUSES_SECONDS``): a 401 must not hide what an earlier try has done.
LOCAL_SECONDS = 120
MAX_NAME = 60
# An end that lies further off is no end, and the calendar has one of its own.
MAX_DAYS = 3_650

# Marks tokens that a command line made for itself; they live under keys of their own, which expire.
_LOCAL = "local"
_TEXT = re.compile(r"loa_([a-z0-9]{4,32})_([0-9a-f]{64})", re.ASCII)


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret, as the store holds it.

    Attributes:
        id: What it is listed and revoked by.
        name: Whose it is, in words.
        role: What it may do.
        digest: SHA-256 of the secret, hexadecimal.
        created_ms: When it was made, by the store's clock.
        expires_ms: From when on it is refused; 0: never.
    """

    id: str
    name: str
    role: str
    digest: str
    created_ms: int
    expires_ms: int = 0

    @property
    def owner(self) -> str:
        """Whose idempotency keys and budget go with it: a command that is repeated comes with another local token."""
        return _LOCAL if self.id.startswith(_LOCAL) else self.id


class NewToken(NamedTuple):
    """A token just made, and its text, which is known only now."""

    token: Token
    text: str


class Tokens:
    """The tokens below `prefix`. Each method raises :class:`StoreAway` if the store does not answer."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._keys = TokenKeys(prefix)

    async def create(self, name: str, role: Role = "editor", expires_in_seconds: int | None = None) -> NewToken:
        """Makes a token, good until it is revoked if it is not to expire; its text is not to be had again."""
        new = _new(secrets.token_hex(4), name, role, await self._now_ms(), expires_in_seconds)
        await _ask(self._redis.hset(self._keys.tokens, new.token.id, _stored(new.token)))
        return new

    async def create_local(self) -> NewToken:
        """Makes a token for a command line that has access to the store: good for two minutes, listed nowhere."""
        id = _LOCAL + secrets.token_hex(4)
        new = _new(id, "command line", "editor", await self._now_ms(), LOCAL_SECONDS)
        await _ask(self._redis.set(self._keys.local(id), _stored(new.token), ex=LOCAL_SECONDS))
        return new

    async def first_token(self) -> NewToken | None:
        """The token of the very first start; None at every other, also if several start at once."""
        if not await _ask(self._redis.set(self._keys.first, await self._now_ms(), nx=True)):
            return None
        return await self.create("first start")

    async def forget_first(self, text: str) -> None:
        """Takes back the token of the very first start, which nobody has seen: the next start makes another."""
        # In this order: where it fails in between, a token is left that nobody knows, and not none for ever.
        await _ask(self._redis.delete(self._keys.first))
        await self.revoke(text.split("_")[1])

    async def list(self) -> list[Token]:
        """All that were made and not revoked, the oldest first; expired ones too."""
        stored = await _ask(self._redis.hvals(self._keys.tokens))
        return sorted((_read(one) for one in stored), key=lambda token: token.created_ms)

    async def revoke(self, id: str) -> bool:
        """Ends a token; False if there is none of this id."""
        return bool(await _ask(self._redis.hdel(self._keys.tokens, id)))

    async def verify(self, text: str) -> Token | None:
        """The token whose text this is; None if there is none, or none any more."""
        parsed = _TEXT.fullmatch(text)
        if parsed is None:
            return None
        id, secret = parsed.groups()
        local = id.startswith(_LOCAL)
        stored = await _ask(self._redis.get(self._keys.local(id)) if local else self._redis.hget(self._keys.tokens, id))
        token = _read(stored) if stored is not None else None
        # Compared also where there is nothing to compare with: an answer must not tell by its time which ids exist.
        same = hmac.compare_digest(token.digest if token is not None else _digest(""), _digest(secret))
        if token is None or not same:
            return None
        expired = token.expires_ms and token.expires_ms <= await self._now_ms()
        return None if expired else token

    async def _now_ms(self) -> int:
        seconds, microseconds = await _ask(self._redis.time())
        return int(seconds) * 1000 + int(microseconds) // 1000


def _new(id: str, name: str, role: Role, now_ms: int, expires_in_seconds: int | None) -> NewToken:
    secret = secrets.token_hex(32)
    expires_ms = 0 if expires_in_seconds is None else now_ms + expires_in_seconds * 1000
    token = Token(id=id, name=name, role=role, digest=_digest(secret), created_ms=now_ms, expires_ms=expires_ms)
    return NewToken(token, f"loa_{id}_{secret}")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _stored(token: Token) -> bytes:
    return msgspec.json.encode(token)


def _read(stored: bytes) -> Token:
    return msgspec.json.decode(stored, type=Token)


async def _ask(answer: Any) -> Any:
    try:
        return await cast("Awaitable[Any]", answer)
    except (RedisError, OSError) as error:
        raise StoreAway(" ".join(str(error).split()) or type(error).__name__) from error
