"""Every version of the widget that was ever served, for pages that pin one.

A page that pins a version names its hash and refuses any other text, so an upgrade must not take the old text away. It
is kept in the store rather than in a directory: there all nodes have it, also the one that in a rolling upgrade still
runs the old version and is asked for the new one. A version is some 20 KB, and there is one a release; none is deleted.

The store is not trusted with what runs in portals: a text whose hash is not its name is not served.
"""

from __future__ import annotations

import hashlib

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.problems import Problem
from gateway.widget import NAME_DIGITS, Widget

log = structlog.get_logger(__name__)


class Archive:
    """The widget's versions.

    Args:
        redis: The store.
        prefix: First part of every key. ``<prefix>:widgets`` is a hash, name of a version → its text.
    """

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._key = f"{prefix}:widgets"

    async def keep(self, widget: Widget) -> None:
        """Adds the version that is served now.

        Raises:
            redis.exceptions.RedisError: The store does not answer or refuses.
        """
        await self._redis.hsetnx(self._key, widget.name, widget.script)

    async def find(self, name: str) -> bytes | None:
        """The text of a version, None if it was never served.

        Raises:
            Problem: The store cannot say.
        """
        try:
            script = await self._redis.hget(self._key, name)
        except RedisError:
            raise Problem(
                503,
                "Not known now",
                "The store, where earlier versions of the widget are, does not answer.",
                headers={"Retry-After": "5", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"},
            ) from None
        if not isinstance(script, bytes):
            return None
        if hashlib.sha256(script).hexdigest()[:NAME_DIGITS] != name:
            log.error("a version of the widget in the store is not what its name says", name=name)
            return None
        return script
