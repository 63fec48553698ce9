"""From when to when history is shown."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.history.series import HOUR_MS, KEPT_DAYS, STEP_MS
from presence.history.window import DAY_MS, Window, window
from presence.parameters import Refused

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


NOW = ms("2026-11-26T04:25:30Z")


def test_without_a_time_it_is_the_last_day_or_the_last_month_as_far_as_it_is_written() -> None:
    assert window("minute", "", "", HANOI, NOW) == Window(
        "minute", ms("2026-11-25T04:25:00Z"), ms("2026-11-26T04:25:00Z")
    )
    # The last minute is not written yet.
    assert window("minute", "", "", HANOI, NOW - 25_000).to_ms == ms("2026-11-26T04:24:00Z")
    # An hour is shown while it lasts.
    hours = window("hour", "", "", HANOI, NOW)
    assert (hours.from_ms, hours.to_ms) == (ms("2026-10-27T05:00:00Z"), ms("2026-11-26T05:00:00Z"))


def test_a_date_is_the_site_s_midnight_and_a_time_is_what_it_says() -> None:
    assert window("hour", "2026-11-25", "2026-11-26", HANOI, NOW) == Window(
        "hour", ms("2026-11-24T17:00:00Z"), ms("2026-11-25T17:00:00Z")
    )
    minutes = window("minute", "2026-11-25T09:30:59.5+07:00", "2026-11-25t02:31:01z", HANOI, NOW)
    assert minutes == Window("minute", ms("2026-11-25T02:30:00Z"), ms("2026-11-25T02:32:00Z"))


def test_it_is_cut_to_what_is_kept() -> None:
    minutes = window("minute", "2001-01-01", "2099-01-01", HANOI, NOW)
    assert minutes == Window("minute", ms("2026-11-12T04:25:00Z"), ms("2026-11-26T04:25:00Z"))
    past = window("minute", "2001-01-01", "2001-01-02", HANOI, NOW)
    assert past.from_ms == past.to_ms


@pytest.mark.parametrize(
    ("begin", "end", "field"),
    [
        ("yesterday", "", "from"),
        ("2026-02-30", "", "from"),
        ("2026-11-26T25:00:00Z", "", "from"),
        ("2026-11-26T04:00:00", "", "from"),
        ("2026-11-26T04:00:00 07:00", "", "from"),
        ("0001-01-01", "", "from"),
        ("9999-12-31T23:59:59-14:00", "", "from"),
        ("", "1e9", "to"),
        ("2026-11-26", "2026-11-25", "to"),
        ("2026-11-26", "2026-11-26", "to"),
        ("2027-01-01", "", "from"),
    ],
)
def test_what_is_no_time_is_refused_by_name(begin: str, end: str, field: str) -> None:
    with pytest.raises(Refused) as refused:
        window("minute", begin, end, HANOI, NOW)
    assert refused.value.field == field


@given(st.sampled_from(["minute", "hour"]), st.integers(-1000, 1000), st.integers(1, 2000))
def test_it_is_whole_minutes_or_hours_never_later_than_now(resolution: str, hours: int, length: int) -> None:
    begin = datetime.fromtimestamp((NOW + hours * HOUR_MS + 1234) / 1000, HANOI).isoformat(timespec="milliseconds")
    end_ms = NOW + (hours + length) * HOUR_MS + 1234
    end = datetime.fromtimestamp(end_ms / 1000, HANOI).isoformat(timespec="milliseconds")
    name = "minute" if resolution == "minute" else "hour"
    found = window(name, begin, end, HANOI, NOW)  # type: ignore[arg-type]  one of the two
    step = STEP_MS[found.resolution]
    assert found.from_ms % step == found.to_ms % step == 0
    assert NOW - KEPT_DAYS[found.resolution] * DAY_MS - step < found.from_ms or found.from_ms == found.to_ms
    assert found.from_ms <= found.to_ms < NOW + step
