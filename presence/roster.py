"""Which readers of one site this worker holds, and whose lease is due for renewal.

A reader is here while at least one of its sessions is; two tabs are one reader. Renewals go round a wheel: each new
reader is given the next of its slots, so they are spread evenly, and the hand passes every slot once per renewal
interval. Asking what is due costs what is due, never all that are held. A longer interval only slows the hand.

There are tens of thousands of readers: an entry is the id and two small numbers, about 200 bytes with its place in the
table and on the wheel. Pure: `now` is an argument, in seconds of any steady clock.
"""

from __future__ import annotations

from msgspec import Struct

SLOTS = 128


class Reader(Struct, gc=False, eq=False):
    """One reader held by this worker: its id, and how many sessions it has here.

    It refers to nothing that could refer back to it, so the collector need not know of it.
    """

    id: bytes
    sessions: int = 1


class Roster:
    """The readers of one site on this worker.

    Attributes:
        joined, left: Readers that came and went since the start; a second tab is neither.
    """

    __slots__ = ("_hand", "_moved_at", "_next", "_readers", "_wheel", "joined", "left")

    def __init__(self) -> None:
        self._readers: dict[bytes, Reader] = {}
        self._wheel: list[list[Reader]] = [[] for _ in range(SLOTS)]
        self._next = 0
        self._hand = 0.0
        self._moved_at: float | None = None
        self.joined = 0
        self.left = 0

    def __len__(self) -> int:
        return len(self._readers)

    def __contains__(self, reader: bytes) -> bool:
        return reader in self._readers

    def join(self, reader: bytes) -> tuple[Reader, bool]:
        """A session of `reader` has opened; returns its entry and whether the reader is new here."""
        entry = self._readers.get(reader)
        if entry is not None:
            entry.sessions += 1
            return entry, False
        entry = self._readers[reader] = Reader(reader)
        self._wheel[self._next].append(entry)
        self._next = (self._next + 1) % SLOTS
        self.joined += 1
        return entry, True

    def leave(self, entry: Reader) -> bool:
        """A session of a reader has closed; returns whether it was the last here."""
        entry.sessions -= 1
        if entry.sessions:
            return False
        # Its place on the wheel is cleared when the hand comes by: finding it now would cost a search.
        del self._readers[entry.id]
        self.left += 1
        return True

    def due(self, now: float, interval_seconds: float) -> list[bytes]:
        """Whose lease is to be renewed now, each reader once per `interval_seconds`.

        However long nobody asked, each reader is due at most once.
        """
        if self._moved_at is None:
            self._moved_at = now
        passed = SLOTS * max(0.0, now - self._moved_at) / interval_seconds
        self._moved_at = now
        first = int(self._hand)
        self._hand += min(passed, float(SLOTS))
        due: list[bytes] = []
        for slot in range(first, int(self._hand)):
            here = [entry for entry in self._wheel[slot % SLOTS] if entry.sessions]
            self._wheel[slot % SLOTS] = here
            due.extend([entry.id for entry in here])
        self._hand %= SLOTS
        return due

    def everyone(self) -> list[bytes]:
        """All readers held, as they are now."""
        return list(self._readers)
