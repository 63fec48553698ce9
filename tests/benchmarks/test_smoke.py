"""``python -m benchmarks --quick``: it runs against the real service and has all its rows. No time is judged here."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from benchmarks.plot import plot
from benchmarks.report import Report

ROOT = Path(__file__).parents[2]


def run(tmp_path: Path, *arguments: str) -> Report:
    """What a quick run makes of this machine; nothing of it is left."""
    # Chromium puts a socket there, whose path must be short.
    result, scratch = tmp_path / "result.json", Path(tempfile.mkdtemp(prefix="loa-"))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--json", str(result), *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert str(result) in done.stdout
    # Which has to be empty for that.
    scratch.rmdir()
    return msgspec.json.decode(result.read_bytes(), type=Report)


@pytest.mark.slow
def test_a_quick_run_has_every_figure_and_leaves_nothing(tmp_path: Path) -> None:
    report = run(tmp_path, "--only", "worker")
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


@pytest.mark.slow
@pytest.mark.browser
def test_a_quick_run_says_how_long_announcements_take(tmp_path: Path) -> None:
    report = run(tmp_path, "--only", "announcements", "--readers", "50", "--markdown")
    assert [row.figure for row in report.rows] == [
        "announced, to the last of 50",
        "recalled, to the last of 50; limit: announced",
        "announced, to the drawn frame, p50",
        "announced, to the drawn frame, p99",
        "recalled, to the drawn frame, p50",
        "recalled, to the drawn frame, p99",
    ]
    assert all(row.measured > 0 for row in report.rows)
    assert all(row.target for row in report.rows if not row.figure.endswith("p50"))


@pytest.mark.slow
def test_a_quick_run_says_what_presence_costs(tmp_path: Path) -> None:
    sizes = ("--readers", "50", "--leases", "200", "--idle", "1")
    report = run(tmp_path, "--only", "store", "--only", "scopes", "--only", "pushes", "--markdown", *sizes)
    rows = {row.figure: row for row in report.rows}
    for figure in (
        "store, 1,000 readers at rest, commands sent",
        "a count of 200 leases, in the store",
        "a count of 200 leases that sweeps all it may, in the store",
        "store, 200 leases renewed and counted",
        "store, memory per reader, 200 leases",
        "scopes, time of a handshake",
        "scopes, memory per session",
        "counts pushed to 200 sessions, how often",
    ):
        assert rows[figure].measured > 0, figure
    assert [(cost.readers, cost.measured) for cost in report.costs] == [(200, True), (1_000_000, False)]


@pytest.mark.slow
def test_a_quick_run_says_what_acknowledgements_cost(tmp_path: Path) -> None:
    report = run(tmp_path, "--only", "acks", "--readers", "50")
    rows = {row.figure.rpartition(": ")[2]: row for row in report.rows}
    assert rows["pages measured"].measured == 50
    # Not whether the bound is kept: a HyperLogLog counts them, and of 50 it may miss two, which are more than 2.5 %.
    assert 46 <= rows["readers counted"].measured <= 50
    assert rows["and called by scripts"].measured > 0


@pytest.mark.slow
def test_a_quick_run_says_what_a_stop_and_a_restart_do(tmp_path: Path) -> None:
    report = run(tmp_path, "--only", "drain", "--readers", "100")
    rows = {row.figure.rpartition(": ")[2]: row for row in report.rows}
    assert rows["sent away with a delay"].measured == 100
    assert rows["gone"].measured > 0
    assert rows["all back"].measured > 0
    assert rows["store commands sent"].measured > 0
    assert rows["announcements meanwhile"].measured > 2
    assert (rows["missed by a reader"].measured, rows["told twice"].measured) == (0, 0)


@pytest.mark.slow
def test_a_quick_run_says_what_two_nodes_hold(tmp_path: Path) -> None:
    report = run(tmp_path, "--only", "nodes", "--readers", "100")
    rows = {row.figure.rpartition(": ")[2]: row for row in report.rows}
    assert rows["heard every announcement"].measured == 400
    assert rows["count wrong by"].measured == 0
    assert rows["scrape, the slowest of 40"].measured > 0
    assert rows["fan-out p99, scraped over not"].measured > 0
    picture = tmp_path / "nodes.svg"
    assert CliRunner().invoke(plot, [str(tmp_path / "result.json"), "--to", str(picture)]).exit_code == 0
    assert "nodes 2, workers 4" in picture.read_text("utf-8")
