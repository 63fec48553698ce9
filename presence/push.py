"""When a count is pushed to browsers.

Only if it changed, and at an interval that grows with the sessions of this worker, so that telling them all costs a
tenth of a core at most however many they are. What one delivery costs is learnt from the hub's own deliveries. A
change between 0 and 1 or of ``stale`` goes at once. Pure: `now` is an argument.
"""

from __future__ import annotations

# Counts may take a tenth of a core. What is learnt is how long the writes take; what the kernel does for them later was
# measured to take up to a sixth more (`python -m benchmarks --only pushes`).
SHARE = 0.085

# Seconds per delivery assumed at first: measured on one core of 2026, the kernel's part included.
_FIRST_SECONDS = 14e-6
_LEAST_SECONDS, _MOST_SECONDS = 2e-6, 200e-6
# Broadcasts to fewer are all overhead and cost nothing that matters.
_WORTH_LEARNING = 100
_RISE = 0.1


class Pace:
    """What deliveries cost on this worker, and so how often a count may be pushed.

    What is measured is the time until the last session was written to. Whatever else the loop did meanwhile only adds
    to it, so a lower figure is believed at once, and a higher one a tenth: a storm of handshakes must not make the
    number late for those who came with it.

    Attributes:
        seconds_per_delivery: As learnt so far.
    """

    __slots__ = ("seconds_per_delivery",)

    def __init__(self) -> None:
        self.seconds_per_delivery = _FIRST_SECONDS

    def learn(self, sessions: int, seconds: float) -> None:
        """A broadcast reached `sessions` and took `seconds`."""
        if sessions < _WORTH_LEARNING:
            return
        seen = min(max(seconds / sessions, _LEAST_SECONDS), _MOST_SECONDS)
        if seen > self.seconds_per_delivery:
            seen = self.seconds_per_delivery + _RISE * (seen - self.seconds_per_delivery)
        self.seconds_per_delivery = seen

    def interval(self, sessions: int, least_seconds: float) -> float:
        """Seconds between two pushes of a site.

        Args:
            sessions: All sessions of this worker, of every site: each site is pushed once per interval.
            least_seconds: Never more often than this.
        """
        return max(least_seconds, sessions * self.seconds_per_delivery / SHARE)


class Pushes:
    """What the sessions of one site have been told.

    Attributes:
        online, stale: The last push; None before the first.
    """

    __slots__ = ("_at", "_differs", "online", "stale")

    def __init__(self) -> None:
        self.online: int | None = None
        self.stale: bool | None = None
        self._at = float("-inf")
        self._differs = False

    def greeted(self, online: int | None) -> None:
        """A welcome said `online`. If that is not what the others were told, the next push must set all right."""
        if online != self.online:
            self._differs = True

    def due(self, now: float, online: int | None, stale: bool, interval_seconds: float) -> bool:
        """Whether to push this number now; if so, it is taken as pushed."""
        news = stale is not self.stale or _turns(self.online, online)
        changed = self._differs or online != self.online
        if not news and not (changed and now - self._at >= interval_seconds):
            return False
        self.online = online
        self.stale = stale
        self._at = now
        self._differs = False
        return True


def _turns(before: int | None, after: int | None) -> bool:
    """Whether the number becomes known, or goes between none and one."""
    return before != after and (before is None or {before, after} == {0, 1})
