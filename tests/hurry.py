"""A client of the store that soon gives up waiting: for tests of what becomes of those that do.

With a short timeout for everything, a test would also need a quick machine where the store is to answer.
"""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection


async def hurried(client: Redis, seconds: float = 0.2) -> AbstractConnection:
    """Connects, however long that takes; from then on the client waits so long for an answer, and no longer.

    Args:
        client: With one connection at a time; a second would be a patient one.
        seconds: The timeout.

    Returns:
        The connection; its `socket_timeout` makes it patient again.
    """
    pool = client.connection_pool
    connection: AbstractConnection = await pool.get_connection()
    await pool.release(connection)
    connection.socket_timeout = seconds
    return connection
