"""Histories for tests of the model and the judge, written by hand."""

from __future__ import annotations

from math import inf

from tests.truth.history import Fault, History, How, Place, Stay, Turn, Visit
from tests.truth.model import Promise
from tests.truth.spans import Span

FRONT = Place("/", "")
NEWS = Place("/thoi-su/1", "thoi-su")
SPORT = Place("/the-thao/1", "the-thao")

PROMISE = Promise(
    join=1.4,
    leave=4.0,
    vanish=7.0,
    lost_worker=4.3,
    move=4.3,
    turn=5.4,
    freshness=7.0,
    renew=1.0,
    lease=3.0,
    grace=1.5,
    batch=0.1,
    count=0.3,
)


def visit(
    reader: int,
    opened: float,
    ended: float = inf,
    how: How = How.CLOSED,
    *,
    worker: int = 0,
    place: Place = FRONT,
    attention: int = 0,
) -> Visit:
    """One connection; every act takes no time."""
    at = Span(opened, opened)
    return Visit(
        reader,
        worker,
        at,
        [Stay(at, place)],
        [Turn(at, attention)],
        Span(ended, ended),
        How.OPEN if ended == inf else how,
    )


def moved(one: Visit, at: float, place: Place) -> Visit:
    """It goes to another page."""
    one.stays.append(Stay(Span(at, at), place))
    return one


def turned(one: Visit, at: float, attention: int) -> Visit:
    """Its reader turns to it, or away from it."""
    one.turns.append(Turn(Span(at, at), attention))
    return one


def history(*visits: Visit, faults: tuple[Fault, ...] = (), stalls: dict[int, list[Span]] | None = None) -> History:
    """All that happened."""
    return History(list(visits), list(faults), stalls or {}, 0.0, 1000.0)
