"""Local days tile time, whatever clocks do at midnight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.days import day_at

# Midnight is skipped (Beirut, Santiago), comes twice (Havana), or was crossed backwards at 00:01 (St. John's until
# 2011); a whole day was left out (Apia, 2011).
ZONES = [
    "Asia/Ho_Chi_Minh", "UTC", "America/Havana", "America/Santiago", "Asia/Beirut", "America/St_Johns",
    "Pacific/Apia", "Australia/Lord_Howe", "Asia/Kathmandu",
]  # fmt: skip
FROM, TO = 978_307_200_000, 2_208_988_800_000  # 2001 to 2040


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@given(st.sampled_from(ZONES), st.integers(FROM, TO))
def test_every_moment_is_in_one_day_and_days_join(zone_name: str, at_ms: int) -> None:
    zone = ZoneInfo(zone_name)
    day = day_at(zone, at_ms)
    assert day.starts_ms <= at_ms < day.ends_ms
    assert day_at(zone, day.starts_ms) == day_at(zone, day.ends_ms - 1) == day
    after = day_at(zone, day.ends_ms)
    assert after.starts_ms == day.ends_ms
    assert after.name > day.name
    assert 22.5 <= (day.ends_ms - day.starts_ms) / 3_600_000 <= 25.5


def test_the_portal_s_midnight_is_not_utc_s() -> None:
    day = day_at(ZoneInfo("Asia/Ho_Chi_Minh"), ms("2026-11-23T17:30:00+00:00"))
    assert day == ("2026-11-24", ms("2026-11-24T00:00:00+07:00"), ms("2026-11-25T00:00:00+07:00"))


@pytest.mark.parametrize(
    ("zone", "at", "name"),
    [
        ("America/St_Johns", "2010-11-07T02:30:30+00:00", "2010-11-07"),  # 00:00:30, the first time
        ("America/St_Johns", "2010-11-07T02:45:00+00:00", "2010-11-07"),  # 23:15 of the 6th once more
        ("Pacific/Apia", "2011-12-30T10:00:00+00:00", "2011-12-31"),  # the 30th never was
        ("Asia/Beirut", "2026-03-28T22:00:00+00:00", "2026-03-29"),  # 01:00, there was no midnight
    ],
)
def test_odd_midnights(zone: str, at: str, name: str) -> None:
    assert day_at(ZoneInfo(zone), ms(at)).name == name


def test_any_offset_will_do() -> None:
    soon = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
    zone = timezone(timedelta(hours=12) - timedelta(seconds=2))
    assert day_at(zone, ms(soon.isoformat())).ends_ms == ms(soon.isoformat()) + 2000
