"""The judge lets nothing wrong pass, and nothing right fail."""

from __future__ import annotations

from tests.truth.history import STORE, Fault, History
from tests.truth.judge import Observation, judge, lateness
from tests.truth.making import PROMISE, history, visit
from tests.truth.segments import Number
from tests.truth.spans import Span

SITE = Number("site")


def said(at: float, value: int | None, *, stale: bool = False, asked: float | None = None) -> Observation:
    """Worker 1 was asked."""
    return Observation(at if asked is None else asked, at, 1, SITE, value, stale, "api")


def happened(stalls: dict[int, list[Span]] | None = None) -> History:
    """Forty readers from second 0 on, of whom one leaves at 30."""
    return history(visit(0, 0.0, 30.0), *(visit(reader, 0.0) for reader in range(1, 40)), stalls=stalls)


def test_what_is_as_promised_passes() -> None:
    right = [said(0.1, 0), said(1.0, 17), said(10.0, 40), said(31.4, 40), said(33.0, 39), said(34.1, 39)]
    verdict = judge(happened(), PROMISE, right)
    assert verdict.violations == []
    assert verdict.judged == 6
    assert verdict.settled == 3
    assert verdict.errors["site"] == {-40: 1, -23: 1, 0: 4}
    assert verdict.open_errors["site"] == {-40: 1, -23: 1, 0: 3, 1: 1}


def test_one_too_many_for_longer_than_the_bound_is_caught() -> None:
    verdict = judge(happened(), PROMISE, [said(33.9, 40), said(34.1, 40), said(60.0, 40)])
    assert [one.observation.answered for one in verdict.violations] == [34.1, 60.0]
    assert [(one.least, one.most, one.truth) for one in verdict.violations] == [(39, 39, 39)] * 2


def test_one_too_few_is_caught() -> None:
    verdict = judge(happened(), PROMISE, [said(1.3, 39), said(1.5, 39), said(10.0, 39), said(31.0, 39)])
    assert [one.observation.answered for one in verdict.violations] == [1.5, 10.0, 31.0]


def test_one_that_comes_and_goes_for_a_moment_is_caught() -> None:
    verdict = judge(happened(), PROMISE, [said(10.0 + tenth / 10, 41 if tenth == 5 else 40) for tenth in range(10)])
    assert [one.observation.answered for one in verdict.violations] == [10.5]


def test_no_number_at_all_is_caught_and_a_stale_one_is_passed_over() -> None:
    verdict = judge(happened(), PROMISE, [said(10.0, None), said(10.0, 0, stale=True), said(10.0, None, stale=True)])
    assert [one.observation.value for one in verdict.violations] == [None]
    assert (verdict.judged, verdict.stale) == (1, 2)


def test_an_answer_that_took_its_time_may_be_of_any_moment_of_it() -> None:
    assert judge(happened(), PROMISE, [said(40.0, 40, asked=33.0)]).violations == []
    assert len(judge(happened(), PROMISE, [said(40.0, 40, asked=35.0)]).violations) == 1


def test_that_a_stall_was_needed_is_said() -> None:
    verdict = judge(happened(stalls={STORE: [Span(31.0, 32.0)]}), PROMISE, [said(34.5, 40), said(35.1, 40)])
    assert verdict.widened == 1
    assert [one.observation.answered for one in verdict.violations] == [35.1]


def test_a_violation_is_told_with_what_happened_around_it() -> None:
    broken = happened()
    broken.faults.append(Fault("hang", STORE, Span(32.0, 33.0)))
    (violation,) = judge(broken, PROMISE, [said(32.5, 41)]).violations
    told = violation.told(broken.began)
    assert "32.50 s  worker 1 (api): site = 41, allowed 39 to 40, true 39" in told
    assert "reader 0 on worker 0 closed" in told
    assert "hang of the store, 1.00 s long" in told


def test_how_much_of_the_bound_was_used_is_measured() -> None:
    """It left at 30, in grace until 31.5, and might be counted until 34: at 32.7 about half of the time is used."""
    used = dict(lateness(happened(), PROMISE, [said(20.0, 40), said(32.7, 40)]))
    assert used[0.0] == used[0.45] == 0.5
    assert used[0.5] == used[1.0] == 1.0
