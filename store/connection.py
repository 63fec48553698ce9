"""Connections to Redis, made the one way that is safe with redis-py.

What it promises, and why it is not left to each room:

- A pool that waits for a free connection instead of failing when all are in use.
- One quick retry after a lost connection and none after a timeout. A command may therefore run twice: everything
  Loa sends must be idempotent.
- RESP2 and no push messages: the same answers from Redis 6.2 to Valkey 9, under any ACL. Maintenance
  notifications are off.
- Bytes in, bytes out.

A cancelled command drops its connection, so a room does its I/O in a task of its own that nobody cancels midway.
A command that blocks (``XREAD BLOCK``) needs a connection whose read timeout is longer than the block, or None.
"""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.maint_notifications import MaintNotificationsConfig

from store.settings import RedisSettings

# Long enough for a restarted embedded store to be listening again, short enough for a person not to notice.
_RETRY_SECONDS = 0.1
_NEVER_SHOWN = frozenset({"password", "ssl_password", "username"})


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
        connections: At most so many at a time; a further command waits its turn.
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
    options.update(parse_url(url))
    pool = BlockingConnectionPool(max_connections=connections, timeout=settings.command_seconds, **options)
    return Redis.from_pool(pool)


def without_password(url: str) -> str:
    """`url` as it may be shown and written down."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    user = parts.username or ""
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key not in _NEVER_SHOWN])
    shown = urlunsplit((parts.scheme, f"{user}@{host}" if user else host, parts.path, query, ""))
    # urlunsplit writes unix:/path where it was unix:///path.
    return shown.replace("unix:/", "unix:///", 1) if shown.startswith("unix:/") and "://" not in shown else shown
