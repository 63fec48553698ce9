from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from operations.page.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Chart, Point, ceiling, draw


def drawn(*values: float | None, whole: bool = False) -> Chart:
    """A point every ten seconds, the last of them at the right edge of a minute."""
    points = [Point(60.0 - 10 * (len(values) - 1 - place), value) for place, value in enumerate(values)]
    return draw(
        points, until=60.0, seconds=60.0, period_seconds=10.0, label="{:g}".format, clock="at {:g}".format, whole=whole
    )


def test_goes_from_edge_to_edge() -> None:
    chart = drawn(0, 4, 0, 4, 0, 4, 8)
    assert chart.line.startswith(f"M{LEFT} {HEIGHT - BOTTOM}L")
    assert chart.line.endswith(f"L{WIDTH - RIGHT} {TOP}")
    assert chart.area.endswith(f"L{WIDTH - RIGHT} {HEIGHT - BOTTOM}L{LEFT} {HEIGHT - BOTTOM}Z")
    assert [row.label for row in chart.rows] == ["0", "4", "8"]
    assert [column.label for column in chart.columns] == ["at 0", "at 30", "at 60"]


def test_what_was_not_measured_is_a_gap_and_a_lonely_value_a_dot() -> None:
    chart = drawn(1, 2, None, 3, None, 4, 5)
    assert len(re.findall("M", chart.line)) == 2
    assert len(chart.dots) == 1
    assert chart.last == Point(60.0, 5)


def test_nobody_looked_for_a_while_is_a_gap() -> None:
    points = [Point(0.0, 1), Point(10.0, 1), Point(50.0, 1), Point(60.0, 1)]
    chart = draw(points, until=60.0, seconds=60.0, period_seconds=10.0, label=str, clock=str)
    assert len(re.findall("M", chart.line)) == 2


def test_extremes_are_told_with_their_times() -> None:
    chart = drawn(5, 1, 9, 9, 2)
    assert (chart.least, chart.most, chart.last) == (Point(30.0, 1), Point(50.0, 9), Point(60.0, 2))


def test_nothing_measured_is_an_empty_chart() -> None:
    chart = drawn(None, None)
    assert (chart.line, chart.area, chart.dots, chart.least, chart.most, chart.last) == ("", "", [], None, None, None)


def test_older_than_the_axis_is_left_out() -> None:
    assert drawn(100, *[1] * 7).most == Point(60.0, 1)


@pytest.mark.parametrize(
    ("most", "whole", "top"),
    [(0, False, 1), (0, True, 2), (1, True, 2), (3, True, 4), (0.03, False, 0.04), (7, True, 8), (0.9, False, 1)],
)
def test_an_axis_ends_at_a_round_number(most: float, whole: bool, top: float) -> None:
    assert ceiling(most, whole=whole) == pytest.approx(top)


@given(st.floats(1e-9, 1e15), st.booleans())
def test_an_axis_ends_above_the_highest_and_not_far(most: float, whole: bool) -> None:
    top = ceiling(most, whole=whole)
    assert most <= top * (1 + 1e-9)
    assert top <= max(2.0 * most * (1 + 1e-9), 2.0 if whole else 0.0, most + 2 if whole else 0.0)


@given(st.lists(st.none() | st.floats(0, 1e12), max_size=40), st.booleans())
@example([5e-324], False)
def test_nothing_is_drawn_outside(values: list[float | None], whole: bool) -> None:
    chart = drawn(*values, whole=whole)
    places = [tuple(map(float, one.split())) for one in re.split("[ML]", chart.line) if one.strip()]
    for x, y in [*places, *chart.dots]:
        assert LEFT - 0.1 <= x <= WIDTH - RIGHT + 0.1
        assert TOP - 0.1 <= y <= HEIGHT - BOTTOM + 0.1
