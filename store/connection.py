"""Connections to Redis, made the one way that is safe with redis-py.

What it promises, and why it is not left to each room:

- A pool that waits for a free connection instead of failing when all are in use.
- One quick retry after a lost connection and none after a timeout. A command may therefore run twice: everything
  Loa sends must be idempotent.
- RESP2 and no push messages: the same answers from Redis 6.2 to Valkey 9, under any ACL. Maintenance
  notifications are off.
- Bytes in, bytes out.

A cancelled command drops its connection, so a room does its I/O in a task of its own that nobody cancels midway.
A cluster (``redis+cluster://``) is for leases alone: its client waits for no connection and knows no blocking reads.

A command that blocks (``XREAD BLOCK``) needs a connection whose read timeout is longer than the block, or None.
"""

from __future__ import annotations

import time
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.maint_notifications import MaintNotificationsConfig

from store.clustered import Clustered
from store.sentinel import LedConnection, LedTlsConnection, Sentinels
from store.settings import RedisSettings
from store.urls import CLUSTER_SCHEMES, address

# Long enough for a restarted embedded store to be listening again, short enough for a person not to notice.
_RETRY_SECONDS = 0.1
# For each node. It opens one where none is free, and refuses beyond this many; more than readers can ask at a time.
_CLUSTER_CONNECTIONS = 256
_CLUSTER_RETRIES = 3
_NEVER_SHOWN = frozenset({"password", "ssl_password", "username"})


class Pool(BlockingConnectionPool):
    """A pool that counts how often somebody had to wait for a connection.

    Attributes:
        waits: How often all were in use.
        waited_seconds: How long that took altogether.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.waits = 0
        self.waited_seconds = 0.0

    async def get_connection(self, *args: Any, **options: Any) -> Any:
        """As its parent."""
        if self.can_get_connection():
            return await super().get_connection(*args, **options)  # type: ignore[no-untyped-call]
        began_at = time.monotonic()
        try:
            return await super().get_connection(*args, **options)  # type: ignore[no-untyped-call]
        finally:
            self.waits += 1
            self.waited_seconds += time.monotonic() - began_at


def connect(
    settings: RedisSettings,
    url: str,
    *,
    connections: int = 4,
    read_timeout_seconds: float | Literal["command"] | None = "command",
    name: str = "loa",
) -> Redis:
    """Returns a client; it connects with its first command. Whoever made it closes it (``await client.aclose()``).

    Args:
        settings: Timeouts and credentials.
        url: Where; credentials in it win over those of the settings.
        connections: At most so many at a time; a further command waits its turn. Of a cluster, see below.
        read_timeout_seconds: How long to wait for an answer; None for ever; ``"command"``:
            as ``redis.command_seconds`` says.
        name: What ``CLIENT LIST`` shows.
    """
    timeout = settings.command_seconds if read_timeout_seconds == "command" else read_timeout_seconds
    options: dict[str, Any] = {
        "username": settings.username or None,
        "password": settings.password or None,
        "protocol": 2,
        "client_name": name,
        "driver_info": None,
        "decode_responses": False,
        "socket_connect_timeout": settings.connect_seconds,
        "socket_timeout": timeout,
        "retry": Retry(ConstantBackoff(_RETRY_SECONDS), 1, supported_errors=(RedisConnectionError,)),
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    if urlsplit(url).scheme in CLUSTER_SCHEMES:
        return _cluster(options, url)
    options.update(parse_url(url))
    if settings.sentinels:
        _lead(options, settings)
    pool = Pool(max_connections=connections, timeout=settings.command_seconds, **options)
    return Redis.from_pool(pool)


def _cluster(options: dict[str, Any], url: str) -> Redis:
    """A client of a cluster. It takes commands whose keys are all in one slot, and no pipelines of scripts."""
    given = parse_url(url.replace("+cluster", "", 1))
    secure = given.pop("connection_class", None) is SSLConnection
    given.pop("db", None)
    # Errors of one node are tried again by asking the cluster anew who leads now: a few times, and then it is away.
    options["retry"] = Retry(ConstantBackoff(_RETRY_SECONDS), _CLUSTER_RETRIES)
    client = Clustered(
        **{**options, **given},
        ssl=secure,
        max_connections=_CLUSTER_CONNECTIONS,
        require_full_coverage=False,
        # A slot that has moved is noted where it is now. Else it would close all connections, also those in use, for
        # every fifth answer that says so.
        reinitialize_steps=0,
    )
    # It has the commands of the other, which is all that rooms use, and no common type to say so.
    return cast(Redis, client)


def _lead(options: dict[str, Any], settings: RedisSettings) -> None:
    """Makes `options` those of connections that ask the sentinels where to go."""
    secure = options.get("connection_class") is SSLConnection
    tls = {name: value for name, value in options.items() if name.startswith("ssl_")}
    asking = {
        "username": settings.sentinel_username or None,
        "password": settings.sentinel_password or None,
        "protocol": 2,
        "socket_connect_timeout": settings.connect_seconds,
        "socket_timeout": settings.connect_seconds,
        "driver_info": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        "ssl": secure,
        **tls,
    }
    options["sentinels"] = Sentinels([address(one) for one in settings.sentinels], options.pop("host"), asking)
    options["connection_class"] = LedTlsConnection if secure else LedConnection


def without_password(url: str) -> str:
    """`url` as it may be shown and written down."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    user = parts.username or ""
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key not in _NEVER_SHOWN])
    shown = urlunsplit((parts.scheme, f"{user}@{host}" if user else host, parts.path, query, ""))
    # urlunsplit writes unix:/path where it was unix:///path.
    return shown.replace("unix:/", "unix:///", 1) if shown.startswith("unix:/") and "://" not in shown else shown
