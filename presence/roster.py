"""Which readers of one site this worker holds, and whose lease is due for renewal.

A reader is here while at least one of its sessions is; two tabs are one reader. Renewals go round a wheel: each new
reader is given the next of its slots, so they are spread evenly, and the hand passes every slot once per renewal
interval. Asking what is due costs what is due, never all that are held. A longer interval only slows the hand.

There are tens of thousands of readers: an entry is the id and a list of its tabs, about 300 bytes with its place in the
table and on the wheel. Pure: `now` is an argument, in seconds of any steady clock.
"""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from presence.places import Place

# Few and wide: what is due at once is renewed in few commands, and the fuller each, the less the store has to do. The
# readers of a slot are due together, so a wide slot makes nobody wait longer than an interval between two renewals.
SLOTS = 16


class Attention(IntEnum):
    """What a reader does with a page; of several, the least number is the reader's."""

    READING = 0
    IDLE = 1
    BACKGROUND = 2

    @classmethod
    def named(cls, name: str) -> Attention:
        """By what browsers call it; one that says nothing, or nothing we know, is reading."""
        return _ATTENTIONS.get(name, cls.READING)


_ATTENTIONS = {each.name.lower(): each for each in Attention}


class Reader(Struct, gc=False, eq=False):
    """One reader held by this worker: its id, and its open tabs.

    Reader and tabs refer to each other until the last tab is closed. The collector need not know of them: what ends a
    session ends its tabs.
    """

    id: bytes
    tabs: list[Tab]

    @property
    def attention(self) -> Attention:
        """That of the tab that has most of it; of one that has just gone, reading."""
        tabs = self.tabs
        if len(tabs) == 1:
            return tabs[0].attention
        return min((tab.attention for tab in tabs), default=Attention.READING)

    def is_at(self, place: Place) -> bool:
        """Whether any tab is."""
        return any(tab.section is place or tab.page is place for tab in self.tabs)

    @property
    def places(self) -> set[Place]:
        """All sections and pages of its tabs that are kept count of."""
        return {place for tab in self.tabs for place in (tab.section, tab.page) if place is not None}


class Tab(Struct, gc=False, eq=False):
    """One open page of a reader.

    Attributes:
        reader: Whose.
        attention: What the reader does with it.
        section, page: Where it is, if that is kept count of.
        shows: Which numbers it shows besides the site's, of ``section``, ``page`` and ``states``.
        others: Of the tab that opened a connection: the tabs that share it, by the names their browser gave them.
    """

    reader: Reader
    attention: Attention
    section: Place | None = None
    page: Place | None = None
    shows: frozenset[str] = frozenset()
    others: dict[str, Tab] | None = None


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

    def get(self, reader: bytes) -> Reader | None:
        """The entry of a reader, if it is here."""
        return self._readers.get(reader)

    def join(self, reader: bytes, attention: Attention = Attention.READING) -> tuple[Tab, bool]:
        """A tab of `reader` has opened; returns it, and whether the reader is new here."""
        entry = self._readers.get(reader)
        new = entry is None
        if entry is None:
            entry = self._readers[reader] = Reader(reader, [])
            self._wheel[self._next].append(entry)
            self._next = (self._next + 1) % SLOTS
            self.joined += 1
        tab = Tab(entry, attention)
        entry.tabs.append(tab)
        return tab, new

    def leave(self, tab: Tab) -> bool:
        """A tab has closed; returns whether it was the reader's last here."""
        entry = tab.reader
        entry.tabs.remove(tab)
        if entry.tabs:
            return False
        # Its place on the wheel is cleared when the hand comes by: finding it now would cost a search.
        del self._readers[entry.id]
        self.left += 1
        return True

    def due(self, now: float, interval_seconds: float) -> list[Reader]:
        """Whose lease is to be renewed now, each reader once per `interval_seconds`.

        However long nobody asked, each reader is due at most once.
        """
        if self._moved_at is None:
            self._moved_at = now
        passed = SLOTS * max(0.0, now - self._moved_at) / interval_seconds
        self._moved_at = now
        first = int(self._hand)
        self._hand += min(passed, float(SLOTS))
        due: list[Reader] = []
        for slot in range(first, int(self._hand)):
            here = [entry for entry in self._wheel[slot % SLOTS] if entry.tabs]
            self._wheel[slot % SLOTS] = here
            due.extend(here)
        self._hand %= SLOTS
        return due

    def everyone(self) -> list[Reader]:
        """All readers held, as they are now."""
        return list(self._readers.values())
