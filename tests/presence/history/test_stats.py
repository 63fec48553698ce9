"""The numbers of the portal block."""

from __future__ import annotations

from presence.gauge import Count
from presence.history.books import Books, Numbers, Record
from presence.history.calendar import Periods
from presence.history.stats import Counted, RecordAnswer, stats, unknown

COUNT = Count(7, "2026-12-01T05:00:00.000Z", False)
PERIODS = Periods("2026-12-01", "2026-11-30", ("2026-11-30", "2026-12-01"), ("2026-12-01",))


def test_weeks_and_months_are_sums_of_their_days() -> None:
    days = {"2026-11-30": Numbers(10, 30), "2026-12-01": Numbers(2, 5), "2026-11-29": Numbers(99, 99)}
    record = Record(9, "2026-11-20T02:11:00.000Z")
    said = stats("demo", "UTC", COUNT, PERIODS, Books(days, Numbers(500, 900), "2026-11-01", record), stale=False)
    assert (said.site, said.timezone, said.date, said.online, said.stale) == ("demo", "UTC", "2026-12-01", 7, False)
    assert said.today == said.month == Counted(2, 5)
    assert said.yesterday == Counted(10, 30)
    assert said.week == Counted(12, 35)
    assert said.total == Counted(500, 900)
    assert said.record == RecordAnswer(9, "2026-11-20T02:11:00.000Z")
    assert said.since == "2026-11-01"


def test_a_day_before_the_first_is_not_known_and_one_without_readers_is() -> None:
    nothing = Numbers(0, 0)
    new = stats("demo", "UTC", COUNT, PERIODS, Books({}, nothing, "", None), stale=False)
    assert (new.yesterday, new.today) == (Counted(None, None), Counted(0, 0))
    assert (new.record, new.since) == (None, None)
    young = stats("demo", "UTC", COUNT, PERIODS, Books({}, nothing, "2026-12-01", None), stale=False)
    assert young.yesterday == Counted(None, None)
    quiet = stats("demo", "UTC", COUNT, PERIODS, Books({}, nothing, "2026-11-29", None), stale=False)
    assert quiet.yesterday == Counted(0, 0)
    old = Books({"2026-11-30": Numbers(3, 4)}, nothing, "2026-12-01", None)
    assert stats("demo", "UTC", COUNT, PERIODS, old, stale=False).yesterday == Counted(3, 4)


def test_what_may_have_changed_since_is_stale() -> None:
    books = Books({}, Numbers(0, 0), "", None)
    assert stats("demo", "UTC", COUNT, PERIODS, books, stale=True).stale
    assert stats("demo", "UTC", COUNT._replace(stale=True), PERIODS, books, stale=False).stale
    said = unknown("demo", "UTC", COUNT)
    assert said.stale
    assert said.today == said.total == Counted(None, None)
