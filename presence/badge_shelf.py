"""The last badges that were made, for as long as they may be shown: a mail to a million people costs one rendering for
each look and five seconds.

Who asks for a badge that is being made waits for the same one. What is kept is bounded by its bytes, the one that was
asked for longest ago going first.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

# What an entry costs besides its picture.
_OVERHEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Made:
    """A badge as it is sent.

    Attributes:
        body: The file.
        tag: Its entity tag, without quotes; the same file has the same on every worker.
    """

    body: bytes
    tag: str

    @classmethod
    def of(cls, body: bytes) -> Made:
        """The file `body` with its tag."""
        return cls(body, hashlib.sha256(body).hexdigest()[:32])


class Shelf:
    """Keeps badges.

    Args:
        keep_seconds: How long one is good for.
        most_bytes: What all together may take.
        clock: Seconds, steady.
    """

    def __init__(self, keep_seconds: float, most_bytes: int, clock: Callable[[], float]) -> None:
        self._keep_seconds = keep_seconds
        self._most_bytes = most_bytes
        self._clock = clock
        self._kept: OrderedDict[Hashable, tuple[float, Made]] = OrderedDict()
        self._bytes = 0
        self._making: dict[Hashable, asyncio.Future[Made]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        """The badge of `key`, made by `make` if none is kept that is still good."""
        kept = self._kept.get(key)
        if kept is not None and self._clock() < kept[0]:
            self._kept.move_to_end(key)
            return kept[1]
        making = self._making.get(key)
        if making is None:
            making = asyncio.ensure_future(self._make(key, make))
            self._making[key] = making
            making.add_done_callback(lambda _: self._making.pop(key, None))
        # One that no longer waits must not take it from the others.
        return await asyncio.shield(making)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        until = self._clock() + self._keep_seconds
        made = await make()
        self._drop(key)
        self._kept[key] = (until, made)
        self._bytes += len(made.body) + _OVERHEAD_BYTES
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))
        return made

    def _drop(self, key: Hashable) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= len(kept[1].body) + _OVERHEAD_BYTES
