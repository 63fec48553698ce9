from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import instants

NOON = 1_795_755_600_000  # 2026-11-27T05:00:00Z


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2026-11-27T05:00:00Z", None),
        ("2026-11-27T12:00:00+07:00", None),
        ("2026-11-27T12:00", "Asia/Ho_Chi_Minh"),
        ("2026-11-27 12:00:00.000", "Asia/Ho_Chi_Minh"),
        ("2026-11-27T00:00-05:00", "Asia/Ho_Chi_Minh"),
    ],
)
def test_takes_an_offset_or_the_clock_on_the_wall(text: str, zone: str | None) -> None:
    assert instants.parsed(text, zone) == NOON


@pytest.mark.parametrize(
    ("text", "zone", "why"),
    [
        ("tomorrow", None, "such as"),
        ("2026-11-27", "Asia/Ho_Chi_Minh", "time of the day"),
        ("2026-11-27T12:00", None, "offset"),
        ("2026-13-27T12:00Z", None, "such as"),
        ("2026-03-29T02:30", "Europe/Berlin", "does not exist"),
        ("0001-01-01T00:00", "Asia/Ho_Chi_Minh", "calendar"),
    ],
)
def test_says_what_is_wrong(text: str, zone: str | None, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        instants.parsed(text, zone)


def test_of_a_time_that_is_twice_the_first_is_meant() -> None:
    assert instants.parsed("2026-10-25T02:30", "Europe/Berlin") == instants.parsed("2026-10-25T02:30+02:00")


@given(st.integers(0, 200_000_000_000))
def test_is_what_the_calendar_says(seconds: int) -> None:
    assert instants.parsed(datetime.fromtimestamp(seconds, UTC).isoformat()) == seconds * 1000
