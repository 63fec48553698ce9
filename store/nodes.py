"""The servers behind an address: one, or of a Redis Cluster all that lead.

Rooms need not know: a command goes to the server that has its key. This is for who looks at the servers themselves, at
start, for readiness, and for ``loa doctor`` and ``loa privacy``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio import Redis

from store.clustered import clustered
from store.connection import connect, without_password
from store.settings import RedisSettings


async def information(redis: Redis) -> dict[str, Mapping[str, Any]]:
    """All of INFO of each server behind a client, by ``host:port``; of one server alone, under the empty text.

    Raises:
        redis.exceptions.RedisError: One of them does not answer, or refuses.
    """
    cluster = clustered(redis)
    if cluster is None:
        return {"": await redis.info()}
    await cluster.initialize()
    return {node.name: await cluster.info(target_nodes=node) for node in cluster.get_primaries()}


@asynccontextmanager
async def each(settings: RedisSettings, url: str, name: str) -> AsyncIterator[dict[str, Redis]]:
    """A client of each server behind `url`, by its address without a password.

    Raises:
        redis.exceptions.RedisError, OSError: A cluster does not say of which servers it consists.
    """
    async with AsyncExitStack() as stack:

        def client(url: str) -> Redis:
            redis = connect(settings, url, connections=1, name=name)
            stack.push_async_callback(redis.aclose)
            return redis

        first = client(url)
        cluster = clustered(first)
        if cluster is None:
            yield {without_password(url): first}
            return
        await cluster.initialize()
        leading = [node.name for node in cluster.get_primaries()]
        yield {one: client(at_node(url, one)) for one in leading}


def at_node(url: str, node: str) -> str:
    """The address of one server, ``host:port``, of the cluster that is at `url`; with the same credentials."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(scheme=parts.scheme.partition("+")[0], netloc=f"{user}{at}{node}"))
