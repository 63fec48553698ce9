from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from store.datadir import DataDir
from store.errors import DataDirUnusable, StoreInUse


def test_it_is_made_private(tmp_path: Path) -> None:
    held = DataDir.claim(tmp_path / "a" / "b")
    assert held.path.stat().st_mode & 0o777 == 0o700
    held.release()


def test_a_second_service_is_told_who_holds_it(tmp_path: Path) -> None:
    held = DataDir.claim(tmp_path)
    with pytest.raises(StoreInUse, match=f"in use by process {os.getpid()};"):
        DataDir.claim(tmp_path)
    held.release()
    held.release()
    DataDir.claim(tmp_path).release()


def test_the_hold_ends_with_the_process(tmp_path: Path) -> None:
    hold = (
        "import os, pathlib, sys, time; from store.datadir import DataDir;"
        "held = DataDir.claim(pathlib.Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StoreInUse, match=f"process {other.pid};"):
            DataDir.claim(tmp_path)
        other.kill()
        other.wait()
    DataDir.claim(tmp_path).release()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataDirUnusable, match=r"data directory .*directory; make it writable or name another"):
            DataDir.claim(path)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that refuses even root")
def test_a_place_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(DataDirUnusable, match="make it writable"):
        DataDir.claim(Path("/proc/loa"))
