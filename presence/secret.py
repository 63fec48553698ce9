"""The secret that signs readers' ids and keys their names: configured, or made once and shared through the store.

All workers and nodes must have the same one, or a reader would have a name for each. ``SET NX`` lets the first worker
that ever starts decide for all. The secret never leaves this room and is never logged.
"""

from __future__ import annotations

import secrets

from redis.asyncio import Redis

from presence.errors import SecretReplaced

SECRET_BYTES = 32


class SharedSecret:
    """Keeps this worker's secret and the store's the same.

    Args:
        redis: The store.
        prefix: First part of the key's name.
        configured: The secret from the settings; empty to share one through the store.
    """

    def __init__(self, redis: Redis, prefix: str, configured: str = "") -> None:
        self._redis = redis
        self._key = f"{prefix}:presence:secret"
        self._configured = configured
        self._secret = configured.encode()

    async def get(self) -> bytes:
        """The secret all workers share; makes one if there is none.

        Raises:
            redis.exceptions.RedisError: The store did not answer.
        """
        if not self._secret:
            self._secret = await self._agree(secrets.token_bytes(SECRET_BYTES))
        return self._secret

    async def restore(self) -> None:
        """Puts the secret back into a store that may have lost everything.

        Raises:
            SecretReplaced: Another worker was quicker, with a new one.
            redis.exceptions.RedisError: The store did not answer.
        """
        if not self._configured and await self._agree(self._secret) != self._secret:
            raise SecretReplaced

    async def _agree(self, proposed: bytes) -> bytes:
        await self._redis.set(self._key, proposed, nx=True)
        kept = await self._redis.get(self._key)
        return kept if isinstance(kept, bytes) and kept else proposed
