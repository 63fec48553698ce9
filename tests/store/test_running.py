from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from settings.commandline import Deployment, Failure
from store import runfile
from store.runfile import RunFile
from store.running import running


class NoSettings(msgspec.Struct):
    """These commands read none."""


def test_the_service_of_a_data_directory_is_found(tmp_path: Path) -> None:
    left = RunFile(pid=os.getpid(), public_url="http://127.0.0.1:1", ops_url="", redis_url="unix:///x")
    runfile.write(tmp_path, left)
    assert running(Deployment(NoSettings(), None, tmp_path)) == left


def test_that_there_is_none_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"no service runs on .*; start it with 'loa serve', or name another"):
        running(Deployment(NoSettings(), None, tmp_path))
