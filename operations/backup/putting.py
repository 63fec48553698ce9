"""Puts a backup into the store, all of it or nothing.

Every key is first written beside, below ``<prefix>:restoring:`` with its hash tag; then all are put in place in one
transaction, together with the removal of what was there. A restore that fails before that has changed nothing that Loa
reads; the next one clears away what it left.

The log gets another epoch, so that neither a cursor of a browser nor the view of a worker from before is taken for a
part of this history.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import IO, Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import WatchError

from notifications.view import beginning
from operations.backup.choices import HEAD, STAGE, chosen
from operations.backup.errors import Damaged, StillServed
from operations.backup.form import Chunk, chunks, entries
from operations.backup.taking import found_below
from store import layout
from store.clock import now_ms

_TOGETHER_BYTES = 1 << 20
_CLEAR = 500
# Is there until all that is staged has been put in place.
_READY = "ready"
# Connections of commands, which come and go.
_COMMANDS = frozenset({b"loa-command", b"loa-backup", b"loa-start"})


class Present(NamedTuple):
    """What a restore would remove: keys by part, and their full names."""

    parts: dict[str, int]
    names: list[bytes]


async def present(redis: Redis, prefix: str) -> Present:
    """What is in the store of what a backup keeps, and what ends with it."""
    parts: dict[str, int] = {}
    names: set[bytes] = set()
    async for page in found_below(redis, prefix):
        for key in page:
            choice = chosen(key.decode("utf-8", "replace").removeprefix(f"{prefix}:"))
            if choice is None or choice.fate == "stay" or key in names:
                continue
            names.add(key)
            if choice.part:
                parts[choice.part] = parts.get(choice.part, 0) + 1
    return Present(parts, sorted(names))


async def refuse_if_served(redis: Redis) -> None:
    """Makes sure that no service uses this server.

    Raises:
        StillServed: One does.
    """
    clients: Any = await redis.client_list()
    names = [str(client.get("name", "")).encode() for client in clients]
    using = [name for name in names if name.startswith(b"loa-") and name not in _COMMANDS]
    if using:
        raise StillServed(len(using))


async def put(
    redis: Redis, prefix: str, file: IO[bytes], on_progress: Callable[[int], None] = lambda read: None
) -> dict[str, int]:
    """Restores what `file` has in place of what there is; returns the keys it wrote, by part.

    Args:
        redis: The store.
        prefix: First part of every key.
        file: A backup that was checked.
        on_progress: Called with the bytes read, now and then.

    Raises:
        Damaged: The file has changed since; nothing was restored.
        redis.exceptions.RedisError: The store does not answer, or refuses. Unless the very last answer was lost,
            nothing was restored.
    """
    await _clear(redis, prefix)
    staged = await _stage(redis, prefix, file, on_progress)
    if staged and await redis.exists(*[_staged(prefix, name) for name in staged]) != len(staged):
        raise Damaged("the store did not keep all of it")
    if HEAD in staged:
        await _another_epoch(redis, _staged(prefix, HEAD))
    await _commit(redis, prefix, staged)
    parts: dict[str, int] = {}
    for name in staged:
        choice = chosen(name)
        if choice is not None:
            parts[choice.part] = parts.get(choice.part, 0) + 1
    return parts


async def _commit(redis: Redis, prefix: str, staged: Mapping[str, int]) -> None:
    """Puts what is staged in place of what there is, once.

    Watched: the client would else send a transaction again whose answer was lost, and that would remove what the first
    one has put in place.
    """
    ready = _staged(prefix, _READY)
    await redis.set(ready, 1)
    removed = (await present(redis, prefix)).names
    async with redis.pipeline(transaction=True) as pipeline:
        await pipeline.watch(ready)
        pipeline.multi()  # type: ignore[no-untyped-call]
        for first in range(0, len(removed), _CLEAR):
            pipeline.unlink(*removed[first : first + _CLEAR])
        for name, expires_ms in staged.items():
            pipeline.rename(_staged(prefix, name), f"{prefix}:{name}")
            # Not before: a key that ends while it waits would be missed here.
            if expires_ms:
                pipeline.pexpireat(f"{prefix}:{name}", expires_ms)
        pipeline.set(layout.key(prefix), layout.LAYOUT)
        pipeline.unlink(ready)
        try:
            await pipeline.execute()
        except WatchError:
            if await redis.exists(ready):
                raise
            # It was done, and only its answer was lost.


def _staged(prefix: str, name: str) -> str:
    return f"{prefix}:{STAGE}:{name}"


async def _clear(redis: Redis, prefix: str) -> None:
    """Takes away what an interrupted restore has left."""
    async for page in found_below(redis, f"{prefix}:{STAGE}"):
        if page:
            await redis.unlink(*page)


async def _stage(redis: Redis, prefix: str, file: IO[bytes], on_progress: Callable[[int], None]) -> dict[str, int]:
    """Writes all that has not run out beside; the names, and when each ends."""
    at_ms = await now_ms(redis)
    staged: dict[str, int] = {}
    pipeline = redis.pipeline(transaction=False)
    size = 0
    for chunk in chunks(file):
        if 0 < chunk.expires_ms <= at_ms:
            continue
        staged[chunk.key] = chunk.expires_ms
        _queue(pipeline, _staged(prefix, chunk.key), chunk)
        size += sum(map(len, chunk.values)) + len(chunk.key)
        if size > _TOGETHER_BYTES:
            await pipeline.execute()
            size = 0
            on_progress(file.tell())
    await pipeline.execute()
    return staged


def _queue(pipeline: Any, key: str, chunk: Chunk) -> None:
    values = chunk.values
    match chunk.kind:
        case "string":
            pipeline.set(key, values[0])
        case "hash":
            pipeline.execute_command("HSET", key, *values)
        case "zset":
            pairs = zip(values[1::2], values[::2], strict=True)
            pipeline.execute_command("ZADD", key, *[part for pair in pairs for part in pair])
        case "stream":
            for id, fields in entries(values) or ():
                pipeline.execute_command("XADD", key, id, *fields)
        case _:
            raise Damaged("it has a key that no backup has")


async def _another_epoch(redis: Redis, head: str) -> None:
    epoch = secrets.token_hex(8)
    version: Any = await redis.hget(head, "version")
    await redis.hset(head, "epoch", epoch)
    if version in (None, b"0"):
        # Before the first entry the chain is made of the epoch alone.
        await redis.hset(head, "chain", beginning(epoch))
