"""A number that changes in steps."""

from __future__ import annotations

from math import inf

from tests.truth.spans import Span
from tests.truth.steps import Steps


def test_it_is_as_many_as_hold_at_a_moment() -> None:
    steps = Steps([Span(1, 4), Span(2, inf), Span(3, 3)])
    assert [steps.at(time) for time in (0, 1, 2, 3, 4, 99)] == [0, 1, 2, 2, 1, 1]


def test_at_the_very_moment_of_a_change_both_values_are_had() -> None:
    steps = Steps([Span(1, 4), Span(2, inf)])
    assert (steps.least(4, 4), steps.most(4, 4)) == (1, 2)
    assert (steps.least(0, 9), steps.most(0, 9)) == (0, 2)
    assert (steps.least(2.5, 3), steps.most(2.5, 3)) == (2, 2)


def test_one_span_after_another_is_no_gap() -> None:
    assert Steps([Span(1, 2), Span(2, 3)]).least(1.5, 2.5) == 1
