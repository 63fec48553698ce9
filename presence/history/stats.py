"""``GET /api/v1/sites/{site}/stats``: the numbers of the classic portal block, as they are put together. Pure.

A *visit* is a reader on a local day. A week's visits are the sum of its days', since by design nobody can tell that
the readers of two days are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from presence.gauge import Count
from presence.history.books import Books, Numbers
from presence.history.calendar import Periods


class Counted(Struct, frozen=True):
    """Visits and page views; null where they are not known."""

    visits: int | None
    views: int | None


class RecordAnswer(Struct, frozen=True):
    """Most readers at a time ever, and when."""

    online: int
    at: str


class Stats(Struct, frozen=True):
    """The answer.

    Attributes:
        site: Id of the site.
        timezone: Where its midnight is.
        date: Today, there; null if the store has not answered yet.
        online, as_of: Readers now, and when that was true; as in the answer of ``/presence``.
        stale: The store has not answered since.
        today, yesterday, week, month, total: Visits and page views; of the week since Monday, and of the month.
        record: Most readers at a time; null before the first.
        since: The first day that was counted here; null before it.
    """

    site: str
    timezone: str
    date: str | None
    online: int | None
    as_of: str | None
    stale: bool
    today: Counted
    yesterday: Counted
    week: Counted
    month: Counted
    total: Counted
    record: RecordAnswer | None
    since: str | None


_UNKNOWN = Counted(None, None)


def unknown(site: str, timezone: str, count: Count) -> Stats:
    """The answer where nothing has been read."""
    return Stats(
        site,
        timezone,
        None,
        count.online,
        count.as_of,
        True,
        *(_UNKNOWN,) * 5,
        record=None,
        since=None,
    )


def stats(site: str, timezone: str, count: Count, periods: Periods, books: Books, *, stale: bool) -> Stats:
    """The answer, where `stale` says that the store has not answered since `books` were read."""
    days = books.days
    # Of a day before the first that was counted, nothing is known; of one after it without readers, that it had none.
    counted_then = bool(books.since) and periods.yesterday >= books.since
    record = books.record
    return Stats(
        site,
        timezone,
        periods.today,
        count.online,
        count.as_of,
        count.stale or stale,
        today=_sum(days, [periods.today]),
        yesterday=_sum(days, [periods.yesterday]) if counted_then or periods.yesterday in days else _UNKNOWN,
        week=_sum(days, periods.week),
        month=_sum(days, periods.month),
        total=Counted(*books.total),
        record=RecordAnswer(*record) if record is not None else None,
        since=books.since or None,
    )


def _sum(days: Mapping[str, Numbers], wanted: Iterable[str]) -> Counted:
    known = [days[day] for day in wanted if day in days]
    return Counted(sum(each.visits for each in known), sum(each.views for each in known))
