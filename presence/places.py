"""Where on a site readers are: sections and pages, as many as one worker keeps count of, and no more.

Browsers name the places they are at, so anybody can make up any number of them. Each costs a key in Redis and a
little memory here; therefore a worker keeps at most so many of a site, and at most so many that came up from one
address. Readers beyond are counted for the site as a whole only. A place that everybody has left is kept for as long as
its leases may last, so that a browser that runs through a million made-up pages does not get a new key for each.

Pure: `now` is an argument, in seconds of any steady clock.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal, TypeAlias

from msgspec import Struct

Kind: TypeAlias = Literal["section", "page"]


class Place(Struct, gc=False, eq=False):
    """One section or page with readers on this worker.

    It refers to nothing that could refer back to it, so the collector need not know of it.

    Attributes:
        kind: What it is.
        name: A section's name, or a page's path.
        opened_by: The address whose browser came first; empty if it is exempt from limits.
        readers: Readers of this worker that are here, however many tabs each has.
        watchers: Tabs of this worker that show its number.
        online: Readers over all workers, as last counted; None until then.
        pushed: What the watchers were told last.
        pushed_at: When.
        empty_at: When the last reader left; 0 while there are any.
    """

    kind: Kind
    name: str
    opened_by: str
    readers: int = 0
    watchers: int = 0
    online: int | None = None
    pushed: int | None = None
    pushed_at: float = float("-inf")
    empty_at: float = 0.0

    @property
    def shown(self) -> int | None:
        """The number browsers see: never fewer than are here, whose leases may still be on their way."""
        return self.online if self.online is None or self.online >= self.readers else self.readers


class Places:
    """The places of one site on one worker.

    Args:
        most: Places kept at a time.
        most_per_address: Of these, such as came up from one address.

    Attributes:
        watchers: Tabs that show the number of a place; one that shows two counts twice.
        refused: Times a reader's place was not kept, as there were too many.
    """

    __slots__ = ("_empty", "_most", "_most_per_address", "_opened", "_places", "_watched", "refused", "watchers")

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._places: dict[tuple[Kind, str], Place] = {}
        self._opened: Counter[str] = Counter()
        # In the order they emptied; one that filled again meanwhile is passed over.
        self._empty: deque[tuple[float, Place]] = deque()
        self._watched: dict[Place, None] = {}
        self.watchers = 0
        self.refused = 0

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places.values())

    def get(self, kind: Kind, name: str) -> Place | None:
        """The place, if it is kept."""
        return self._places.get((kind, name))

    def enter(self, kind: Kind, name: str, address: str) -> Place | None:
        """A reader has come to a place; None if it is nowhere, or nowhere that is kept count of."""
        if not name:
            return None
        place = self._places.get((kind, name))
        if place is None:
            if len(self._places) >= self._most or (address and self._opened[address] >= self._most_per_address):
                self.refused += 1
                return None
            place = self._places[kind, name] = Place(kind, name, address)
            if address:
                self._opened[address] += 1
        place.readers += 1
        place.empty_at = 0.0
        return place

    def leave(self, place: Place, now: float) -> None:
        """A reader has gone from a place."""
        place.readers -= 1
        if not place.readers:
            place.empty_at = now
            self._empty.append((now, place))

    def forget(self, before: float) -> None:
        """Gives up the places that have been empty since `before`."""
        empty = self._empty
        while empty and empty[0][0] <= before:
            at, place = empty.popleft()
            if place.empty_at != at or self._places.get((place.kind, place.name)) is not place:
                continue
            del self._places[place.kind, place.name]
            if place.opened_by:
                self._opened[place.opened_by] -= 1
                if not self._opened[place.opened_by]:
                    del self._opened[place.opened_by]

    def watch(self, place: Place) -> None:
        """A tab shows the number of a place."""
        place.watchers += 1
        self.watchers += 1
        self._watched[place] = None

    def unwatch(self, place: Place) -> None:
        """It does so no more."""
        place.watchers -= 1
        self.watchers -= 1
        if not place.watchers:
            del self._watched[place]
            # What nobody counts is not known.
            place.online = place.pushed = None

    @property
    def watched(self) -> Iterable[Place]:
        """The places whose number some tab shows."""
        return self._watched.keys()

    def to_count(self, most: int) -> list[Place]:
        """The watched places whose turn it is to be counted; each has its turn as often as the others."""
        turn = [*islice(self._watched, most)]
        if len(turn) < len(self._watched):
            for place in turn:
                del self._watched[place]
                self._watched[place] = None
        return turn
