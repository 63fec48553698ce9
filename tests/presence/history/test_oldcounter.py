"""The file of an older counter."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.history.books import Numbers
from presence.history.oldcounter import MOST, BadLine, Imported, parse

TODAY = date(2026, 11, 26)


def test_days_and_a_total_are_read() -> None:
    text = "\ufeffdate,visits,views\r\n2026-11-24,10,30\r\n# a holiday\r\n\r\n2026-11-25, 5 ,15\r\ntotal,1000,5000\r\n"
    imported = parse(text, TODAY)
    assert imported == Imported(Numbers(1000, 5000), {"2026-11-24": Numbers(10, 30), "2026-11-25": Numbers(5, 15)})


def test_without_a_total_it_is_the_sum_and_a_total_alone_will_do() -> None:
    assert parse("2026-11-24,10,30\n2026-11-26,5,15", TODAY).total == Numbers(15, 45)
    assert parse("total,7,8", TODAY) == Imported(Numbers(7, 8), {})


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("2026-11-24,10,30\n2026-11-25,ten,30", 2, "'ten' for visits"),
        ("2026-11-24,10,30\n\n2026-11-25,10", 3, "has 2 fields"),
        ("date,visits,views\n2026-11-24;10;30", 2, "has 1 fields"),
        ("2026-11-24,10,-3", 1, "'-3' for views"),
        ("2026-11-24,10,3.5", 1, "'3.5' for views"),
        ('2026-11-24,"1.000",3', 1, "'1.000' for visits"),
        (f"2026-11-24,{MOST + 1},3", 1, "for visits"),
        ("2026-11-24,\u0661,3", 1, "for visits"),
        ("2026-02-30,1,3", 1, "'2026-02-30' for a date"),
        ("24/11/2026,1,3", 1, "'24/11/2026' for a date"),
        ("20261124,1,3", 1, "for a date"),
        ("2026-11-27,1,3", 1, "to today, 2026-11-26"),
        ("1889-01-01,1,3", 1, "from 1990-01-01"),
        ("2026-11-24,1,3\n2026-11-24,1,3", 2, "which an earlier line has too"),
        ("total,9,9\ntotal,9,9", 2, "a second total; the first is in line 1"),
        ("2026-11-24,10,30\ntotal,9,50", 2, "a total of 9 visits, less than the 10"),
        ("total,50,20\n2026-11-24,10,30", 1, "a total of 20 views, less than the 30"),
        ('2026-11-24,"1,3', 1, "no line of CSV"),
        ("date,visits,views\ndate,visits,views", 1, "nothing in the file"),
        ("2026-11-24,1,3\ndate,visits,views", 2, "'visits' for visits"),
        ("\x1b[2J,1,3", 1, "'\\x1b[2j' for a date"),
        ("", 1, "nothing in the file"),
    ],
)
def test_a_bad_line_is_named(text: str, line: int, why: str) -> None:
    with pytest.raises(BadLine) as bad:
        parse(text, TODAY)
    assert bad.value.line == line, str(bad.value)
    assert why in bad.value.why


days = st.dates(date(1990, 1, 1), TODAY).map(date.isoformat)
numbers = st.builds(Numbers, st.integers(0, MOST), st.integers(0, MOST))


@given(st.dictionaries(days, numbers, min_size=1, max_size=30))
def test_what_is_kept_is_what_was_read(known: dict[str, Numbers]) -> None:
    text = "".join(f"{day},{one.visits},{one.views}\n" for day, one in known.items())
    imported = parse(text, TODAY)
    assert imported.days == known
    fields = imported.fields()
    total = fields.pop("total", None)
    assert Imported.read(total, fields.values()) == imported
    assert set(fields) == {day[:4] for day in known}


@given(st.text(alphabet='0123456789-,"#\n\r totaldevisw\x00', max_size=200))
def test_whatever_it_is_it_is_read_or_a_line_is_named(text: str) -> None:
    try:
        imported = parse(text, TODAY)
    except BadLine as bad:
        assert 1 <= bad.line <= text.count("\n") + 1
    else:
        assert imported.total.visits >= sum(one.visits for one in imported.days.values())
        assert all(date.fromisoformat(day) < TODAY + timedelta(days=1) for day in imported.days)
