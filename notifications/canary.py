"""Whether what is published now reaches this worker: a tiny message of its own that goes the whole way all the time.

A canary is numbered from 1. It is published into a stream beside the log, comes back over the connection and in the
very command in which the feed hears the log, and goes through the hub as an announcement does, on a channel where
nobody is. So it is never shown, and is in no trail and no version. What it cannot show is that a browser reads.

This module keeps count of what was sent and heard. Pure: seconds of a monotonic clock are handed in.
"""

from __future__ import annotations

from bisect import bisect_left

# Upper edges of the histogram, in seconds.
CANARY_EDGES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

# Heard nothing for so long: the worker should get no readers. Six in a row are missing then.
SILENT_SECONDS = 6.0
# The store has taken one so long ago and the feed has not heard it: another connection may lead to another server.
DEAF_SECONDS = 5.0


class Canary:
    """The canaries of one worker.

    Args:
        now: When the first is about to be sent.

    Attributes:
        number: The newest that was sent.
        heard: The newest that came back.
        last_seconds: How long that took.
        failure: Why the newest could not be sent; empty if the store took it.
        buckets, seconds: The histogram of how long they took.
    """

    def __init__(self, now: float) -> None:
        self.number = 0
        self.heard = 0
        self.last_seconds = 0.0
        self.failure = ""
        self.buckets = [0] * (len(CANARY_EDGES) + 1)
        self.seconds = 0.0
        self._heard_at = now
        self._sent_at: dict[int, float] = {}
        self._taken_at: dict[int, float] = {}

    def send(self, now: float) -> int:
        """The number of the next one, which is sent now."""
        self.number += 1
        self._sent_at[self.number] = now
        return self.number

    def took(self, number: int, now: float) -> None:
        """The store has taken it."""
        self.failure = ""
        if number > self.heard:
            self._taken_at[number] = now

    def failed(self, number: int, why: str) -> None:
        """The store has not, or has not said so: if it comes all the same, it is welcome."""
        self.failure = why

    def hear(self, number: int, now: float) -> None:
        """It has come back, and those before it with it, if the stream has dropped them meanwhile."""
        if number <= self.heard:
            return
        sent_at = self._sent_at.get(number)
        if sent_at is None:
            return
        self.heard = number
        self._heard_at = now
        self.last_seconds = now - sent_at
        self.seconds += self.last_seconds
        self.buckets[bisect_left(CANARY_EDGES, self.last_seconds)] += 1
        self._sent_at = {one: at for one, at in self._sent_at.items() if one > number}
        self._taken_at = {one: at for one, at in self._taken_at.items() if one > number}

    def forgive(self) -> None:
        """The feed has begun anew: only what is taken from now on must be heard."""
        self._taken_at.clear()

    def silence_seconds(self, now: float) -> float:
        """How long none has been heard."""
        return now - self._heard_at

    def deaf(self, now: float) -> bool:
        """Whether the store has taken one a while ago, and it has not come."""
        return bool(self._taken_at) and now - next(iter(self._taken_at.values())) > DEAF_SECONDS

    def trouble(self, now: float) -> str:
        """Why this worker should get no readers; empty if it may."""
        silence = self.silence_seconds(now)
        if silence <= SILENT_SECONDS:
            return ""
        if self.failure:
            return f"the canary cannot be sent: {self.failure}"
        return f"the canary has not been heard for {silence:.0f} s: what is published does not arrive"
