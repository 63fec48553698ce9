"""The close codes are documented as they are."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.closing import MEANINGS, CloseCode

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"


def test_the_documented_table_is_the_table() -> None:
    section = PROTOCOL.read_text("utf-8").partition("## Close codes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    assert rows == [
        (str(int(code)), code.name, meaning.says, meaning.return_after) for code, meaning in MEANINGS.items()
    ]


def test_every_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(CloseCode)
