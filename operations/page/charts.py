"""Draws how one figure went over time: an area with a line on it, two axes and their labels, and the same in words.

Pure: what it returns are coordinates and texts; ``templates/ops_charts.html`` makes an SVG of them. Nothing was
measured where a value is None: there the line is broken, and never drawn through zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

WIDTH, HEIGHT = 320, 130
LEFT, RIGHT, TOP, BOTTOM = 46, 6, 10, 22
_PARTS = 2
# Two neighbours that are further apart than so many periods have a gap between them: nobody looked meanwhile.
_GAP_PERIODS = 3
# Less is drawn as none: near the smallest floats there is no power of ten to be found.
_NOTHING = 1e-300


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a time (Unix time in seconds)."""

    at: float
    value: float | None


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: where, and what stands there."""

    place: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn, in the coordinates of a box of ``WIDTH`` by ``HEIGHT``.

    Attributes:
        line, area: Paths; empty if there is nothing to draw.
        dots: Single values with nothing on either side.
        rows: Marks of the upright axis, the lowest first.
        columns: Marks of the time axis.
        least, most, last: Of the points that have a value; None if there are none.
    """

    line: str
    area: str
    dots: list[tuple[float, float]]
    rows: list[Tick]
    columns: list[Tick]
    least: Point | None
    most: Point | None
    last: Point | None


def draw(
    points: Sequence[Point],
    *,
    until: float,
    seconds: float,
    period_seconds: float,
    label: Callable[[float], str],
    clock: Callable[[float], str],
    whole: bool = False,
) -> Chart:
    """Draws `points`.

    Args:
        points: The oldest first.
        until: Where the time axis ends.
        seconds: How long it is.
        period_seconds: Between two points, usually.
        label: How a value is written on its axis.
        clock: How a time is written.
        whole: Whether values are whole numbers, so that no mark stands between them.
    """
    begin = until - seconds
    shown = [point for point in points if begin <= point.at <= until]
    measured = [point for point in shown if point.value is not None]
    values = [point.value for point in measured if point.value is not None]
    top = ceiling(max(values, default=0.0), whole=whole)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(at: float) -> float:
        return round(LEFT + wide * (at - begin) / seconds, 1)

    def y(value: float) -> float:
        return round(TOP + high * (1 - value / top), 1)

    runs = _runs(shown, _GAP_PERIODS * period_seconds)
    drawn = [[(x(at), y(value)) for at, value in run] for run in runs]
    long = [run for run in drawn if len(run) > 1]
    line = " ".join(_path(run) for run in long)
    floor_at = y(0)
    area = " ".join(f"{_path(run)}L{run[-1][0]:g} {floor_at:g}L{run[0][0]:g} {floor_at:g}Z" for run in long)
    parts = _PARTS if top >= _PARTS or not whole else 1
    rows = [Tick(y(top * part / parts), label(top * part / parts)) for part in range(parts + 1)]
    columns = [Tick(x(begin + seconds * part / 2), clock(begin + seconds * part / 2)) for part in range(3)]
    by_value = sorted(measured, key=lambda point: (point.value or 0.0, point.at))
    return Chart(
        line=line,
        area=area,
        dots=[run[0] for run in drawn if len(run) == 1],
        rows=rows,
        columns=columns,
        least=by_value[0] if by_value else None,
        most=by_value[-1] if by_value else None,
        last=measured[-1] if measured else None,
    )


def ceiling(most: float, *, whole: bool = False) -> float:
    """The next number above `most` that is easily halved: 1, 2, 4, 6 or 8 times a power of ten; at least 2 of whole."""
    if most < _NOTHING:
        return 2.0 if whole else 1.0
    power = 10.0 ** floor(log10(most))
    found = next(step * power for step in (1, 2, 4, 6, 8, 10, 20) if step * power >= most)
    return max(2.0, 2.0 * ceil(found / 2)) if whole else found


def _runs(points: Sequence[Point], gap_seconds: float) -> list[list[tuple[float, float]]]:
    """What belongs together: values with none missing between them."""
    runs: list[list[tuple[float, float]]] = []
    before: Point | None = None
    for point in points:
        if point.value is not None:
            if before is None or before.value is None or point.at - before.at > gap_seconds:
                runs.append([])
            runs[-1].append((point.at, point.value))
        before = point
    return runs


def _path(run: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in run)
