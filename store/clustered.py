"""A client of a Redis Cluster that fails as the client of one server does.

redis-py raises ``RedisClusterException`` where no server of a cluster can be reached, or none has the slot. It is no
``RedisError``, which is what rooms reckon with; to them it is the same as a server that is away.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio.cluster import RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisClusterException


class Clustered(RedisCluster):
    """As its parent, but for the errors."""

    async def initialize(self, *args: Any, **options: Any) -> RedisCluster:
        """As its parent.

        Raises:
            redis.exceptions.ConnectionError: No server can be reached, or they do not agree on who they are.
        """
        try:
            return await super().initialize(*args, **options)
        except RedisClusterException as error:
            raise RedisConnectionError(_plain(error)) from error

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """As its parent.

        Raises:
            redis.exceptions.ConnectionError: No server that can be reached has the slot of the keys.
        """
        # Before it knows the cluster, redis-py sends a command to any server; of many at once most are told to go
        # elsewhere, and for every few of those it closes all connections, the others' too.
        await self.initialize()
        try:
            return await super().execute_command(*args, **options)
        except RedisClusterException as error:
            raise RedisConnectionError(_plain(error)) from error
        except AttributeError as error:
            # When it learns the cluster's shape anew, as after a time-out, redis-py closes all connections, also one
            # that another call has taken and not written to yet: that one has no writer any more.
            raise RedisConnectionError("the connection was closed under way") from error


def _plain(error: RedisClusterException) -> str:
    """What is behind it, where that says more: "at least one reachable node" is no cause."""
    return str(error.__cause__ or error)


def clustered(redis: object) -> Clustered | None:
    """The client of a cluster that `redis` is, though rooms know it as one of a server; None where it is no such."""
    return redis if isinstance(redis, Clustered) else None
