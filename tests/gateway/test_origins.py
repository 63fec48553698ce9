"""Which pages may connect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.origins import Origins


@pytest.mark.parametrize(
    ("pattern", "origin", "allowed"),
    [
        ("https://portal.example.vn", "https://portal.example.vn", True),
        ("https://portal.example.vn", "HTTPS://Portal.Example.VN", True),
        ("https://portal.example.vn", "http://portal.example.vn", False),
        ("https://portal.example.vn", "https://portal.example.vn:8443", False),
        ("https://portal.example.vn", "https://portal.example.vn.evil.example", False),
        ("https://portal.example.vn", "https://evil.example/https://portal.example.vn", False),
        ("https://portal.example.vn", "https://portal-example.vn", False),
        ("https://portal.example.vn", "https://portal.example.vn\n", False),
        ("https://portal.example.vn", "https://user@portal.example.vn", False),
        ("https://portal.example.vn", "null", False),
        ("https://portal.example.vn", "", False),
        ("https://portal.example.vn:8443", "https://portal.example.vn:8443", True),
        ("https://portal.example.vn:8443", "https://portal.example.vn", False),
        ("https://*.example.vn", "https://portal.example.vn", True),
        ("https://*.example.vn", "https://a.b.example.vn", True),
        ("https://*.example.vn", "https://example.vn", False),
        ("https://*.example.vn", "https://evilexample.vn", False),
        ("https://*.example.vn", "https://evil/.example.vn", False),
        ("https://*.example.vn", "https://evil.example?.example.vn", False),
        ("http://localhost:*", "http://localhost", True),
        ("http://localhost:*", "http://localhost:8080", True),
        ("http://localhost:*", "http://localhost:", False),
        ("http://localhost:*", "http://localhost:8080.evil.example", False),
        ("http://localhost:*", "http://localhost.evil.example", False),
        ("http://127.0.0.1:*", "http://127.0.0.1:1", True),
        ("http://[::1]:*", "http://[::1]:8080", True),
    ],
)
def test_a_pattern(pattern: str, origin: str, allowed: bool) -> None:
    assert Origins([pattern]).allow(origin) is allowed


def test_any_of_several_and_none_of_none() -> None:
    origins = Origins(["https://a.example", "https://b.example"])
    assert origins.allow("https://a.example")
    assert origins.allow("https://b.example")
    assert not origins.allow("https://a.examplehttps://b.example")
    assert not Origins([]).allow("")


@pytest.mark.parametrize(
    "pattern",
    ["", "*", "null", "portal.example.vn", "ftp://a", "https://", "https://a/", "https://a b", "https://*", "https://a.*",
     "https://*a.example", "https://a:port", "https://a:999999", "https://a|b", "https://(a)", "https://a\n"],
)  # fmt: skip
def test_not_a_pattern(pattern: str) -> None:
    with pytest.raises(ValueError, match="is not an origin pattern"):
        Origins([pattern])


@given(st.from_regex(r"[a-z0-9.-]{0,20}", fullmatch=True))
def test_a_star_stands_for_whole_labels_only(prefix: str) -> None:
    allowed = Origins(["https://*.example.vn"]).allow(f"https://{prefix}example.vn")
    assert not allowed or prefix.endswith(".")
