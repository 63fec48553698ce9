"""``python -m benchmarks --quick``: it runs against the real service and has all its rows. No time is judged here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.report import Report

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_quick_run_has_every_figure_and_leaves_nothing(tmp_path: Path) -> None:
    result, scratch = tmp_path / "result.json", tmp_path / "scratch"
    scratch.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--json", str(result)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = msgspec.json.decode(result.read_bytes(), type=Report)
    assert [row.figure for row in report.rows] == [
        "fan-out, first to last delivery",
        "fan-out, the server's own account",
        "delivery since it was asked for, p50",
        "delivery since it was asked for, p99",
        "memory per idle session",
        "handshakes, readers counted",
        "idle worker",
        "event loop held in a fan-out",
        "count wrong by",
        "crowd busy in a fan-out",
        "crowd busy in handshakes",
    ]
    assert all(row.measured > 0 for row in report.rows if row.figure not in {"count wrong by", "idle worker"})
    assert str(result) in done.stdout
    assert list(scratch.iterdir()) == []
