from __future__ import annotations

from typing import Any

import pytest

from operations.settings import ServerSettings


@pytest.mark.parametrize(
    "section",
    [{}, {"certificate": "c.pem", "private_key": "k.pem"}, {"public_url": "https://loa.example.vn/loa"}],
)
def test_what_goes_together_is_taken(section: dict[str, Any]) -> None:
    ServerSettings(**section)


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ({"certificate": "c.pem"}, "go together"),
        ({"private_key": "k.pem"}, "go together"),
        ({"public_url": "loa.example.vn"}, "public_url"),
        ({"public_url": "ws://loa.example.vn"}, "public_url"),
        ({"public_url": "https://loa.example.vn/?a=b"}, "public_url"),
    ],
)
def test_contradictions_are_refused(section: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ServerSettings(**section)
