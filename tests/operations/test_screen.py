from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from operations.figures import WorkerFigures, WorkerReport
from operations.hour import Event, Hour, Look, Node
from operations.screen import duration, number, said, screen, spark


def node(reasons: list[str], restarts: int = 0, **figures: Any) -> Node:
    hour = Hour()
    for at in (1_767_261_600.0, 1_767_261_610.0):
        worker = WorkerReport(0, 4711, not reasons, restarts, WorkerFigures(online={"demo": 5716}, **figures))
        seen = Look(at=at, workers=[worker], store_failure="", store_restarts=0, reasons=reasons)
        hour.keep(seen)
    return hour.node(seen, "may-1", "9.9")


def printed(node: Node, width: int = 100) -> str:
    console = Console(width=width, record=True, force_terminal=False, file=io.StringIO())
    console.print(screen(node))
    return console.export_text()


def test_shows_the_node_its_workers_sites_and_events() -> None:
    text = printed(node([], sessions={"demo": 6000}, resident_bytes=121_000_000))
    for part in ("Loa 9.9 on may-1  ready", "5,716", "6,000", "4711", "121 MB", "demo 5,716", "Loa started"):
        assert part in text


def test_says_why_it_is_not_ready_and_takes_nothing_for_markup() -> None:
    text = printed(node(["worker 0: [bold]x[/bold]"]))
    assert "NOT READY" in text
    assert "worker 0: [bold]x[/bold]" in text


@pytest.mark.parametrize("width", [20, 40, 300])
def test_fits_any_terminal(width: int) -> None:
    assert max(map(len, printed(node([]), width).splitlines())) <= width


def test_bars_are_against_the_highest() -> None:
    assert spark([0, 1, 4, 8, None, 0.001]) == " ▁▄█·▁"
    assert spark([0, 0]) == "  "
    assert spark([]) == ""


def test_numbers() -> None:
    assert [number(0), number(2.5), number(1234567), number(3)] == ["0", "2.5", "1,234,567", "3"]
    assert [duration(0.0012), duration(0.25), duration(2)] == ["1.20 ms", "250 ms", "2.0 s"]


def test_events_are_sentences() -> None:
    assert said(Event(at=0, kind="store_lost", text="does not answer")) == "Redis did not answer: does not answer"
    assert said(Event(at=0, kind="worker_restarted", worker=3)) == "worker 3 ended and was replaced"
