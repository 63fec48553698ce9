"""How many readers are on certain pages now: what one worker finds among those it holds, and what all find together.

A reader may be held by several workers and must be counted once, so each tells the hashes of those it has found and
not only how many. Of very many it tells the least: hashes are spread evenly, so from how small the least are follows
how many there are (a theta sketch: Dasgupta, Lang, Rhodes, Thaler 2016; standard error ``ERROR``).

Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from heapq import nsmallest
from math import sqrt
from typing import NamedTuple

from msgspec import Struct

from gateway.globs import globs
from presence.holding import Holding
from presence.places import Place
from presence.roster import Attention, Tab

HASH_BYTES = 8
# 128 KB from each worker at most.
MOST_HASHES = 16_384
ERROR = round(1 / sqrt(MOST_HASHES), 4)
# So many readers are looked at before the loop has its turn.
AT_A_TIME = 2_000


class Asked(Struct, frozen=True, kw_only=True):
    """Whose readers are asked for; a page has to meet every condition that is set.

    Attributes:
        sites: Ids; readers of several sites are added up.
        sections: It is in one of these.
        paths: Its path is meant by one of these globs, see :mod:`gateway.globs`.
        visible: It is looked at.
    """

    sites: tuple[str, ...]
    sections: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    visible: bool = False


class Sketch(Struct, frozen=True, array_like=True):
    """A set of which hashes are known, eight bytes each, joined: all of them, or if not `whole` the least."""

    hashes: bytes
    whole: bool


class Found(Struct, frozen=True, array_like=True):
    """What a worker has found: readers, the pages they are on, and whether it keeps count of all pages."""

    readers: Sketch
    pages: Sketch
    complete: bool


class Estimate(NamedTuple):
    """How many readers are on how many pages, and whether that is exact."""

    readers: int
    pages: int
    exact: bool


class Search:
    """Looks for readers on one worker, a slice at a time.

    Args:
        asked: For whom.
        key: Of the hashes; that of one question, so that those of two cannot be linked.
    """

    def __init__(self, asked: Asked, key: bytes) -> None:
        self._asked = asked
        self._key = key
        self._sections = frozenset(asked.sections)
        self._matches = globs(asked.paths) if asked.paths else None
        # Many readers are on one page: it is looked at once.
        self._known: dict[Place, bool] = {}
        self._readers: set[bytes] = set()
        self._pages: set[bytes] = set()
        self._complete = True

    def over(self, holdings: Collection[Holding]) -> Iterator[None]:
        """Looks at the readers of these sites; comes back after each slice."""
        for holding in holdings:
            places = holding.places
            counted = (not self._asked.paths or holding.counts("page")) and (
                not self._sections or holding.counts("section")
            )
            self._complete &= counted and not (places.refused and (self._asked.paths or self._sections))
            readers = holding.roster.everyone()
            for first in range(0, len(readers), AT_A_TIME):
                for reader in readers[first : first + AT_A_TIME]:
                    meant = [tab for tab in reader.tabs if self._meets(tab)]
                    if meant:
                        self._readers.add(self._hash(holding.site, reader.id))
                    self._pages.update(
                        self._hash(holding.site, tab.page.name.encode("utf-8", "replace"))
                        for tab in meant
                        if tab.page is not None
                    )
                yield

    @property
    def found(self) -> Found:
        """What was found."""
        return Found(sketch(self._readers), sketch(self._pages), self._complete)

    def _meets(self, tab: Tab) -> bool:
        if self._asked.visible and tab.attention is Attention.BACKGROUND:
            return False
        if self._sections and (tab.section is None or tab.section.name not in self._sections):
            return False
        if self._matches is None:
            return True
        page = tab.page
        if page is None:
            return False
        known = self._known.get(page)
        if known is None:
            known = self._known[page] = self._matches(page.name)
        return known

    def _hash(self, site: str, what: bytes) -> bytes:
        named = b"%b|%b" % (site.encode(), what)
        return hashlib.blake2b(named, digest_size=HASH_BYTES, key=self._key).digest()


def sketch(hashes: Collection[bytes], most: int = MOST_HASHES) -> Sketch:
    """Of a set of hashes."""
    if len(hashes) <= most:
        return Sketch(b"".join(hashes), True)
    return Sketch(b"".join(nsmallest(most, hashes)), False)


def together(found: Collection[Found], workers: int) -> Estimate:
    """What so many workers have found of whom these have answered."""
    readers, all_readers = _size([one.readers for one in found])
    pages, all_pages = _size([one.pages for one in found])
    complete = all(one.complete for one in found) and len(found) >= workers
    return Estimate(readers, pages, complete and all_readers and all_pages)


def _size(sketches: Iterable[Sketch]) -> tuple[int, bool]:
    """How many are in any of the sets, and whether that is exact."""
    members: set[bytes] = set()
    least: bytes | None = None
    for one in sketches:
        packed = one.hashes
        hashes = [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)]
        members.update(hashes)
        if not one.whole:
            # Of what lies above, this one says nothing.
            last = max(hashes)
            least = last if least is None else min(least, last)
    if least is None:
        return len(members), True
    below = sum(one < least for one in members)
    return round(below * 2 ** (8 * HASH_BYTES) / int.from_bytes(least, "big")), False
