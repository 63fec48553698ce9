"""What each number counts: the times that tabs spent on the site, at a section, on a page, or being read.

A reader is in a number while any of its tabs is. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import inf
from typing import NamedTuple

from tests.truth.history import How, Visit
from tests.truth.spans import Span

STATES = ("reading", "idle", "background")


class Number(NamedTuple):
    """One number of the site: ``site``, ``section`` or ``page`` with its name, or a state."""

    kind: str
    name: str = ""


class Segment(NamedTuple):
    """Time that one tab spent where one number counts it; `attention` where that is what is counted."""

    reader: int
    worker: int
    opened: Span
    ended: Span
    how: How
    attention: int = 0


def by_reader(segments: Iterable[Segment]) -> Iterable[list[Segment]]:
    """Those of each reader together."""
    readers: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        readers[segment.reader].append(segment)
    return readers.values()


def segments_of(visits: Iterable[Visit], number: Number) -> Iterator[Segment]:
    """The times that tabs spent where a number of the site or a place counts them."""
    for visit in visits:
        if number.kind == "site":
            yield Segment(visit.reader, visit.worker, visit.opened, visit.ended, visit.how)
        else:
            yield from _stays(visit, number)


def as_long_as_open(visits: Iterable[Visit]) -> Iterator[Visit]:
    """The visits as a person sees them: a page whose connection was lost is open until it is connected again."""
    ordered = sorted(visits, key=lambda visit: visit.opened.began)
    for at, visit in enumerate(ordered):
        if visit.how in (How.KILLED, How.LOST):
            back = next(
                (
                    later.opened.done
                    for later in ordered[at + 1 :]
                    if later.reader == visit.reader
                    and later.opened.began >= visit.ended.began
                    and later.stays[0].place == visit.stays[-1].place
                ),
                inf,
            )
            if back < inf:
                yield replace(visit, ended=Span(back, back))
                continue
        yield visit


def _stays(visit: Visit, number: Number) -> Iterator[Segment]:
    """The times that a tab spent at one section or page."""
    since: Span | None = None
    for stay in visit.stays:
        here = (stay.place.path if number.kind == "page" else stay.place.section) == number.name
        if here and since is None:
            since = stay.at
        elif not here and since is not None:
            yield Segment(visit.reader, visit.worker, since, stay.at, How.MOVED)
            since = None
    if since is not None:
        yield Segment(visit.reader, visit.worker, since, visit.ended, visit.how)


def attentions(visits: Iterable[Visit]) -> Iterator[Segment]:
    """The times that a tab was read, idle, or away."""
    for visit in visits:
        for at, turn in enumerate(visit.turns):
            if at + 1 < len(visit.turns):
                ended, how = visit.turns[at + 1].at, How.MOVED
            else:
                ended, how = visit.ended, visit.how
            yield Segment(visit.reader, visit.worker, turn.at, ended, how, turn.attention)
