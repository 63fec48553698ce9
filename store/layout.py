"""The version of the layout of keys: what is where in the store, and in which form.

It stands in the key ``<prefix>:layout`` from the first start on. A release that finds a newer layout than it knows
does not start: what it would write, the newer release could no longer read. An older one is brought up to date by
``loa migrate``, while no node runs, never by itself: nodes of the older release may still be at work.

There is one layout so far, and so nothing to bring up to date. A change that an older release could not live with
raises `LAYOUT` and adds a step to `MIGRATIONS`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from redis.asyncio import Redis

from store.errors import LayoutTooNew, LayoutTooOld, LayoutUnreadable

LAYOUT = 1

# Brings the keys below the prefix from this layout to the next; may be interrupted, and is then done again.
Migration: TypeAlias = Callable[[Redis, str], Awaitable[None]]
MIGRATIONS: Mapping[int, Migration] = MappingProxyType({})


def key(prefix: str) -> str:
    """Where it stands."""
    return f"{prefix}:layout"


def judge(found: bytes | str | None, address: str, *, current: int = LAYOUT) -> int:
    """The layout that `found`, the key's value, names; what has none yet has the present one.

    Raises:
        LayoutTooNew, LayoutTooOld, LayoutUnreadable: This release cannot work with it as it is.
    """
    if found is None:
        return current
    text = found if isinstance(found, str) else found.decode("ascii", "replace")
    if re.fullmatch(r"\d{1,9}", text, re.ASCII) is None:
        raise LayoutUnreadable(address, text[:20])
    layout = int(text)
    if layout > current:
        raise LayoutTooNew(address, layout, current)
    if layout < current:
        raise LayoutTooOld(address, layout, current)
    return layout


async def ensure(redis: Redis, prefix: str, address: str) -> None:
    """Writes the layout down where none is, else sees whether it is ours.

    Raises:
        LayoutTooNew, LayoutTooOld, LayoutUnreadable: See `judge`.
        redis.exceptions.RedisError: The store does not answer or refuses.
    """
    # Read first: a replica, or a user who may only read, is told of a layout rather than of a write.
    found = await redis.get(key(prefix))
    if found is None and not await redis.set(key(prefix), LAYOUT, nx=True):
        found = await redis.get(key(prefix))
    judge(found, address)


async def migrate(
    redis: Redis,
    prefix: str,
    address: str,
    *,
    current: int = LAYOUT,
    migrations: Mapping[int, Migration] = MIGRATIONS,
) -> list[int]:
    """Brings the keys up to date, step by step; returns the layouts it went through, empty if there was nothing to do.

    Each step is written down when it is done, so that an interrupted one is done again.

    Raises:
        LayoutTooNew, LayoutUnreadable: See `judge`.
        LayoutTooOld: No step leads on from it.
        redis.exceptions.RedisError: The store does not answer or refuses.
    """
    steps: list[int] = []
    while True:
        try:
            layout = judge(await redis.get(key(prefix)), address, current=current)
        except LayoutTooOld as error:
            step = migrations.get(error.found)
            if step is None:
                raise LayoutTooOld(address, error.found, current, step_missing=True) from None
            await step(redis, prefix)
            await redis.set(key(prefix), error.found + 1)
            steps.append(error.found + 1)
        else:
            if not steps:
                await redis.set(key(prefix), layout, nx=True)
            return steps
