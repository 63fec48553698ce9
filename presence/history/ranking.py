"""Which pages may be the most read ones, though each worker sees its own readers only.

Every worker names the pages with most readers of its own, and how many the first that it left out had. From all these
lists follow the candidates, and how many readers any other page can have at most. The candidates are then counted, each
reader once over all workers; if the last that is shown has at least as many as any other can have, no page is missing.

Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from operator import attrgetter
from typing import NamedTuple

from presence.places import Place

# A worker names so many pages, four times as many as are shown: on which worker a reader is, chance decides.
NAMED = 200
# So many are counted at a time, a microsecond of Redis each.
COUNTED = 400
SHOWN = 50


_readers = attrgetter("readers")


class Shortlist(NamedTuple):
    """The pages most read on one worker.

    Attributes:
        pages: Readers of that worker by path.
        rest: How many readers there any other page has at most.
    """

    pages: dict[str, int]
    rest: int


class Candidates(NamedTuple):
    """The pages to count.

    Attributes:
        paths: Those that may have most readers first.
        rest: How many readers any other page can have at most.
    """

    paths: list[str]
    rest: int


class Ranked(NamedTuple):
    """Counted pages, most readers first.

    Attributes:
        pages: Readers by path.
        rest: How many any other page can have at most.
    """

    pages: dict[str, int]
    rest: int

    def top(self, most: int) -> Ranked:
        """The first of them."""
        rest = max([self.rest, *list(self.pages.values())[most:]])
        return Ranked(dict(list(self.pages.items())[:most]), rest)

    @property
    def complete(self) -> bool:
        """Whether no page with more readers than the last of these is missing."""
        return self.rest == 0 or (bool(self.pages) and min(self.pages.values()) >= self.rest)


class Top(NamedTuple):
    """The first pages now, how they were, and when `now` was, in milliseconds since the epoch."""

    now: Ranked
    then: Ranked | None
    at_ms: int


def shortlist(places: Iterable[Place], most: int = NAMED) -> Shortlist:
    """The pages most read on this worker."""
    # There may be ten thousand, and the loop waits: nothing is made of those that are not taken.
    pages = (place for place in places if place.kind == "page" and place.readers)
    first = nlargest(most + 1, pages, key=_readers)
    rest = first[most].readers if len(first) > most else 0
    return Shortlist({place.name: place.readers for place in first[:most]}, rest)


def candidates(lists: Sequence[Shortlist], most: int = COUNTED) -> Candidates:
    """The pages that may have most readers over all workers."""
    unnamed = sum(one.rest for one in lists)
    # On a worker that does not name it, a page has as many as the first left out there at most.
    bounds = Counter(dict.fromkeys((path for one in lists for path in one.pages), unnamed))
    for one in lists:
        for path, readers in one.pages.items():
            bounds[path] += readers - one.rest
    first = sorted(bounds.items(), key=lambda bound: (-bound[1], bound[0]))
    rest = max(unnamed, first[most][1] if len(first) > most else 0)
    return Candidates([path for path, _ in first[:most]], rest)


def ranked(readers: Mapping[str, int], rest: int) -> Ranked:
    """Counted pages in their order; pages that everybody has left are none."""
    order = sorted(readers.items(), key=lambda one: (-one[1], one[0]))
    return Ranked({path: online for path, online in order if online}, rest)


def before(path: str, then: Ranked | None) -> int | None:
    """How many readers a page had then; None if that is not known."""
    if then is None:
        return None
    return then.pages.get(path, 0 if then.rest == 0 else None)
