"""Reads what a backup takes out of the store, while the service runs.

Announcements, their log and the audit trail agree with each other: they are read between two looks at the versions of
both, and again where those differ; of the trail, which only grows, what there was at the second look is read. All else
is read key by key. How far each webhook has got in the trail is read first of all: a restored one may deliver something
twice, and never misses what the backup has.

What is held in memory is a page of values, and the names of the keys that are kept; not those of leases.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

import msgspec
from redis.asyncio import Redis

from operations.backup.choices import ANNOUNCEMENTS, CHOICES, HEAD, TRAIL, TRAIL_HEAD, Choice, Kind, chosen
from operations.backup.errors import KeepsChanging
from operations.backup.form import Chunk, Writer

_PAGE = 500
_CHUNK_BYTES = 1 << 20
_TRIES = 20
_SPOOL_BYTES = 16 << 20
_CURSORS = "{announcements}:webhooks:cursor"
_LEAVES_UNTOLD = frozenset({"end", "stay"})


@dataclass(slots=True)
class Taken:
    """What came of it.

    Attributes:
        parts: Keys by part of the installation.
        undecided: Names, without the prefix, of keys that are not in it as nobody has decided on them.
    """

    parts: dict[str, int] = field(default_factory=dict)
    undecided: list[str] = field(default_factory=list)


async def take(
    redis: Redis, prefix: str, writer: Writer, directory: str, on_progress: Callable[[int], None] = lambda keys: None
) -> Taken:
    """Writes everything worth keeping with `writer`, and finishes it.

    Args:
        redis: The store.
        prefix: First part of every key.
        writer: A new one.
        directory: Where room may be taken for a moment.
        on_progress: Called with the keys written so far.

    Raises:
        KeepsChanging: Announcements could not be read in one state.
        redis.exceptions.RedisError: The store does not answer.
    """
    taken = Taken()
    names = dict.fromkeys([_CURSORS, *[name async for name in _names(redis, prefix)]])
    for count, name in enumerate(names):
        choice = chosen(name)
        if choice is None:
            taken.undecided.append(name)
        elif choice.part != ANNOUNCEMENTS:
            async for chunk in _read(redis, prefix, name, choice):
                writer.write(chunk)
        on_progress(count)
    with SpooledTemporaryFile(_SPOOL_BYTES, dir=directory) as spool:
        last = await _announcements(redis, prefix, cast("IO[bytes]", spool))
        spool.seek(0)
        for line in spool:
            writer.write(msgspec.json.decode(line, type=Chunk))
    if last:
        async for chunk in _chunked(TRAIL, "stream", 0, _stream(redis, f"{prefix}:{TRAIL}", last)):
            writer.write(chunk)
    taken.parts = writer.finish()
    return taken


async def found_below(redis: Redis, prefix: str) -> AsyncIterator[list[bytes]]:
    """All keys below `prefix`, some at a time; one may come twice."""
    cursor = 0
    pattern = "".join(f"\\{letter}" if letter in "*?[]\\^-" else letter for letter in prefix)
    while True:
        page: Any
        cursor, page = await redis.scan(cursor, match=f"{pattern}:*", count=_PAGE)
        yield page
        if not cursor:
            return


async def _names(redis: Redis, prefix: str) -> AsyncIterator[str]:
    """All keys, without the prefix, that are kept or undecided."""
    async for page in found_below(redis, prefix):
        for key in page:
            # A name that is no text is none of ours; it is told, not lost.
            name = key.decode("utf-8", "replace").removeprefix(f"{prefix}:")
            choice = chosen(name)
            if choice is None or choice.fate not in _LEAVES_UNTOLD:
                yield name


async def _announcements(redis: Redis, prefix: str, spool: IO[bytes]) -> bytes:
    """Reads what has to agree with itself into `spool`; returns the id of the trail's last entry then."""
    group = [choice for choice in CHOICES if choice.part == ANNOUNCEMENTS and choice.pattern != TRAIL]
    for _ in range(_TRIES):
        spool.seek(0)
        spool.truncate()
        before = await _versions(redis, prefix)
        for choice in group:
            async for chunk in _read(redis, prefix, choice.pattern, choice):
                spool.write(msgspec.json.encode(chunk) + b"\n")
        if await _versions(redis, prefix) == before:
            last = before[2]
            return bytes(last[0][0]) if last else b""
    raise KeepsChanging


async def _versions(redis: Redis, prefix: str) -> list[Any]:
    """Where log and trail are: every act moves one of them."""
    pipeline = redis.pipeline(transaction=True)
    pipeline.hmget(f"{prefix}:{HEAD}", ["epoch", "version", "chain"])
    pipeline.hmget(f"{prefix}:{TRAIL_HEAD}", ["seq", "chain"])
    pipeline.xrevrange(f"{prefix}:{TRAIL}", count=1)
    answers: list[Any] = await pipeline.execute()
    return answers


async def _read(redis: Redis, prefix: str, name: str, choice: Choice) -> AsyncIterator[Chunk]:
    """The chunks of a key; none if it has gone meanwhile."""
    key = f"{prefix}:{name}"
    pipeline = redis.pipeline(transaction=True)
    pipeline.type(key)
    pipeline.pttl(key)
    pipeline.time()
    kind_read, left_ms, (seconds, micros) = await pipeline.execute()
    kind = cast("Kind", kind_read.decode())
    if kind not in choice.kinds:
        return
    expires_ms = seconds * 1000 + micros // 1000 + left_ms if left_ms > 0 else 0
    pages = {"string": _string, "hash": _hash, "zset": _zset}.get(kind, _stream)
    async for chunk in _chunked(name, kind, expires_ms, pages(redis, key)):
        yield chunk


async def _chunked(
    name: str, kind: Kind, expires_ms: int, pages: AsyncIterator[list[list[bytes]]]
) -> AsyncIterator[Chunk]:
    """Pages of entries as chunks of about 1 MB at most, the last of which says so."""
    waiting: list[bytes] | None = None
    async for page in pages:
        for values in _parted(page):
            if waiting is not None:
                yield Chunk(key=name, kind=kind, values=waiting, expires_ms=expires_ms, goes_on=True)
            waiting = values
    if waiting is not None:
        yield Chunk(key=name, kind=kind, values=waiting, expires_ms=expires_ms)


def _parted(entries: Iterable[list[bytes]]) -> Iterable[list[bytes]]:
    values: list[bytes] = []
    size = 0
    for entry in entries:
        values += entry
        size += sum(map(len, entry))
        if size > _CHUNK_BYTES:
            yield values
            values, size = [], 0
    if values:
        yield values


async def _string(redis: Redis, key: str) -> AsyncIterator[list[list[bytes]]]:
    value: Any = await redis.get(key)
    if value is not None:
        yield [[value]]


async def _hash(redis: Redis, key: str) -> AsyncIterator[list[list[bytes]]]:
    cursor = 0
    while True:
        page: Any
        cursor, page = await redis.hscan(key, cursor, count=_PAGE)
        yield [[field, value] for field, value in page.items()]
        if not cursor:
            return


async def _zset(redis: Redis, key: str) -> AsyncIterator[list[list[bytes]]]:
    cursor = 0
    while True:
        page: Any
        cursor, page = await redis.zscan(key, cursor, count=_PAGE)
        # The shortest text that is read back as the same number.
        yield [[member, repr(float(score)).encode()] for member, score in page]
        if not cursor:
            return


async def _stream(redis: Redis, key: str, last: bytes = b"+") -> AsyncIterator[list[list[bytes]]]:
    after = "-"
    while True:
        page: Any = await redis.xrange(key, after, last.decode(), count=_PAGE)
        entries: list[list[bytes]] = []
        for id, fields in page:
            flat = [part for pair in fields.items() for part in pair]
            entries.append([id, str(len(flat)).encode(), *flat])
            after = f"({id.decode()}"
        yield entries
        if len(page) < _PAGE:
            return
