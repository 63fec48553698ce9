"""What is known of the days of a site: values that the rest of this package hands on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Numbers(NamedTuple):
    """Visits (readers, each once a day) and page views."""

    visits: int
    views: int

    def plus(self, other: Numbers) -> Numbers:
        """Both together."""
        return Numbers(self.visits + other.visits, self.views + other.views)


class Record(NamedTuple):
    """Most readers at a time, and when (RFC 3339 in UTC)."""

    online: int
    at: str


class Books(NamedTuple):
    """What is known of some days and of all.

    Attributes:
        days: Numbers by date, of those days that anything is known of; what was imported is in them.
        total: Of all days, and of the older counter.
        since: The first day that was counted here, empty if there is none.
        record: None before the first.
    """

    days: Mapping[str, Numbers]
    total: Numbers
    since: str
    record: Record | None
