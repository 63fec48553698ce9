"""A site's local days: where they begin and end, in milliseconds since the epoch.

Days follow each other without a gap or an overlap, whatever clocks do at midnight: a midnight that is skipped begins
the day at the skip, one that comes twice begins it the first time, and a date nobody lived through is left out.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple


class Day(NamedTuple):
    """One local day: its date in ISO 8601, its first millisecond, and the first of the next."""

    name: str
    starts_ms: int
    ends_ms: int


def day_at(zone: tzinfo, at_ms: int) -> Day:
    """The day of `zone` in which `at_ms` (milliseconds since the epoch) falls."""
    today = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).date()
    # Clocks that go back across midnight show yesterday's date once more: the day has begun all the same.
    while _midnight(zone, _after(today)) <= at_ms:
        today = _after(today)
    return Day(today.isoformat(), _midnight(zone, today), _midnight(zone, _after(today)))


def _after(day: date) -> date:
    return day + timedelta(days=1)


def _midnight(zone: tzinfo, day: date) -> int:
    # fold=0: the first of two midnights; for one that is skipped, the moment of the skip (PEP 495).
    moment = datetime(day.year, day.month, day.day, tzinfo=zone)
    return round(moment.timestamp() * 1000)
