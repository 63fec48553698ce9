"""Between which values each number must lie at each moment, by what happened and by what the API promises.

For every reader and every number there are spans in which it *may* be counted and spans in which it *must* be:

- from the attempt to open a page it may be, and `join` after the welcome it must be;
- after a page was closed it may be for `leave` more, after it vanished for `vanish`, after its worker was killed
  for `lost_worker`; and it must be for the grace, since turning a page is no departure;
- while its worker is frozen nobody renews its lease: it must be until the lease may lapse, may be until it has to
  have lapsed, and must be again `join` after the worker woke. What readers did meanwhile the worker hears of then.

A number must lie between how many readers must be counted and how many may be. Once nothing has happened for
`freshness` the two are the same, so the number must be exact. Where somebody stood still for x seconds, measured, every
deadline is x later (:class:`~tests.truth.spans.Stalls`); everything else is as the API states it. Numbers that are
marked stale are not promised anything; the judge passes them over. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import inf
from typing import NamedTuple

from tests.truth.history import HARNESS, STORE, History, How
from tests.truth.segments import (
    STATES,
    Number,
    Segment,
    as_long_as_open,
    attentions,
    by_reader,
    segments_of,
)
from tests.truth.spans import Span, Stalls, union, without
from tests.truth.steps import Steps

# Of renewals, how much later than the interval they may come (presence.settings).
SPARE = 1.1
# Of a write on its way, and of rounding to milliseconds.
WRITING_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What the API states and the settings say, in seconds."""

    join: float
    leave: float
    vanish: float
    lost_worker: float
    move: float
    turn: float
    freshness: float
    renew: float
    lease: float
    grace: float
    batch: float
    count: float

    def strained(self, share: float) -> Promise:
        """A promise that leaves only this share of the time for being late; the grace is none of it."""
        late = {name: share * getattr(self, name) for name in ("join", "lost_worker")} | {
            name: self.grace + share * (getattr(self, name) - self.grace)
            for name in ("leave", "vanish", "move", "turn", "freshness")
        }
        return replace(self, count=share * self.count, **late)

    @property
    def renewed(self) -> float:
        """Longest time between two renewals of one reader, as written."""
        return SPARE * self.renew + 2 * self.batch + WRITING_SECONDS


class Expectation(NamedTuple):
    """The lowest and the highest value allowed, over time."""

    lower: Steps
    upper: Steps


class Model:
    """What is expected of one run.

    Args:
        history: What happened.
        promise: What is promised.
        stalled: Whether deadlines wait where somebody stood still; without, it tells how often that was needed.
    """

    def __init__(self, history: History, promise: Promise, *, stalled: bool = True) -> None:
        self._history = history
        self._promise = promise
        self._stalled = stalled
        self._expected: dict[tuple[Number, int], Expectation] = {}
        self._truths: dict[tuple[Number, float], Steps] = {}
        self._running: dict[tuple[int, int, bool], Stalls] = {}
        self._freezes: dict[int, list[Span]] = defaultdict(list)
        self._kills: dict[int, list[Span]] = defaultdict(list)
        for fault in history.faults:
            if fault.kind == "freeze":
                self._freezes[fault.worker].append(fault.span)
            elif fault.kind == "kill":
                self._kills[fault.worker].append(fault.span)

    def expectation(self, number: Number, observer: int) -> Expectation:
        """Of `number` as worker `observer` says it."""
        key = (number, observer)
        if key not in self._expected:
            may, must = self._spans(number, observer)
            self._expected[key] = Expectation(Steps(must), Steps(may))
        return self._expected[key]

    def truth(self, number: Number) -> Steps:
        """How many readers have a page open: from the welcome until the begin of the act that ends it, also while its
        worker is frozen, and while it comes back from one that was killed."""
        key = (number, 0.0)
        if key not in self._truths:
            self._truths[key] = Steps(self._true(number, 0.0))
        return self._truths[key]

    def meant(self, number: Number) -> Steps:
        """What the number would be if everybody heard of everything at once: as the truth, and whoever closed the last
        page is counted for the grace."""
        key = (number, self._promise.grace)
        if key not in self._truths:
            self._truths[key] = Steps(self._true(number, self._promise.grace))
        return self._truths[key]

    # -- who may and who must be counted

    def _spans(self, number: Number, observer: int) -> tuple[list[Span], list[Span]]:
        if number.kind in STATES:
            return self._state_spans(STATES.index(number.kind), observer)
        may: list[Span] = []
        must: list[Span] = []
        for segments in by_reader(segments_of(self._history.visits, number)):
            may += union(span for one in segments for span in self._may(one, observer, self._last(number)))
            must += union(
                span
                for one in segments
                for span in self._must(one, observer, segments, self._promise.lease, self._first(number))
            )
        return may, must

    def _state_spans(self, level: int, observer: int) -> tuple[list[Span], list[Span]]:
        """A reader is in one state: that of the most attentive of its tabs."""
        may: list[Span] = []
        must: list[Span] = []
        turning = self._promise.turn - self._promise.leave
        first = self._first(Number(STATES[level]))
        for segments in by_reader(attentions(self._history.visits)):
            may_be: dict[int, list[Span]] = defaultdict(list)
            must_be: dict[int, list[Span]] = defaultdict(list)
            for segment in segments:
                may_be[segment.attention] += self._may(segment, observer, turning)
                must_be[segment.attention] += self._must(
                    segment, observer, segments, self._promise.grace, first, lasting=False
                )
            # From the most attentive on: while it is open whether a higher state counts, any lower one may.
            surely: list[Span] = []
            possibly: list[Span] = []
            for attention in range(level):
                surely += [left for span in union(must_be[attention]) for left in without(span, possibly)]
                possibly += may_be[attention]
            may += [left for span in union(may_be[level]) for left in without(span, surely)]
            must += [left for span in union(must_be[level]) for left in without(span, possibly)]
        return may, must

    def _first(self, number: Number) -> float:
        """What it takes beyond `join` to be in this number: all but the site's are told once a round."""
        return 0.0 if number.kind == "site" else self._promise.count

    def _last(self, number: Number) -> float:
        """What it takes beyond `leave` to be out of it."""
        return 0.0 if number.kind == "site" else self._promise.move - self._promise.leave

    def _may(self, one: Segment, observer: int, more: float) -> list[Span]:
        promise = self._promise
        deaf = self._stalls(one.worker, observer, deaf=True)
        if one.how is How.OPEN:
            end = inf
        elif one.how is How.VANISHED:
            end = deaf.reach(one.ended.done, promise.vanish + more)
        elif one.how is How.KILLED:
            end = self._stalls(one.worker, observer).reach(one.ended.done, promise.lost_worker + more)
        else:
            end = deaf.reach(one.ended.done, promise.leave + more)
        for kill in self._kills[one.worker]:
            # Killed before it could tell the store: the lease is left to lapse.
            if one.ended.began <= kill.began < end < inf and one.how is not How.KILLED:
                end = max(end, self._stalls(one.worker, observer).reach(kill.began, promise.lost_worker + more))
        gone = [
            Span(self._stalls(one.worker, observer).reach(freeze.began, promise.lost_worker + more), freeze.done)
            for freeze in self._freezes[one.worker]
            if observer != one.worker
        ]
        return without(Span(one.opened.began, end), gone)

    def _must(
        self,
        one: Segment,
        observer: int,
        others: Iterable[Segment],
        lease: float,
        more: float,
        *,
        lasting: bool = True,
    ) -> list[Span]:
        promise = self._promise
        if one.opened.done == inf:
            return []
        running = self._stalls(one.worker, observer)
        deaf = self._stalls(one.worker, observer, deaf=True)
        if one.ended.began < deaf.reach(one.opened.done, 2 * promise.batch + WRITING_SECONDS):
            # Gone before anybody was told that it had come: of that nothing is promised.
            return []
        begin = deaf.reach(one.opened.done, promise.join + more)
        kill = one.ended.began if one.how is How.KILLED else inf
        if kill < begin:
            return []
        closes = [other.ended.began for other in others if other is not one and other.worker != one.worker]
        if one.how in (How.OPEN, How.KILLED):
            end = inf
        elif lasting:
            # The grace is that of the first close where another worker's followed before it had renewed the lease.
            recent = [close for close in closes if one.ended.began - promise.renewed < close < one.ended.began]
            end = min([one.ended.began, *recent]) + promise.grace
            end -= running.within(one.ended.began - promise.lease, end)
        else:
            end = one.ended.began
        holes = [
            Span(self._lapse(untended.began, lease, closes, running), deaf.reach(untended.done, promise.join + more))
            for untended in self._untended(one.worker, running, lease, kill)
        ]
        # A lease that another worker shortened and that ours was too slow to renew.
        holes += [
            Span(close + promise.grace, deaf.reach(close + promise.grace, promise.join + more))
            for close in closes
            if close < inf and deaf.within(close - promise.renew, close + promise.grace) > self._margin
        ]
        if not lasting:
            # A cut lease looks like one that was not renewed: a lower state takes over until the next renewal.
            holes += [
                Span(close, deaf.reach(close, promise.renewed + promise.join + more)) for close in closes if close < inf
            ]
        return without(Span(begin, end), holes)

    @property
    def _margin(self) -> float:
        """How much later a renewal may come than it should, before a lease cut to the grace lapses."""
        return max(0.0, self._promise.grace - self._promise.renewed)

    def _untended(self, worker: int, running: Stalls, lease: float, kill: float) -> Iterator[Span]:
        """When nobody renewed the leases of a worker for so long that some may lapse."""
        yield from self._freezes[worker]
        for stall in running.spans:
            if stall.done - stall.began > lease - self._promise.renewed:
                yield stall
        if kill < inf:
            yield Span(kill, inf)

    def _lapse(self, since: float, lease: float, closes: Iterable[float], running: Stalls) -> float:
        """When the first lease lapses of those that nobody renews `since` then."""
        lapse = since + lease - self._promise.renewed - running.within(since - self._promise.lease, since)
        cut = [close + self._promise.grace for close in closes if close > since - self._promise.renewed]
        return max(since, min([lapse, *cut]))

    def _stalls(self, worker: int, observer: int, *, deaf: bool = False) -> Stalls:
        """Of all whom `observer` needs to know what happens at `worker`; if `deaf`, its freezes too."""
        key = (worker, observer, deaf)
        if key not in self._running:
            stalls = self._history.stalls if self._stalled else {}
            needed = [span for who in {worker, observer, STORE, HARNESS} for span in stalls.get(who, ())]
            self._running[key] = Stalls([*needed, *(self._freezes[worker] if deaf else ())])
        return self._running[key]

    def _true(self, number: Number, grace: float) -> Iterator[Span]:
        visits = as_long_as_open(self._history.visits)
        if number.kind in STATES:
            level = STATES.index(number.kind)
            for segments in by_reader(attentions(visits)):
                higher = [_kept(one, grace) for one in segments if one.attention < level]
                for span in union(_kept(one, grace) for one in segments if one.attention == level):
                    yield from without(span, higher)
            return
        for segments in by_reader(segments_of(visits, number)):
            yield from union(Span(one.opened.done, one.ended.began + grace) for one in segments)


def _kept(one: Segment, grace: float) -> Span:
    """When a reader was in a state, and for the grace if it then closed the page; a turn has none."""
    return Span(one.opened.done, one.ended.began + (0.0 if one.how is How.MOVED else grace))
