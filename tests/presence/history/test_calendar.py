"""Days, weeks and months of a site, also where its clocks are put forward and back at midnight."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.history.calendar import periods

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
ZONES = ["Asia/Ho_Chi_Minh", "America/Havana", "America/Santiago", "Europe/Berlin", "Pacific/Apia", "Asia/Beirut"]


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_a_day_begins_at_the_site_s_midnight() -> None:
    before = periods(HANOI, ms("2026-11-26T16:59:59.999Z"))
    after = periods(HANOI, ms("2026-11-26T17:00:00Z"))
    assert (before.yesterday, before.today) == ("2026-11-25", "2026-11-26")
    assert (after.yesterday, after.today) == ("2026-11-26", "2026-11-27")


def test_a_week_begins_on_monday_and_a_month_on_its_first() -> None:
    thursday = periods(HANOI, ms("2026-11-26T12:00:00+07:00"))
    assert thursday.week == ("2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26")
    assert thursday.month[0] == "2026-11-01"
    assert len(thursday.month) == 26
    monday = periods(HANOI, ms("2026-11-23T00:00:00+07:00"))
    assert monday.week == ("2026-11-23",)
    new_year = periods(HANOI, ms("2027-01-01T00:00:00+07:00"))
    assert new_year.week == ("2026-12-28", "2026-12-29", "2026-12-30", "2026-12-31", "2027-01-01")
    assert new_year.month == ("2027-01-01",)
    assert new_year.yesterday == "2026-12-31"


@pytest.mark.parametrize(
    ("zone", "at", "today", "yesterday"),
    [
        # Havana's midnight is skipped in spring: the day begins at one o'clock.
        ("America/Havana", "2026-03-08T04:59:59Z", "2026-03-07", "2026-03-06"),
        ("America/Havana", "2026-03-08T05:00:00Z", "2026-03-08", "2026-03-07"),
        # In autumn the first hour comes twice.
        ("America/Havana", "2026-11-01T04:30:00Z", "2026-11-01", "2026-10-31"),
        ("America/Havana", "2026-11-01T05:30:00Z", "2026-11-01", "2026-10-31"),
        # Samoa had no 30 December 2011.
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31", "2011-12-29"),
    ],
)
def test_clocks_that_change_at_midnight_make_no_day_twice(zone: str, at: str, today: str, yesterday: str) -> None:
    found = periods(ZoneInfo(zone), ms(at))
    assert (found.today, found.yesterday) == (today, yesterday)


@given(
    st.sampled_from(ZONES),
    st.integers(ms("2005-01-01T00:00:00Z"), ms("2037-01-01T00:00:00Z")),
)
def test_weeks_and_months_hold_today_and_nothing_before_they_began(zone: str, at_ms: int) -> None:
    found = periods(ZoneInfo(zone), at_ms)
    today = date.fromisoformat(found.today)
    assert found.week[-1] == found.month[-1] == found.today
    assert date.fromisoformat(found.week[0]).weekday() == 0
    assert len(found.week) == today.weekday() + 1
    assert len(found.month) == today.day
    assert found.today > found.yesterday >= (today - timedelta(days=2)).isoformat()
    assert len(set(found.days)) == len(found.days)
