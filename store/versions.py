"""Which server answers, and whether it can do what Loa asks of it.

Needed: Redis 6.2 (``ZADD GT``/``LT``, exact ids in ``XADD`` and ``XREAD``) or Valkey 7.2. What newer ones
add (``WAITAOF``) is used where it is there.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import NamedTuple

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from store.errors import StoreRefused, StoreTooOld, StoreUnreachable

OLDEST = {"Redis": (6, 2), "Valkey": (7, 2)}
NEEDED = " or ".join(f"{product} {major}.{minor}" for product, (major, minor) in OLDEST.items()) + ", or later"

_LOOK_AGAIN_SECONDS = 0.1


class Server(NamedTuple):
    """A server's `product` (``Redis``, ``Valkey``) and `version`, ``(9, 1, 2)``."""

    product: str
    version: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.product} {'.'.join(map(str, self.version))}"

    @property
    def too_old(self) -> bool:
        """Whether it lacks commands that Loa needs."""
        return self.version[:2] < OLDEST[self.product]


def recognise(info: dict[str, object]) -> Server | None:
    """The server that gave `info` (the section ``server`` of INFO), or None where it does not say.

    Valkey names a ``redis_version`` too, the one whose protocol it speaks; its own stands beside it.
    """
    for product, field in (("Valkey", "valkey_version"), ("Redis", "redis_version")):
        numbers = re.match(r"\d+(?:\.\d+)*", str(info.get(field, "")))
        if numbers is not None:
            return Server(product, tuple(int(number) for number in numbers.group().split(".")))
    return None


async def check(redis: Redis, address: str, *, wait_seconds: float) -> Server | None:
    """Waits until a server answers, and sees whether it will do.

    Args:
        redis: A client to it.
        address: Its address without a password, for the error.
        wait_seconds: How long to wait for one that does not answer yet or still loads its data.

    Returns:
        What it is, or None where it is not allowed to say (an ACL without INFO).

    Raises:
        StoreUnreachable: Nothing answers, or not in time.
        StoreRefused: It does not let us in, or is a node of a cluster.
        StoreTooOld: It lacks commands Loa needs.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            info = await redis.info("server")
            break
        except NoPermissionError:
            return None
        except (BusyLoadingError, RedisConnectionError, RedisTimeoutError) as error:
            # On a Unix socket redis-py wraps the server's refusal into one more error.
            if isinstance(error, AuthenticationError) or isinstance(error.__cause__, AuthenticationError):
                raise StoreRefused(address, f"{_plain(error)}; check redis.username and redis.password") from None
            if time.monotonic() >= deadline:
                raise StoreUnreachable(address, _plain(error)) from None
        except ResponseError as error:
            raise StoreRefused(address, str(error)) from None
        except RedisError as error:
            raise StoreUnreachable(address, _plain(error)) from None
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    if info.get("redis_mode") == "cluster":
        raise StoreRefused(address, "it is a node of a cluster, which this version cannot use; name a single server")
    server = recognise(info)
    if server is not None and server.too_old:
        raise StoreTooOld(address, str(server), NEEDED)
    return server


def _plain(error: Exception) -> str:
    """redis-py's text without the address it repeats and its full stop."""
    text = str(error).rstrip(".")
    number = re.match(r"Error (?:-?\d+|None) connecting to \S+?\.? (?P<why>.+)$", text)
    return (number["why"] if number else text) or type(error).__name__
