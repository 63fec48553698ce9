"""Which local days are today, yesterday, this week and this month of a site.

Weeks begin on Monday (ISO 8601), and all begin at the site's midnight, whatever its clocks do then: see
:mod:`presence.days`. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta, tzinfo
from typing import NamedTuple

from presence.days import day_at


class Periods(NamedTuple):
    """Local days as ISO 8601 dates; `week` and `month` up to and with today, the oldest first."""

    today: str
    yesterday: str
    week: tuple[str, ...]
    month: tuple[str, ...]

    @property
    def days(self) -> tuple[str, ...]:
        """All days that any of them needs, each once."""
        return tuple(dict.fromkeys((self.yesterday, *self.week, *self.month, self.today)))


def periods(zone: tzinfo, at_ms: int) -> Periods:
    """The periods of `zone` at a moment, in milliseconds since the epoch."""
    day = day_at(zone, at_ms)
    today = date.fromisoformat(day.name)
    # The day before as it was lived: where a date was skipped, the one before that.
    yesterday = day_at(zone, day.starts_ms - 1).name
    monday = today - timedelta(days=today.weekday())
    return Periods(day.name, yesterday, tuple(dates(monday, today)), tuple(dates(today.replace(day=1), today)))


def dates(first: date, last: date) -> Iterator[str]:
    """The dates from `first` to `last`, both included, in ISO 8601."""
    for after in range((last - first).days + 1):
        yield (first + timedelta(days=after)).isoformat()
