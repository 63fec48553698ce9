"""``python -m benchmarks.ways``: it runs against the real service. No figure is judged here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_it_measures_a_way() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ways", "--readers", "20", "--way", "poll, after a page"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(r"poll, after a page +-?\d+\.\d\d KB\n", done.stdout)
