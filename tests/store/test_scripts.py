from __future__ import annotations

import pytest

from store.scripts import load


def test_a_script_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.lua"):
        load("store", "nothing")
