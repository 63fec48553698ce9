"""What time it is by the store's clock, which is the one that all nodes share."""

from __future__ import annotations

from redis.asyncio import Redis


async def now_ms(redis: Redis) -> int:
    """Unix time in milliseconds.

    Raises:
        redis.exceptions.RedisError: The store does not answer.
    """
    seconds, microseconds = await redis.time()
    return int(seconds) * 1000 + int(microseconds) // 1000
