"""What came of runs: a summary for people, and JSON for the plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from tests.truth.history import HARNESS, STORE, History
from tests.truth.judge import Observation, Verdict, allowed, lateness
from tests.truth.model import Model
from tests.truth.run import Result
from tests.truth.segments import Number
from tests.truth.spans import union

# Of violations, so many are told in full.
TOLD = 12
# How finely the allowed values are written down for the plot.
BAND_SECONDS = 0.25
SITE = Number("site")


def show(result: Result, console: Console) -> None:
    """Says on the console what came of a run."""
    verdict, plan, history = result.verdict, result.plan, result.history
    console.print(
        f"seed {plan.seed}: {plan.readers} readers, {plan.workers} workers, {len(history.visits)} connections, "
        f"{len(history.faults)} faults, {history.ended - history.began:.0f} s: {verdict.judged} numbers judged, of "
        f"{verdict.settled} only one value was allowed; {verdict.stale} were marked stale",
        soft_wrap=True,
    )
    stood = ", ".join(f"{name} {lost:.1f} s" for name, lost in stood_still(history).items()) or "nobody"
    console.print(f"stood still: {stood}; {verdict.widened} numbers were right only since it did", soft_wrap=True)
    for violation in verdict.violations[:TOLD]:
        console.print(violation.told(history.began), style="red", highlight=False, markup=False, soft_wrap=True)
    if len(verdict.violations) > TOLD:
        console.print(f"… and {len(verdict.violations) - TOLD} more", style="red")
    for line in result.unsettled:
        console.print(f"never settled: {line}", style="red")
    if not result.good:
        console.print(f"A promise was broken; again with --seed {plan.seed}", style="red")


def total(verdicts: Sequence[Verdict], broken: int, console: Console) -> None:
    """Says how far numbers were from what they mean, over all runs, of which `broken` were not as promised."""
    table = Table("number", "judged", "exact", "off by 1", "off by 2 to 5", "more", "worst", title="error")
    for kind, errors in sorted(added([verdict.errors for verdict in verdicts]).items()):
        count = errors.total()
        sizes = Counter[int]()
        for error, times in errors.items():
            sizes[abs(error)] += times
        shares = [
            sum(sizes[size] for size in range(low, high + 1)) / count
            for low, high in ((0, 0), (1, 1), (2, 5), (6, max([*sizes, 6])))
        ]
        table.add_row(kind, f"{count:,}", *(f"{share:.1%}" for share in shares), str(max(sizes)))
    console.print(table)
    runs = len(verdicts)
    console.print(f"{broken} of {runs} runs broke a promise" if broken else f"{runs} of {runs} runs as promised")


def added(several: Sequence[dict[str, Counter[int]]]) -> dict[str, Counter[int]]:
    """The counts of several runs together."""
    together: dict[str, Counter[int]] = {}
    for one in several:
        for kind, errors in one.items():
            together.setdefault(kind, Counter()).update(errors)
    return together


def stood_still(history: History) -> dict[str, float]:
    """For how many seconds, by who."""
    names = {HARNESS: "harness", STORE: "store"}
    return {
        names.get(who, f"worker {who}"): sum(span.done - span.began for span in union(spans))
        for who, spans in sorted(history.stalls.items())
    }


def document(result: Result, *, series: bool) -> dict[str, Any]:
    """A run as JSON: the verdict, the errors and, with `series`, how the site's number went."""
    verdict, history = result.verdict, result.history
    written: dict[str, Any] = {
        "plan": result.plan,
        "promise": result.promise,
        "seconds": round(history.ended - history.began, 1),
        "connections": len(history.visits),
        "faults": [
            [one.kind, one.worker, round(one.span.began - history.began, 2), round(one.span.done - history.began, 2)]
            for one in history.faults
        ],
        "judged": verdict.judged,
        "settled": verdict.settled,
        "stale": verdict.stale,
        "widened": verdict.widened,
        "errors": _counted(verdict.errors),
        "open_errors": _counted(verdict.open_errors),
        "stood_still": {who: round(seconds, 2) for who, seconds in stood_still(history).items()},
        "violations": [violation.told(history.began) for violation in verdict.violations],
        "unsettled": result.unsettled,
    }
    if series:
        asked = [one for one in result.observations if one.number == SITE and one.by == "api"]
        written["lateness"] = lateness(history, result.promise, asked)
        written["series"] = _series(result, asked)
    return written


def _counted(errors: dict[str, Counter[int]]) -> dict[str, dict[str, int]]:
    return {kind: {str(error): times for error, times in sorted(one.items())} for kind, one in sorted(errors.items())}


def _series(result: Result, asked: Sequence[Observation]) -> dict[str, Any]:
    history = result.history
    model = Model(history, result.promise)
    band = []
    for step in range(int((history.ended - history.began) / BAND_SECONDS)):
        at = history.began + step * BAND_SECONDS
        values = [
            allowed(model, Observation(at, at, worker, SITE, 0, False, "")) for worker in range(result.plan.workers)
        ]
        band.append(
            [
                round(at - history.began, 2),
                min(least for least, _ in values),
                max(most for _, most in values),
                model.truth(SITE).at(at),
            ]
        )
    said = [[round(one.answered - history.began, 2), one.worker, one.value, one.stale] for one in asked]
    return {"band": band, "said": said}


def as_json(documents: Sequence[dict[str, Any]]) -> bytes:
    """The documents of all runs."""
    return msgspec.json.encode(documents)
