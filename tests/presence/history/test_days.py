"""Days as they are shown."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from presence.history.books import Numbers
from presence.history.days import DayPoint, day_points, days_between
from presence.history.series import HOUR_MS, Point

HAVANA = ZoneInfo("America/Havana")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_a_span_touches_whole_days_however_long_they_are() -> None:
    days = days_between(HAVANA, ms("2026-10-31T12:00:00-04:00"), ms("2026-11-02T05:00:00Z"))
    assert [day.name for day in days] == ["2026-10-31", "2026-11-01"]
    assert [(day.ends_ms - day.starts_ms) // HOUR_MS for day in days] == [24, 25]
    assert days_between(HAVANA, 5, 5) == []


def test_a_day_has_the_peak_and_the_mean_of_its_hours_and_what_is_not_known_is_none() -> None:
    days = days_between(HAVANA, ms("2026-10-31T12:00:00-04:00"), ms("2026-11-03T05:00:00Z"))
    begin = days[1].starts_ms
    hours = [Point(begin - HOUR_MS, 9, 9.0), Point(begin, 4, 2.0), Point(begin + HOUR_MS, 3, 1.0)]
    hours.append(Point(begin + 2 * HOUR_MS, None, None))
    assert day_points(days, {"2026-11-02": Numbers(5, 6), "2026-11-01": Numbers(1, 2)}, hours) == [
        # Somebody measured, and nobody came.
        DayPoint("2026-10-31", 0, 0, 9, 9.0),
        DayPoint("2026-11-01", 1, 2, 4, 1.5),
        DayPoint("2026-11-02", 5, 6, None, None),
    ]
    assert day_points(days[:1], {}, []) == [DayPoint("2026-10-31", None, None, None, None)]
