"""What one worker has seen of one site and Redis has yet to be told: page views, and readers of the day.

Views are added up, so telling Redis twice would count them twice, and the client repeats whatever was not answered. So
what is told is a *batch* with a number, the next one each time; Redis keeps the number of the last it has applied, in
the same step (``lua/apply.lua``). From this follow:

- A batch is not changed once it was sent, and is sent until it is acknowledged: twice applied is impossible, and so is
  a batch in doubt.
- One that was acknowledged is kept for a while. A store that lost the end of what it had written (a power cut, a
  failover) says by its number which batches it misses, and they are sent again.

While the store is away one batch at most is in doubt; whatever comes meanwhile waits by the day it belongs to, a
reader once a day. Pure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

# A store that writes to disk every second loses two at most; a replica that takes over may be some behind.
KEEP_SECONDS = 10.0
# So many names in one script hold Redis for a millisecond.
MOST_READERS = 2000
# Of one day, while the store is away, some 100 bytes each; visits beyond are not counted, views always are.
MOST_WAITING = 500_000


class Batch(NamedTuple):
    """What is told Redis in one step.

    Attributes:
        number: From 1, one more each time.
        day: The local day all of it belongs to, ``YYYY-MM-DD``.
        views: Page views.
        names: Readers, by their names of that day.
    """

    number: int
    day: str
    views: int
    names: tuple[bytes, ...]


class _Waiting:
    """What belongs to a day and is in no batch yet."""

    __slots__ = ("readers", "views")

    def __init__(self) -> None:
        self.views = 0
        self.readers: set[bytes] = set()


class Tally:
    """Of one site, in one run of a worker.

    Attributes:
        views: Page views since the start.
    """

    __slots__ = ("_kept", "_noted", "_number", "_queue", "_readers", "_waiting", "views")

    def __init__(self) -> None:
        self.views = 0
        self._noted = 0
        self._readers: set[bytes] = set()
        self._waiting: dict[str, _Waiting] = {}
        self._queue: deque[Batch] = deque()
        self._kept: deque[tuple[float, Batch]] = deque()
        self._number = 0

    def seen(self, reader: bytes, viewed: bool) -> None:
        """A reader is here, and has opened a page if `viewed`. Runs in a handshake: it costs nothing."""
        self._readers.add(reader)
        self.views += viewed

    def close(self, day: str, held: Iterable[bytes] = ()) -> None:
        """All that was seen since the last call belongs to `day`; `held` are readers who are here besides."""
        self._readers.update(held)
        new = self.views - self._noted
        if not new and not self._readers:
            return
        waiting = self._waiting.setdefault(day, _Waiting())
        waiting.views += new
        self._noted = self.views
        if len(waiting.readers) < MOST_WAITING:
            waiting.readers |= self._readers
        self._readers.clear()

    @property
    def idle(self) -> bool:
        """Whether all that was seen is in the store."""
        return not (self._queue or self._waiting or self._readers or self.views > self._noted)

    def next(self, names: Callable[[str, list[bytes]], Iterable[bytes]]) -> Batch | None:
        """The batch to send now, the same until it is :meth:`done`; None if there is nothing to tell.

        Args:
            names: The names of readers on a day.
        """
        if not self._queue and self._waiting:
            day, waiting = next(iter(self._waiting.items()))
            readers = [waiting.readers.pop() for _ in range(min(MOST_READERS, len(waiting.readers)))]
            self._number += 1
            self._queue.append(Batch(self._number, day, waiting.views, tuple(names(day, readers))))
            waiting.views = 0
            if not waiting.readers:
                del self._waiting[day]
        return self._queue[0] if self._queue else None

    def done(self, now: float) -> None:
        """The store has acknowledged the batch, at `now` in seconds of any steady clock."""
        self._kept.append((now, self._queue.popleft()))
        self._forget(now)

    def rewind(self, last: int, now: float) -> bool:
        """The store has none after the batch number `last`: sends again what is still kept.

        Returns:
            Whether the next batch follows `last`. If not, some are lost, and the next is to be applied all the same.
        """
        # One from long ago was not lost: the number it had is what Redis keeps no longer.
        self._forget(now)
        missing = [batch for _, batch in self._kept if batch.number > last]
        while self._kept and self._kept[-1][1].number > last:
            self._kept.pop()
        self._queue.extendleft(reversed(missing))
        return bool(self._queue) and self._queue[0].number == last + 1

    def _forget(self, now: float) -> None:
        while self._kept and self._kept[0][0] < now - KEEP_SECONDS:
            self._kept.popleft()
