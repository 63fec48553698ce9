"""Sends this worker's canary, once a second, on a connection of its own.

Of its stream only the newest entry is kept, and all of it expires a minute after the worker has gone. Its ids are the
canary's numbers, not the store's time: a server that took over and whose clock is behind takes them all the same, and
one that is sent twice, as redis-py does after a lost connection, is there once.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from gateway.tasks import told_to_stop
from notifications.canary import Canary
from notifications.keys import Keys
from store.errors import reason

PERIOD_SECONDS = 1.0
KEPT_SECONDS = 60


class Singer:
    """Sends the canary of one worker.

    Args:
        redis: A client that nobody else uses.
        prefix: First part of every key.
        clock: Seconds, monotonic.

    Attributes:
        canary: What came of it.
        key: Its stream: one for each run of a worker.
    """

    def __init__(self, redis: Redis, prefix: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.canary = Canary(clock())
        self.key = Keys(prefix).canary(secrets.token_hex(8))
        self.clock = clock
        self._redis = redis

    async def loop(self) -> None:
        """Sends one a second until it is cancelled."""
        while not told_to_stop():
            await self.sing()
            await asyncio.sleep(PERIOD_SECONDS)

    async def sing(self) -> None:
        """Sends one."""
        number = self.canary.send(self.clock())
        pipe: Any = self._redis.pipeline(transaction=False)
        pipe.xadd(self.key, {b"n": number}, id=f"{number}-0", maxlen=1, approximate=False)
        pipe.expire(self.key, KEPT_SECONDS)
        try:
            added, kept = await pipe.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            self.canary.failed(number, reason(error))
            return
        for answer in (added, kept):
            if isinstance(answer, Exception) and not _there_already(answer):
                self.canary.failed(number, reason(answer))
                return
        self.canary.took(number, self.clock())


def _there_already(error: Exception) -> bool:
    return isinstance(error, ResponseError) and "equal or smaller" in str(error)
