from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from operations.descriptors import Descriptors, allowed


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_counts_what_is_open() -> None:
    before = Descriptors().open()
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(5)]
    try:
        assert Descriptors().open() == before + 5
    finally:
        for one in opened:
            os.close(one)


def test_lists_them_seldom_where_the_kernel_does_not_say(tmp_path: Path) -> None:
    now = 100.0
    place = tmp_path / "fd"
    place.mkdir()

    class Unsaid(Descriptors):
        def _said(self) -> int:
            return 0

    found = Unsaid(place, clock=lambda: now)
    (place / "0").touch()
    (place / "1").touch()
    assert found.open() == 1
    (place / "2").touch()
    assert found.open() == 1
    now += 11
    assert found.open() == 2


def test_a_system_that_does_not_say_is_no_error(tmp_path: Path) -> None:
    assert Descriptors(tmp_path / "nowhere").open() == 0


def test_tells_how_many_there_may_be() -> None:
    assert allowed() >= 0
