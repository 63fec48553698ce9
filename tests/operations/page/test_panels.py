from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from operations.figures import WorkerFigures, WorkerReport
from operations.hour import Hour, Look, Node
from operations.page.panels import FIGURES, Panels

VI = Panels("vi", ZoneInfo("Asia/Ho_Chi_Minh"))
# 10:00 UTC on 1 January 2026.
AT = 1_767_261_600.0
EN = Panels("en", ZoneInfo("UTC"))


def node() -> Node:
    hour = Hour()
    for turn in range(4):
        figures = WorkerFigures(online={"demo": 1000 * turn, "bao": 5}, sessions={"demo": 10})
        worker = WorkerReport(0, 1, True, 0, figures)
        seen = Look(at=AT + 10 * turn, workers=[worker], store_failure="", store_restarts=0, reasons=[])
        hour.keep(seen)
    return hour.node(seen, "host", "1.0")


@pytest.mark.parametrize(
    ("value", "unit", "vi", "en"),
    [
        (None, "count", "–", "–"),
        (5716, "count", "5.716", "5,716"),
        (2.5, "rate", "2,5", "2.5"),
        (0.0, "rate", "0", "0"),
        (0.00123, "seconds", "1,23 ms", "1.23 ms"),
        (0.25, "seconds", "250 ms", "250 ms"),
        (2.5, "seconds", "2,5 s", "2.5 s"),
        (121_000_000, "bytes", "121 MB", "121 MB"),
    ],
)
def test_numbers_are_written_with_their_unit(value: float | None, unit: str, vi: str, en: str) -> None:
    assert (VI.written(value, unit), EN.written(value, unit)) == (vi, en)  # type: ignore[arg-type]


def test_each_figure_has_a_panel_with_its_numbers_written_out() -> None:
    panels = {panel.key: panel for panel in VI.of_node(node())}
    assert [*panels] == [figure.key for figure in FIGURES]
    readers = panels["readers"]
    assert (readers.now, readers.least, readers.most) == ("3.005", "5", "3.005")
    assert (readers.least_at, readers.most_at) == ("17:00", "17:00")
    assert panels["fanout"].now == "–"


def test_sites_are_those_one_may_see_the_biggest_first() -> None:
    assert [(panel.title, panel.now) for panel in EN.of_sites(node(), ["bao", "demo", "other"])] == [
        ("demo", "3,000"),
        ("bao", "5"),
    ]
    assert [panel.title for panel in EN.of_sites(node(), ["bao"])] == ["bao"]
