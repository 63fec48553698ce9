"""What a worker has yet to tell the store of its announcements' reach.

Sums are told whole, each time; names of readers are told once and kept for ten seconds, in case the store loses the end
of what it has acknowledged, which the number of the write it has shows. Ten seconds after the last news all is told
once more, since without another write nobody would notice.

Pure: times are arguments, in milliseconds of any one clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from notifications.reach.sums import REVISIONS, Revisions, Sums, encode

DEEDS = ("rendered", "clicked", "dismissed")
# In one script: names, some 2 ms of the store, and announcements.
MOST_NAMES = 10_000
MOST_ENTRIES = 64
# While the store is away, 60 bytes each; readers beyond are not counted.
MOST_WAITING = 500_000
# A store that writes to disk every second loses two at most; a replica that takes over may be some behind.
KEEP_MS = 10_000

# By deed.
Names: TypeAlias = dict[str, set[bytes]]


class Entry(NamedTuple):
    """What the store is told of one announcement.

    Attributes:
        id: Which.
        field: Under what name this worker's sums are kept.
        number: Of the write, one more each time.
        payload: The sums.
        ends_ms: When the announcement ends.
        names: Of readers that did something, since the write before.
        news: False if it is only told again, lest the store has lost it.
    """

    id: str
    field: str
    number: int
    payload: bytes
    ends_ms: int
    names: Names
    news: bool


class _Record(Struct):
    """Of one announcement: what is told of it, and up to which write the store has it."""

    field: str
    ends_ms: int
    sums: Revisions = {}
    names: Names = {}
    number: int = 0
    acknowledged: int = 0


class Outbox:
    """Of one run of a worker.

    Args:
        run: Names this run among all.

    Attributes:
        dropped: Readers that were not counted since too many waited for the store.
    """

    def __init__(self, run: str) -> None:
        self.dropped = 0
        self._run = run
        self._opened = 0
        self._records: dict[str, _Record] = {}
        # In the order in which they are written, and whether there is news of them.
        self._dirty: dict[str, bool] = {}
        self._kept: deque[tuple[int, str, Names]] = deque()
        self._settle: deque[tuple[int, str]] = deque()
        self._waiting = 0

    def open(self, id: str, ends_ms: int) -> None:
        """From now on there may be news of an announcement, which ends then."""
        record = self._records.get(id)
        if record is None:
            # One that was closed before has sums under another name, which must stay.
            self._opened += 1
            self._records[id] = _Record(f"{self._run}.{self._opened}", ends_ms)
        else:
            record.ends_ms = ends_ms

    def close(self, id: str) -> bool:
        """There will be no more; False if what there was is not written yet."""
        if id in self._dirty:
            return False
        del self._records[id]
        return True

    def sums(self, id: str, revision: int) -> Sums:
        """Those of a revision, which are about to change."""
        self._dirty[id] = True
        sums = self._records[id].sums
        found = sums.get(revision)
        if found is None:
            found = sums[revision] = Sums()
            for old in sorted(sums)[:-REVISIONS]:
                del sums[old]
        return found

    def note(self, id: str, deed: str, name: bytes) -> None:
        """A reader did something."""
        names = self._records[id].names.setdefault(deed, set())
        if name not in names:
            if self._waiting >= MOST_WAITING:
                self.dropped += 1
                return
            names.add(name)
            self._waiting += 1
        self._dirty[id] = True

    def take(self, now_ms: int, most: int = MOST_NAMES) -> list[Entry]:
        """What to tell the store now, at most so many names; :meth:`done` or :meth:`failed` is to follow."""
        while self._settle and self._settle[0][0] <= now_ms:
            _, id = self._settle.popleft()
            if id in self._records:
                self._dirty.setdefault(id, False)
        entries = []
        for id in list(islice(self._dirty, MOST_ENTRIES)):
            if most <= 0:
                break
            record = self._records[id]
            news = self._dirty.pop(id)
            names = _taken(record.names, most)
            taken = sum(map(len, names.values()))
            most -= taken
            self._waiting -= taken
            if any(record.names.values()):
                self._dirty[id] = True
            record.number += 1
            payload = encode(record.number, record.sums)
            entries.append(Entry(id, record.field, record.number, payload, record.ends_ms, names, news))
        return entries

    def done(self, entries: Sequence[Entry], before: Sequence[int], now_ms: int) -> None:
        """The store has taken these; it had the write of the number `before` of each, 0 if none."""
        while self._kept and self._kept[0][0] + KEEP_MS < now_ms:
            self._kept.popleft()
        for entry, had in zip(entries, before, strict=True):
            record = self._records.get(entry.id)
            if record is not None and record.field == entry.field:
                if had < record.acknowledged:
                    # It has lost the end of what it had: the sums are right again, and these names may be missing.
                    for _, id, names in self._kept:
                        if id == entry.id:
                            self._put_back(id, record, names)
                record.acknowledged = entry.number
            if entry.names:
                self._kept.append((now_ms, entry.id, entry.names))
            if entry.news:
                self._settle.append((now_ms + KEEP_MS, entry.id))

    def failed(self, entries: Sequence[Entry]) -> None:
        """The store has not answered: it is told again."""
        for entry in entries:
            record = self._records.get(entry.id)
            if record is not None:
                self._put_back(entry.id, record, entry.names)
                self._dirty[entry.id] = self._dirty[entry.id] or entry.news

    @property
    def idle(self) -> bool:
        """Whether there is nothing new to tell."""
        return not any(self._dirty.values())

    def _put_back(self, id: str, record: _Record, names: Mapping[str, set[bytes]]) -> None:
        for deed, some in names.items():
            waiting = record.names.setdefault(deed, set())
            new = some - waiting
            waiting |= new
            self._waiting += len(new)
        self._dirty[id] = self._dirty.get(id, False) or bool(names)


def _taken(names: Names, most: int) -> Names:
    """At most so many, which are taken out."""
    taken: Names = {}
    for deed, waiting in names.items():
        some = {waiting.pop() for _ in range(min(most, len(waiting)))}
        if some:
            taken[deed] = some
            most -= len(some)
    return taken
