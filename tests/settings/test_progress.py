from __future__ import annotations

import pytest

from settings.progress import progress


def test_says_nothing_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as display:
        display.update(display.add_task(""), description="5 keys")
    assert capsys.readouterr() == ("", "")
