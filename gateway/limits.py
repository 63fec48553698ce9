"""How many and how fast: connections per address, a token bucket, and how often an address may be wrong.

Pure arithmetic; the time is an argument. Memory grows with the addresses that hold a connection now, or were wrong a
moment ago, not with those that ever did.
"""

from __future__ import annotations


class ConnectionsPerAddress:
    """Counts open connections of one kind under each limit key.

    Attributes:
        limit: How many there may be; may change at any time, and turns away nobody who is in.
    """

    __slots__ = ("_open", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._open: dict[str, int] = {}

    def take(self, key: str) -> bool:
        """Counts one more connection under `key`, which has no limit if it is empty.

        Returns:
            False, and nothing is counted, if there are as many as there may be.
        """
        if not key:
            return True
        count = self._open.get(key, 0)
        if count >= self.limit:
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
        if self.refilled(now) < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def refilled(self, now: float) -> float:
        """How many tokens there are at `now`."""
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        return self._tokens

    @property
    def retry_after_seconds(self) -> float:
        """How long until there is a token again, counted from the last `take` or `refilled`."""
        return max(0.0, (1.0 - self._tokens) / self._rate)


class MissesPerAddress:
    """Counts what is asked for under each limit key and is not there, as by who guesses.

    Args:
        rate: So many a second are overlooked.
        burst: So many at once.
    """

    __slots__ = ("_burst", "_missed", "_rate", "_tidy_at")

    # Those that are forgiven are looked for when there are so many, and then again at twice what is left.
    _TIDY = 1000

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._missed: dict[str, TokenBucket] = {}
        self._tidy_at = self._TIDY

    def __len__(self) -> int:
        return len(self._missed)

    def note(self, key: str, now: float) -> None:
        """What was asked for under `key` was not there; nothing is held against an empty key."""
        if not key:
            return
        bucket = self._missed.get(key)
        if bucket is None:
            if len(self._missed) >= self._tidy_at:
                self._missed = {one: kept for one, kept in self._missed.items() if kept.refilled(now) < self._burst}
                self._tidy_at = max(self._TIDY, 2 * len(self._missed))
            bucket = self._missed[key] = TokenBucket(self._rate, self._burst)
        bucket.take(now)

    def wait_seconds(self, key: str, now: float) -> float:
        """Until something may be asked for under `key` again that may not be there; 0: now."""
        bucket = self._missed.get(key)
        return 0.0 if bucket is None or bucket.refilled(now) >= 1.0 else bucket.retry_after_seconds
