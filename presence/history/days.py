"""Days of a site as they are shown: visits and page views, and how many readers there were at a time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import NamedTuple

from presence.days import Day, day_at
from presence.history.books import Numbers
from presence.history.series import Point


class DayPoint(NamedTuple):
    """One local day; None where nothing is known.

    Attributes:
        date: In ISO 8601.
        visits, views: Readers, each once, and page views.
        peak, mean: Readers at a time: the most, and the mean of its hours.
    """

    date: str
    visits: int | None
    views: int | None
    peak: int | None
    mean: float | None


def days_between(zone: tzinfo, from_ms: int, to_ms: int) -> list[Day]:
    """The days of `zone` that a span touches, the oldest first; `to_ms` is not in it."""
    found = []
    at_ms = from_ms
    while at_ms < to_ms:
        day = day_at(zone, at_ms)
        found.append(day)
        at_ms = day.ends_ms
    return found


def day_points(days: Iterable[Day], numbers: Mapping[str, Numbers], hours: Iterable[Point]) -> list[DayPoint]:
    """Each day with what is known of it; an hour belongs to the day in which it begins."""
    measured = sorted(hour for hour in hours if hour.peak is not None)
    found = []
    for day in days:
        peaks, means = list[int](), list[float]()
        for at_ms, peak, mean in measured:
            if day.starts_ms <= at_ms < day.ends_ms and peak is not None and mean is not None:
                peaks.append(peak)
                means.append(mean)
        known = numbers.get(day.name, Numbers(0, 0) if peaks else None)
        found.append(
            DayPoint(
                day.name,
                known.visits if known is not None else None,
                known.views if known is not None else None,
                max(peaks) if peaks else None,
                round(sum(means) / len(means), 2) if means else None,
            )
        )
    return found
