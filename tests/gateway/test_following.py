from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refusal
from gateway.following import Following, read
from tests.gateway.conftest import ORIGIN, ask

LINES = 64


@pytest.mark.parametrize(
    ("request_bytes", "keep_alive"),
    [
        (ask("poll"), True),
        (ask("poll", "site=demo", "Connection: keep-alive"), True),
        (ask("poll", "site=demo", "Connection: close"), False),
        (ask("poll", "site=demo", "Connection: keep-alive, Close"), False),
        (ask("poll", http="1.0"), False),
    ],
)
def test_whether_another_request_may_come(request_bytes: bytes, keep_alive: bool) -> None:
    asked = read(request_bytes, LINES)
    assert (asked.site, asked.origin, asked.keep_alive) == ("demo", ORIGIN, keep_alive)


@pytest.mark.parametrize(
    ("query", "session", "seen"),
    [
        ("site=demo", "", None),
        ("site=demo&session=0.x&seen=7", "0.x", 7),
        ("site=demo&session=0.x&seen=-7", "0.x", None),
        ("site=demo&session=0.x&seen=%C2%B2", "0.x", None),
        ("site=demo&session=0.x&seen=" + "9" * 5000, "0.x", None),
    ],
)
def test_what_a_poll_goes_on_with(query: str, session: str, seen: int | None) -> None:
    asked = read(ask("poll", query), LINES)
    assert (asked.session, asked.seen) == (session, seen)


def test_the_last_event_is_later_than_the_address() -> None:
    asked = read(ask("events", "site=demo&since=a.1", "Last-Event-ID: a.2"), LINES)
    assert (asked.since, asked.again) == ("a.2", True)
    asked = read(ask("events", "site=demo&since=a.1", "Last-Event-ID: " + "a" * 500), LINES)
    assert asked.since == "a" * 128
    asked = read(ask("events", "site=demo&since=a.1"), LINES)
    assert (asked.since, asked.again) == ("a.1", False)


@pytest.mark.parametrize("http", ["0.9", "2.0", "1.2"])
def test_other_versions_are_not_spoken(http: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(ask("events", http=http), LINES)
    assert refused.value.status == 400


@given(st.binary(max_size=200))
def test_whatever_the_query_it_is_read(query: bytes) -> None:
    asked = Following("1.1", query, {})
    assert asked.seen is None or asked.seen >= 0
    assert len(asked.since) <= 128
