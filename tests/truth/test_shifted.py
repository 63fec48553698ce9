"""A clock that is put wrong is wrong for everything that asks the time, from then on, and for nothing that measures."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

from tests.truth.nodes import SHIFTED

_ASK = """
import sys, time, datetime
for _ in sys.stdin:
    now = datetime.datetime.now(datetime.UTC).timestamp()
    print(time.time(), time.time_ns() / 1e9, now, time.monotonic(), flush=True)
"""


def test_it_jumps_while_the_process_runs(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_bytes(struct.pack("<d", 0.0))
    environment = {**os.environ, "PYTHONPATH": str(SHIFTED), "TRUTH_CLOCK": str(clock)}
    with subprocess.Popen(
        [sys.executable, "-c", _ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        before = _ask(process)
        with clock.open("r+b") as file:
            file.write(struct.pack("<d", 3600.0))
        after = _ask(process)
    *jumped, steady = [second - first for first, second in zip(before, after, strict=True)]
    # Each clock is read by itself, and a busy machine may stand still in between.
    assert all(abs(jump - 3600.0 - steady) < 60 for jump in jumped)
    assert steady < 600


def _ask(process: subprocess.Popen[str]) -> list[float]:
    assert process.stdin is not None
    assert process.stdout is not None
    print(file=process.stdin, flush=True)
    return [float(word) for word in process.stdout.readline().split()]
