"""What is made of the acknowledgements: one row a figure. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.acks import Acks
from benchmarks.figures import Row

COMMANDS = 20.0
# A fan-out is measured from outside, on a machine that does other things too.
UNCHANGED = 1.25
# Of the number of readers that have seen it: three standard errors of a HyperLogLog.
ERROR = 0.025


def rows(measured: Sequence[Acks]) -> list[Row]:
    """Those of each run."""
    return [row for one in measured for row in _of(one)]


def _of(one: Acks) -> list[Row]:
    what = f"{one.readers:,} acknowledgements in 5 s"
    off = abs(one.counted - one.readers) / one.readers
    return [
        _row(f"{what}: store commands sent", "a second", one.sent, f"at most {COMMANDS:.0f}", one.sent <= COMMANDS),
        _row(f"{what}: and called by scripts", "a second", one.inside),
        _row(f"{what}: the worker", "% of a core", 100 * one.worker_share),
        _row(f"{what}: pages measured", "pages", one.measured, f"all {one.readers:,}", one.measured == one.readers),
        _row(f"{what}: readers counted", "readers", one.counted, f"within {100 * ERROR:g} %", off <= ERROR),
        _row("fan-out p50, none acknowledge", "ms", 1000 * one.alone_p50_seconds),
        _row("fan-out p50 while they do", "ms", 1000 * one.with_p50_seconds),
        _row("fan-out p99, none acknowledge", "ms", 1000 * one.alone_p99_seconds),
        _row("fan-out p99 while they do", "ms", 1000 * one.with_p99_seconds),
        _row("fan-out, worker's processor, none acknowledge", "ms", 1000 * one.alone_worker_seconds),
        _row("fan-out, worker's processor while they do", "ms", 1000 * one.with_worker_seconds),
        _row("fan-out p99, the one over the other", "", one.slower, f"at most {UNCHANGED:g}", one.slower <= UNCHANGED),
    ]


def _row(figure: str, unit: str, measured: float, target: str = "", reached: bool | None = None) -> Row:
    return Row(figure=figure, unit=unit, measured=measured, target=target, reached=reached, rounds=[measured])
