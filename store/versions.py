"""Waits for the server and sees at start whether it can do what Loa asks of it.

Needed: Redis 6.2 (``ZADD GT``/``LT``, exact ids in ``XADD`` and ``XREAD``) or Valkey 7.2. What newer ones
add (``WAITAOF``) is used where it is there.
"""

from __future__ import annotations

import asyncio
import re
import time

from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, NoPermissionError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from store.condition import NEEDED, Server, mode, recognise, troubles
from store.errors import StoreRefused, StoreTooOld, StoreUnfit, StoreUnreachable
from store.nodes import information
from store.refusal import CREDENTIALS, kept_out

_LOOK_AGAIN_SECONDS = 0.1


async def check(redis: Redis, address: str, *, wait_seconds: float, credentials: str = CREDENTIALS) -> Server | None:
    """Waits until a server answers, and sees whether it will do; of a cluster, each that leads.

    Args:
        redis: A client to it, or to a cluster.
        address: Its address without a password, for the error.
        wait_seconds: How long to wait for one that does not answer yet or still loads its data.
        credentials: Where those for it stand, for the error.

    Returns:
        What it is, of a cluster the last, or None where it is not allowed to say (an ACL without INFO).

    Raises:
        StoreUnreachable: Nothing answers, or not in time.
        StoreRefused: It does not let us in, or is a node of a cluster.
        StoreTooOld: It lacks commands Loa needs.
        StoreUnfit: It still loads, is read-only, out of memory, or may evict keys.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            # Redis answers this one while it still loads, and then says so.
            servers = await information(redis)
            found = {node: troubles(info) for node, info in servers.items()}
            loading = any(one.name == "loading" for each in found.values() for one in each)
            if not loading or time.monotonic() >= deadline:
                break
        except NoPermissionError:
            return None
        except (BusyLoadingError, RedisConnectionError, RedisTimeoutError) as error:
            if remedy := kept_out(error, credentials):
                raise StoreRefused(address, f"{_plain(error)}; {remedy}") from None
            if time.monotonic() >= deadline:
                raise StoreUnreachable(address, _plain(error)) from None
        except ResponseError as error:
            raise StoreRefused(address, str(error)) from None
        except RedisError as error:
            raise StoreUnreachable(address, _plain(error)) from None
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    server: Server | None = None
    for node, info in servers.items():
        at = node or address
        if not node and mode(info) == "cluster":
            raise StoreRefused(at, "it is a node of a cluster, which can hold leases only: see presence.redis_url")
        server = recognise(info)
        if server is not None and server.too_old:
            raise StoreTooOld(at, str(server), NEEDED)
        for trouble in found[node]:
            raise StoreUnfit(at, f"it {trouble.what}", trouble.remedy)
    return server


def _plain(error: Exception) -> str:
    """redis-py's text without the address it repeats and its full stop."""
    text = str(error).rstrip(".")
    number = re.match(r"Error (?:-?\d+|None) connecting to \S+?\.? (?P<why>.+)$", text)
    return (number["why"] if number else text) or type(error).__name__
