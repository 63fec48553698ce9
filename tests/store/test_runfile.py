from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from store import runfile
from store.runfile import RunFile


def running(pid: int) -> RunFile:
    return RunFile(pid=pid, public_url="http://127.0.0.1:1", ops_url="", redis_url="unix:///s")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    runfile.write(tmp_path, running(os.getpid()))
    assert runfile.read(tmp_path) == running(os.getpid())
    assert (tmp_path / runfile.NAME).stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == [runfile.NAME]


def test_nothing_runs_where_there_is_no_file_or_no_directory(tmp_path: Path) -> None:
    assert runfile.read(tmp_path) is None
    assert runfile.read(tmp_path / "absent") is None


def test_a_file_left_by_a_killed_service_is_stale(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    runfile.write(tmp_path, running(gone.pid))
    assert runfile.read(tmp_path) is None


@pytest.mark.parametrize("rubbish", [b"", b"{", b'{"public_url":"\xff"}', b"[" * 100_000])
def test_rubbish_is_no_service(tmp_path: Path, rubbish: bytes) -> None:
    (tmp_path / runfile.NAME).write_bytes(rubbish)
    assert runfile.read(tmp_path) is None


def test_removing_twice_is_no_error(tmp_path: Path) -> None:
    runfile.write(tmp_path, running(os.getpid()))
    runfile.remove(tmp_path)
    runfile.remove(tmp_path)
    assert runfile.read(tmp_path) is None
