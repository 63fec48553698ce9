"""How many and how fast: connections per address, and a token bucket.

Pure arithmetic; the time is an argument. Memory grows with the addresses that hold a connection now, not with those
that ever did.
"""

from __future__ import annotations


class ConnectionsPerAddress:
    """Counts open connections of one kind under each limit key."""

    __slots__ = ("_limit", "_open")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[str, int] = {}

    def take(self, key: str) -> bool:
        """Counts one more connection under `key`, which has no limit if it is empty.

        Returns:
            False, and nothing is counted, if there are as many as there may be.
        """
        if not key:
            return True
        count = self._open.get(key, 0)
        if count >= self._limit:
            return False
        self._open[key] = count + 1
        return True

    def release(self, key: str) -> None:
        """Counts one connection less; what `take` let in must be released once."""
        if not key:
            return
        count = self._open.get(key, 0)
        if count > 1:
            self._open[key] = count - 1
        else:
            self._open.pop(key, None)


class TokenBucket:
    """Lets `burst` through at once and `rate` a second on average."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Takes one token; False if there is none.

        Args:
            now: Seconds of a clock that does not go back.
        """
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    @property
    def retry_after_seconds(self) -> float:
        """How long until there is a token again, counted from the last `take`."""
        return max(0.0, (1.0 - self._tokens) / self._rate)
