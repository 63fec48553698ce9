"""An estimate of Redis's clock, learnt from its replies, for workers whose own clock may be wrong.

Every script returns Redis's time. Leases never depend on the estimate, only the choice of a reader's names does, and
that has a minute to spare; so the last reply is good enough, and a worker's clock need only run, not be right.
"""

from __future__ import annotations


class StoreClock:
    """Redis's time in milliseconds since the epoch, against a monotonic clock of our own in seconds."""

    __slots__ = ("_ahead",)

    def __init__(self) -> None:
        self._ahead: float | None = None

    @property
    def known(self) -> bool:
        """Whether a reply has been heard."""
        return self._ahead is not None

    def observe(self, sent: float, received: float, store_ms: int) -> None:
        """Learns from a reply that says `store_ms`, to a command sent and answered at these times of our clock."""
        self._ahead = store_ms - 1000 * (sent + received) / 2

    def at(self, now: float) -> int:
        """Redis's time at `now` of our clock.

        Raises:
            LookupError: Nothing has been heard yet.
        """
        if self._ahead is None:
            raise LookupError("no reply of the store has been heard yet")
        return round(self._ahead + 1000 * now)
