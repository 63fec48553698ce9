"""The counts of one site as one worker hears them, gathered by minute.

Only counts that are believed are taken: none that is stale, none of a store that is still filling up. A minute without
any is no minute with 0 readers; it is not written at all.

Every worker gathers, and the first to write a minute has written it. One that has not heard all of a minute waits a
little, so that another that has may come first. Pure: time is Redis's, in milliseconds since the epoch.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from presence.history.series import MINUTE_MS

# Whoever has only a part of a minute leaves the others so much time.
LATE_MS = 5_000
# Minutes that wait for a store that is away; later ones take the place of the oldest.
MOST_WAITING = 60


class Minute(NamedTuple):
    """Readers in one minute.

    Attributes:
        at_ms: When it began.
        peak: Most.
        mean: Of all counts.
        whole: Whether this worker was there for all of it.
    """

    at_ms: int
    peak: int
    mean: float
    whole: bool


class Sampler:
    """Of one site."""

    __slots__ = ("_at_ms", "_count", "_peak", "_rounds", "_sum", "_waiting", "_whole")

    def __init__(self) -> None:
        self._at_ms: int | None = None
        self._whole = False
        self._rounds = 0
        self._count = 0
        self._sum = 0
        self._peak = 0
        self._waiting: deque[Minute] = deque(maxlen=MOST_WAITING)

    def observe(self, now_ms: int, rounds: int, online: int | None, stale: bool) -> bool:
        """What the gauge says now; returns whether that is a count not seen before.

        Args:
            now_ms: The time.
            rounds: How often it was counted; a count is taken once.
            online: Readers.
            stale: Whether that is to be believed no more.
        """
        minute = now_ms - now_ms % MINUTE_MS
        if minute != self._at_ms:
            # Whoever was there in the minute before is there from the beginning of this one.
            follows = self._at_ms is not None and minute == self._at_ms + MINUTE_MS
            self._seal()
            self._at_ms, self._whole = minute, follows
        if stale or online is None:
            self._whole = False
            return False
        if rounds == self._rounds:
            return False
        self._rounds = rounds
        self._count += 1
        self._sum += online
        self._peak = max(self._peak, online)
        return True

    def due(self, now_ms: int) -> Minute | None:
        """The oldest minute that is over and should be written now; it stays until it is :meth:`written`."""
        if not self._waiting:
            return None
        oldest = self._waiting[0]
        late = 0 if oldest.whole else LATE_MS
        return oldest if now_ms >= oldest.at_ms + MINUTE_MS + late else None

    def written(self) -> None:
        """The minute that was due is in the store."""
        self._waiting.popleft()

    def _seal(self) -> None:
        if self._at_ms is not None and self._count:
            self._waiting.append(Minute(self._at_ms, self._peak, self._sum / self._count, self._whole))
        self._clear()

    def _clear(self) -> None:
        self._count = self._sum = self._peak = 0
