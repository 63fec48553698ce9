"""The audit trail in the store: added to, and read from its beginning.

What an act changes of announcements is written down by ``lua/commit.lua`` itself, in the same step.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from redis.asyncio import Redis

from notifications.actor import Actor
from notifications.asking import ask
from notifications.audit import BEGINNING, Act, Line, members
from notifications.keys import Keys
from store.scripts import load

# So many entries are asked for at a time, about 2 KB each.
_PAGE = 500


class Trail:
    """The trail below `prefix`. Each method raises :class:`StoreAway` if the store does not answer."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._keys = Keys(prefix)
        self._record = redis.register_script(load("notifications", "audit", "record"))

    async def record(self, act: Act, by: Actor, about: Mapping[str, Any]) -> None:
        """Writes down what is about to be done, or has just been.

        Args:
            act: What.
            by: Who.
            about: Further members of :class:`notifications.audit.Entry`.
        """
        said = members(act, by) + b"," + msgspec.json.encode(about)[1:-1]
        await ask(self._record(keys=[self._keys.audit, self._keys.audit_head], args=[said]))

    async def last(self) -> tuple[int, str]:
        """The number and the hash of the last entry that was written; 0 if there is none."""
        seq, chain = await ask(self._redis.hmget(self._keys.audit_head, ["seq", "chain"]))
        return (int(seq), chain.decode()) if seq is not None and chain is not None else (0, BEGINNING)

    async def page(self, before: str = "", limit: int = 50) -> tuple[list[Line], str]:
        """The latest entries, the newest first, and what to give as `before` for older ones; empty at the end.

        Args:
            before: Empty for the latest of all.
            limit: So many at the most.
        """
        newest = f"({before}" if before else "+"
        page: Any = await ask(self._redis.xrevrange(self._keys.audit, max=newest, count=limit + 1))
        lines = [_line(fields) for _, fields in page]
        return lines[:limit], page[limit - 1][0].decode() if len(page) > limit else ""

    async def lines(self) -> AsyncIterator[Line]:
        """All entries, the oldest first; those that are added meanwhile may be among them."""
        after = "-"
        while True:
            page: Any = await ask(self._redis.xrange(self._keys.audit, min=after, count=_PAGE))
            for id, fields in page:
                after = f"({id.decode()}"
                yield _line(fields)
            if len(page) < _PAGE:
                return


def _line(fields: Mapping[bytes, bytes]) -> Line:
    return Line(fields.get(b"entry", b""), fields.get(b"chain", b"").decode("utf-8", "replace"))
