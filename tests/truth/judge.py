"""Holds what the workers said against the model, and says each number that was wrong: when, by how much, and what had
happened around it. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.truth.history import STORE, History
from tests.truth.model import Model, Promise
from tests.truth.segments import STATES, Number

AROUND_SECONDS = 3.0
# In how many steps the use of the bounds is measured.
SHARES = 20


class Observation(NamedTuple):
    """What a worker said.

    Attributes:
        asked, answered: It was true at some moment between these.
        worker: Who said it.
        number: Of what.
        value: The number.
        stale: Whether it was marked so.
        by: ``api`` where it was asked for it, ``push`` where a browser was told.
    """

    asked: float
    answered: float
    worker: int
    number: Number
    value: int | None
    stale: bool
    by: str


class Violation(NamedTuple):
    """A number that broke the promise."""

    observation: Observation
    least: int
    most: int
    truth: int
    around: tuple[str, ...]

    def told(self, began: float) -> str:
        """For people; times are seconds since the run `began`."""
        one = self.observation
        name = f"{one.number.kind} {one.number.name}".strip()
        head = (
            f"{one.answered - began:8.2f} s  worker {one.worker} ({one.by}): {name} = {one.value}, "
            f"allowed {self.least} to {self.most}, true {self.truth}"
        )
        return "\n".join([head, *(f"      {line}" for line in self.around)])


class Verdict(NamedTuple):
    """What came of one run.

    Attributes:
        judged: Numbers held against the model.
        stale: Numbers passed over, since they were marked stale.
        settled: Numbers of which only one value was allowed.
        widened: Numbers that were within what is allowed only since somebody had stood still.
        errors: How far the numbers judged were from what they mean, by kind: error → how often.
        open_errors: How far they were from the readers with a page open, likewise: these are fewer by those in grace.
        violations: Those not allowed.
    """

    judged: int
    stale: int
    settled: int
    widened: int
    errors: dict[str, Counter[int]]
    open_errors: dict[str, Counter[int]]
    violations: list[Violation]


def judge(history: History, promise: Promise, observations: Iterable[Observation]) -> Verdict:
    """Judges every observation of a run."""
    model, strict = Model(history, promise), Model(history, promise, stalled=False)
    judged = stale = settled = widened = 0
    errors: dict[str, Counter[int]] = {}
    open_errors: dict[str, Counter[int]] = {}
    violations = []
    for one in observations:
        if one.stale:
            stale += 1
            continue
        judged += 1
        least, most = allowed(model, one)
        truth = model.truth(one.number).at(one.answered)
        if one.value is None or not least <= one.value <= most:
            violations.append(Violation(one, least, most, truth, tuple(around(history, one.asked, one.answered))))
            continue
        kind = "state" if one.number.kind in STATES else one.number.kind
        open_errors.setdefault(kind, Counter())[one.value - truth] += 1
        errors.setdefault(kind, Counter())[one.value - model.meant(one.number).at(one.answered)] += 1
        settled += least == most
        sure, possible = allowed(strict, one)
        widened += not sure <= one.value <= possible
    return Verdict(judged, stale, settled, widened, errors, open_errors, violations)


def allowed(model: Model, one: Observation) -> tuple[int, int]:
    """The lowest and the highest value that an observation may have."""
    lower, upper = model.expectation(one.number, one.worker)
    return lower.least(one.asked, one.answered), upper.most(one.asked, one.answered)


def lateness(history: History, promise: Promise, observations: Iterable[Observation]) -> list[tuple[float, float]]:
    """How much of the time that the bounds leave is used: for shares of it, of how many numbers it would be enough."""
    looked_at = [one for one in observations if not one.stale and one.value is not None]
    enough = []
    for tenth in range(SHARES + 1):
        model = Model(history, promise.strained(tenth / SHARES))
        within = sum(1 for one in looked_at if _within(model, one))
        enough.append((tenth / SHARES, within / max(1, len(looked_at))))
    return enough


def _within(model: Model, one: Observation) -> bool:
    least, most = allowed(model, one)
    return one.value is not None and least <= one.value <= most


def around(history: History, began: float, done: float) -> Sequence[str]:
    """What happened shortly before, as lines for people."""
    since = began - AROUND_SECONDS
    lines = []
    for fault in history.faults:
        if fault.span.began <= done and fault.span.done >= since - AROUND_SECONDS:
            whom = "the store" if fault.worker == STORE else f"worker {fault.worker}"
            lines.append((fault.span.began, f"{fault.kind} of {whom}, {fault.span.done - fault.span.began:.2f} s long"))
    for visit in history.visits:
        who = f"reader {visit.reader} on worker {visit.worker}"
        if since <= visit.opened.began <= done:
            lines.append((visit.opened.began, f"{who} opened {visit.stays[0].place.path}"))
        if since <= visit.ended.began <= done:
            lines.append((visit.ended.began, f"{who} {visit.how.value}"))
        lines += [
            (stay.at.began, f"{who} moved to {stay.place.path}")
            for stay in visit.stays[1:]
            if since <= stay.at.began <= done
        ]
        lines += [
            (turn.at.began, f"{who} {STATES[turn.attention]}")
            for turn in visit.turns[1:]
            if since <= turn.at.began <= done
        ]
    return [f"{at - history.began:8.2f} s  {line}" for at, line in sorted(lines)]
