from __future__ import annotations

from gateway.cors import preflight, readable
from tests.gateway.conftest import ORIGIN


def test_only_pages_of_allowed_origins_may_read() -> None:
    assert dict(readable(ORIGIN, True))["Access-Control-Allow-Origin"] == ORIGIN
    for origin, allowed in (("", True), ("", False), (ORIGIN, False)):
        assert readable(origin, allowed) == (("Vary", "Origin"),)


def test_only_pages_of_allowed_origins_may_send() -> None:
    assert preflight(ORIGIN, True, "POST")["Access-Control-Allow-Methods"] == "POST"
    assert preflight(ORIGIN, False, "POST") == {"Vary": "Origin"}


def test_nothing_is_allowed_with_credentials() -> None:
    for lines in (dict(readable(ORIGIN, True)), preflight(ORIGIN, True, "GET")):
        assert "Access-Control-Allow-Credentials" not in lines
