"""The opening handshake, in plain calls."""

from __future__ import annotations

import sys
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import handshake
from gateway.errors import Refusal
from gateway.handshake import Upgrade, page_path, page_section
from tests.gateway.conftest import ACCEPT, KEY, ORIGIN, upgrade


def refused(head: bytes) -> Refusal:
    """The refusal of this head."""
    with pytest.raises(Refusal) as caught:
        handshake.read(head, 64)
    return caught.value


def test_the_example_of_the_rfc() -> None:
    answer = handshake.accept(KEY.encode())
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert f"\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n".encode() in answer


def test_what_is_asked_for() -> None:
    query = "site=demo&path=%2Ftin&section=a&visitor=v1.x&since=a.7&watch=1&tests=1&more=1"
    asked = handshake.read(upgrade(query, more=("X-Forwarded-For: 203.0.113.7", "x-forwarded-for: 10.0.0.1")), 64)
    assert (asked.site, asked.path, asked.section) == ("demo", "/tin", "a")
    assert (asked.visitor, asked.since, asked.watching, asked.tests) == ("v1.x", "a.7", True, True)
    assert (asked.key, asked.origin, asked.forwarded_for) == (KEY.encode(), ORIGIN, "203.0.113.7,10.0.0.1")


def test_what_is_not_asked_for() -> None:
    asked = handshake.read(upgrade("", origin=None), 64)
    assert (asked.site, asked.path, asked.section) == ("", "/", "")
    assert (asked.visitor, asked.since, asked.watching, asked.tests) == ("", "", False, False)
    assert (asked.origin, asked.forwarded_for) == ("", "")


@pytest.mark.parametrize(
    ("head", "status", "reason"),
    [
        (b"", 400, "malformed"),
        (b"\r\n\r\n", 400, "malformed"),
        (b"GET /ws HTTP/1.1\r\n", 400, "malformed"),
        (b"\x16\x03\x01\r\n\r\n", 400, "malformed"),
        (upgrade(http="3"), 400, "malformed"),
        (upgrade(http="2.0"), 400, "malformed"),
        (upgrade(http="1.0"), 400, "malformed"),
        (upgrade(method="BREW"), 400, "malformed"),
        (upgrade(host=None), 400, "malformed"),
        (upgrade(more=(" folded: line",)), 400, "malformed"),
        (upgrade(method="POST"), 405, "method"),
        (upgrade(connection="close"), 426, "no-upgrade"),
        (upgrade(upgrade="websocket, h2c"), 426, "no-upgrade"),
        (upgrade(more=("Upgrade: websocket",)), 426, "no-upgrade"),
        (upgrade(version="14"), 426, "version"),
        (upgrade(key=""), 400, "key"),
        (upgrade(key=KEY[:-3] + "B=="), 400, "key"),
        (upgrade(more=("X: a",) * 59), 431, "headers"),
    ],
)
def test_refused(head: bytes, status: int, reason: str) -> None:
    refusal = refused(head)
    assert (refusal.status, refusal.reason) == (status, reason)
    assert str(refusal).startswith(f"{status} {reason}: ")


@pytest.mark.parametrize(
    "host",
    ["a", "portal.example.vn", "portal.example.vn:8080", "PORTAL.example.vn.", "trang_tin.example.vn", "xn--tin-1na.vn",
     "127.0.0.1:80", "[::1]", "[2001:db8::1]:8080", "[::ffff:192.0.2.1]", "a:", "a \t"],
)  # fmt: skip
def test_a_host(host: str) -> None:
    assert handshake.read(upgrade(host=host), 64).site == "demo"


@pytest.mark.parametrize(
    "host",
    ["", " ", ":80", "a b", "a,b", "a/b", "a?b", "a@b", "http://a", "a:b", "a:80:80", "a:999999", "::1", "[::1", "[a",
     "[]", "[::1]a", "[::1]:a", "thông-tin.vn", "a\tb"],
)  # fmt: skip
def test_no_host(host: str) -> None:
    refusal = refused(upgrade(host=host))
    assert (refusal.status, refusal.reason) == (400, "malformed")


@given(st.binary(max_size=200))
def test_any_bytes_are_an_upgrade_or_a_refusal(head: bytes) -> None:
    refused(head)


@given(st.integers(0, len(upgrade()) - 1), st.integers(0, 255))
def test_an_upgrade_with_a_wrong_byte_is_an_upgrade_or_a_refusal(position: int, byte: int) -> None:
    head = bytearray(upgrade())
    head[position] = byte
    try:
        asked = handshake.read(bytes(head), 64)
    except Refusal:
        return
    assert asked.path.startswith("/")


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_query_is_decoded_as_browsers_encode_it(site: str, since: str) -> None:
    site, since = (text.encode("utf-8", "ignore").decode() for text in (site, since))
    asked = Upgrade(b"", "", "", f"site={quote(site, safe='')}&since={quote(since, safe='')}&site=later".encode())
    assert (asked.site, asked.since) == (site, since)


@given(st.text(max_size=600))
def test_a_path_is_kept_clean_and_short(text: str) -> None:
    kept = page_path(text)
    assert kept in (text, "")
    assert kept.startswith("/") or not kept
    assert kept.isprintable() or not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in kept)
    assert len(kept.encode("utf-8", "replace")) <= 512


@pytest.mark.parametrize(
    ("text", "kept"),
    [("thoi-su", "thoi-su"), ("thời_sự", "thời_sự"), ("", ""), ("a b", ""), ("a/b", ""), ("a" * 64, "a" * 64),
     ("a" * 65, ""), ("a\n", "")],
)  # fmt: skip
def test_a_section_is_a_name_or_nothing(text: str, kept: str) -> None:
    assert page_section(text) == kept


@pytest.mark.parametrize("length", [128, 129, 5000])
def test_tokens_are_cut(length: int) -> None:
    asked = Upgrade(b"", "", "", b"visitor=" + b"a" * length + b"&since=" + b"b" * length)
    assert (asked.visitor, asked.since) == ("a" * 128, "b" * 128)


@pytest.mark.parametrize(("keep", "parts"), [(page_path, ["/made", "/up"]), (page_section, ["made", "-up"])])
def test_a_place_is_one_string_for_all_who_are_there_and_kept_for_nobody(
    keep: Callable[[str], str], parts: list[str]
) -> None:
    one, other = "".join(parts), "".join(parts)
    assert one is not other
    assert keep(one) is keep(other)
    # Interned strings may live for ever; had `keep` interned one, this would be it.
    assert sys.intern(other) is other


def test_places_that_are_made_up_do_not_pile_up() -> None:
    for number in range(5000):
        page_path(f"/{number}")
        page_section(f"{number}")
    held = handshake._shared.cache_info()
    assert held.currsize == held.maxsize
