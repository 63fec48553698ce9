"""Looks through all keys of this installation and sorts them by what the rooms say they keep.

Nothing is hidden: a key that no room has told of stands under a line of its own. The store is asked with ``SCAN``, some
keys at a time, so that it is never held; keys may come and go meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from redis.asyncio import Redis

from store.inventory import Kept

_KEYS_AT_A_TIME = 500
_SIZES = {"zset": "zcard", "hash": "hlen", "set": "scard", "list": "llen", "stream": "xlen", "string": "strlen"}


class Line(msgspec.Struct, kw_only=True):
    """What was found of one form of key.

    Attributes:
        kept: What the room says of it; None for keys of which none does.
        keys: How many.
        entries: In all of them: members, fields, entries; of texts, bytes.
        types: Of the store's types, which.
        shortest_seconds, longest_seconds: Until they are gone by themselves; None where none will.
        lasting: How many will not be gone by themselves.
        example: One entry in hexadecimal, where that is a hash; else the name of one key.
    """

    kept: Kept | None
    keys: int = 0
    entries: int = 0
    types: set[str] = msgspec.field(default_factory=set)
    shortest_seconds: int | None = None
    longest_seconds: int | None = None
    lasting: int = 0
    example: str = ""


async def survey(
    stores: Sequence[Redis],
    prefix: str,
    inventory: Sequence[Kept],
    on_progress: Callable[[int], None] = lambda keys: None,
) -> list[Line]:
    """What there is, a line for each of `inventory` in its order, and one for what is not in it, if there is any.

    Args:
        stores: One after the other.
        prefix: First part of every key.
        inventory: What the rooms keep; the first that matches counts.
        on_progress: Called with the keys looked at so far.

    Raises:
        redis.exceptions.RedisError: The store does not answer.
    """
    lines = [Line(kept=kept) for kept in inventory]
    unknown = Line(kept=None)
    seen = 0
    for redis in stores:
        async for keys in _keys(redis, prefix):
            for found in await _look(redis, keys):
                name = found.key.decode("utf-8", "replace").removeprefix(f"{prefix}:")
                line = next((one for one in lines if one.kept is not None and one.kept.matches(name)), unknown)
                await _add(redis, line, found)
            seen += len(keys)
            on_progress(seen)
    return [*lines, unknown] if unknown.keys else lines


async def _keys(redis: Redis, prefix: str) -> AsyncIterator[list[bytes]]:
    """All keys below `prefix`, each once."""
    known: set[bytes] = set()
    cursor = 0
    while True:
        found: Any
        cursor, found = await redis.scan(cursor, match=f"{_escaped(prefix)}:*", count=_KEYS_AT_A_TIME)
        fresh = [key for key in dict.fromkeys(found) if key not in known]
        known.update(fresh)
        if fresh:
            yield fresh
        if not cursor:
            return


class _Found(NamedTuple):
    """A key as it is: `ttl` in seconds, negative if it does not end by itself."""

    key: bytes
    type: str
    ttl: int
    size: int


async def _look(redis: Redis, keys: Sequence[bytes]) -> list[_Found]:
    """What `keys` are; without such as have gone meanwhile."""
    pipeline = redis.pipeline(transaction=False)
    for key in keys:
        pipeline.type(key)
        pipeline.ttl(key)
    answers: list[Any] = await pipeline.execute()
    types = [answer.decode() for answer in answers[::2]]
    there = [one for one in zip(keys, types, answers[1::2], strict=True) if one[1] in _SIZES]
    for key, type, _ in there:
        getattr(pipeline, _SIZES[type])(key)
    sizes: list[int] = await pipeline.execute()
    return [_Found(*one, size) for one, size in zip(there, sizes, strict=True)]


async def _add(redis: Redis, line: Line, found: _Found) -> None:
    line.keys += 1
    line.entries += found.size
    line.types.add(found.type)
    if found.ttl < 0:
        line.lasting += 1
    else:
        line.shortest_seconds = min(found.ttl, line.shortest_seconds or found.ttl)
        line.longest_seconds = max(found.ttl, line.longest_seconds or 0)
    if line.example:
        return
    if line.kept is None:
        line.example = found.key.decode("utf-8", "replace")
    elif line.kept.members and found.type == "zset":
        members: Any = await redis.zrange(found.key, 0, 0)
        line.example = members[0].hex() if members else ""


def _escaped(text: str) -> str:
    """`text` as a pattern of the store that matches nothing else."""
    return "".join(f"\\{letter}" if letter in "*?[]\\^-" else letter for letter in text)
