"""The number of one site: what was last counted, and what readers are shown of it.

A reader is never shown fewer than the readers this worker holds itself: whoever has just come counts at once, though
its lease is still on its way, and nobody ever reads that 0 are here. When the store is away the last number stays,
marked stale with the time it was true; it never becomes 0.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.instants import rfc3339
from presence.apart import Apart

NOBODY = Apart()


class Count(NamedTuple):
    """A number with its time.

    Attributes:
        online: Readers of the site; None until it was counted once.
        as_of: When that was true, RFC 3339 in UTC with milliseconds, by Redis's clock; None as above.
        stale: It could not be counted since.
        states: The same by what they do.
        apart: Sessions that are no readers, by the last count.
    """

    online: int | None
    as_of: str | None
    stale: bool
    states: States | None = None
    apart: Apart = NOBODY

    @property
    def raw(self) -> int | None:
        """Readers and all sessions that are none; None until it was counted once."""
        return None if self.online is None else self.online + self.apart.total


class Tally(NamedTuple):
    """Live leases of a site.

    Attributes:
        reading, idle, background: Readers by what they do; together all.
        at_ms: When they were counted, in milliseconds since the epoch by Redis's clock.
        apart: Sessions that are no readers, over all workers.
    """

    reading: int
    idle: int
    background: int
    at_ms: int
    apart: Apart = NOBODY

    @property
    def online(self) -> int:
        """All readers."""
        return self.reading + self.idle + self.background


class States(NamedTuple):
    """Readers of a site by what they do with its pages, by the last count.

    Attributes:
        reading: See a page of it, and have touched it within the last minute.
        idle: See one, and have not.
        background: Have it open, and see none.
    """

    reading: int
    idle: int
    background: int


class Gauge:
    """The last count of one site.

    Attributes:
        online: Readers by the last count, None before the first.
        states: The same by what they do.
        apart: Sessions that are no readers, over all workers.
        rounds: How often it was counted.
        stale: Whether the last count is too old to be relied on; so it is before the first.
    """

    __slots__ = ("_as_of", "_counted_at", "_key", "_members", "apart", "online", "rounds", "stale", "states")

    def __init__(self) -> None:
        self.online: int | None = None
        self.states: States | None = None
        self.apart = NOBODY
        self.rounds = 0
        self.stale = True
        self._as_of: str | None = None
        self._counted_at = 0.0
        self._key: tuple[int | None, bool, str | None] | None = None
        self._members = b""

    def counted(self, now: float, tally: Tally) -> None:
        """The store was asked and said `tally`, at `now` in seconds of our steady clock."""
        self.rounds += 1
        self.online = tally.online
        self.states = States(tally.reading, tally.idle, tally.background)
        self.apart = tally.apart
        self.stale = False
        self._counted_at = now
        self._as_of = rfc3339(tally.at_ms)

    def lost(self) -> None:
        """The store does not answer."""
        self.stale = True

    def watch(self, now: float, patience_seconds: float) -> None:
        """Marks the number stale when nothing was heard for `patience_seconds`, as when the store answers no more."""
        if now - self._counted_at > patience_seconds:
            self.stale = True

    def shown(self, held: int) -> int | None:
        """The number readers see, where this worker holds `held` of them."""
        return self.online if self.online is None or self.online >= held else held

    def count(self, held: int) -> Count:
        """All there is to say."""
        return Count(self.shown(held), self._as_of, self.stale, self.states, self.apart)

    def members(self, held: int) -> bytes:
        """The same as JSON members without braces, made anew only when it changed: it is part of every handshake."""
        key = (self.shown(held), self.stale, self._as_of)
        if key != self._key:
            self._key = key
            online, _, _ = key
            self._members = b'"online":%b,%b' % (b"null" if online is None else b"%d" % online, self.when())
        return self._members

    def when(self) -> bytes:
        """Time and state of the number as JSON members without braces, for the numbers counted with it."""
        as_of = b"null" if self._as_of is None else b'"%b"' % self._as_of.encode()
        return b'"as_of":%b,"stale":%b' % (as_of, b"true" if self.stale else b"false")
