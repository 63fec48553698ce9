"""The numbers of an older counter: read from a file, checked to the last line, and written as Redis keeps them.

The file is CSV: a line for each day, ``date,visits,views``, and at most one ``total,visits,views`` with all that the
old counter ever counted, the days of the file among them. Without it the total is the sum of the days. A first line
that names the columns, empty lines, and lines that begin with ``#`` are passed over.

Pure. Nothing of a file with a bad line is used: :func:`parse` raises, and names the line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple, Self

import msgspec

from presence.history.books import Numbers

HEADINGS = ["date", "visits", "views"]
# A number that Redis could not add to any more would stop the counter.
MOST = 10**15
MOST_BYTES = 4_000_000
_NUMBER = re.compile(r"\d{1,16}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
FIRST = date(1990, 1, 1)


class BadLine(ValueError):
    """A line of the file cannot be taken.

    Args:
        line: Its number, from 1.
        why: What is wrong with it.
    """

    def __init__(self, line: int, why: str) -> None:
        self.line = line
        self.why = why
        super().__init__(line, why)

    def __str__(self) -> str:
        return f"line {self.line}: {self.why}"


class Imported(NamedTuple):
    """What an older counter has left.

    Attributes:
        total: All that it ever counted.
        days: Of it, by date in ISO 8601.
    """

    total: Numbers
    days: dict[str, Numbers]

    def fields(self) -> dict[str, bytes]:
        """As the fields of a hash: the total, and the days of each year together, which single ones would outweigh."""
        if not self.days and self.total == Numbers(0, 0):
            return {}
        years: dict[str, dict[str, Numbers]] = {}
        for day, numbers in self.days.items():
            years.setdefault(day[:4], {})[day] = numbers
        return {
            "total": msgspec.json.encode(self.total),
            **{year: msgspec.json.encode(days) for year, days in years.items()},
        }

    @classmethod
    def read(cls, total: bytes | None, years: Iterable[bytes | None]) -> Self:
        """The opposite, of some years."""
        days: dict[str, Numbers] = {}
        for year in years:
            if year is not None:
                days.update(msgspec.json.decode(year, type=dict[str, Numbers]))
        return cls(msgspec.json.decode(total, type=Numbers) if total is not None else Numbers(0, 0), days)


def parse(text: str, today: date) -> Imported:
    """The numbers in a file.

    Args:
        text: All of it.
        today: The site's; no day of the file may be later.

    Raises:
        BadLine: The first line that is wrong.
    """
    days: dict[str, Numbers] = {}
    total: tuple[int, Numbers] | None = None
    for line, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        row = raw.removesuffix("\r").strip()
        if not row or row.startswith("#"):
            continue
        fields = _fields(line, row)
        if fields == HEADINGS and not days and total is None:
            continue
        if len(fields) != len(HEADINGS):
            raise BadLine(line, f"has {len(fields)} fields; it takes three: date,visits,views")
        first, visits, views = fields
        numbers = Numbers(_number(line, "visits", visits), _number(line, "views", views))
        if first == "total":
            if total is not None:
                raise BadLine(line, f"is a second total; the first is in line {total[0]}")
            total = (line, numbers)
        else:
            day = _day(line, first, today)
            if day in days:
                raise BadLine(line, f"has the date {day}, which an earlier line has too")
            days[day] = numbers
    summed = Numbers(sum(each.visits for each in days.values()), sum(each.views for each in days.values()))
    if total is None:
        if not days:
            raise BadLine(1, "there is nothing in the file: neither a day nor a total")
        return Imported(summed, days)
    line, numbers = total
    for name, whole, part in zip(Numbers._fields, numbers, summed, strict=True):
        if whole < part:
            raise BadLine(line, f"has a total of {whole} {name}, less than the {part} of its days")
    return Imported(numbers, days)


def _fields(line: int, row: str) -> list[str]:
    try:
        (fields,) = csv.reader([row], strict=True)
    except (csv.Error, ValueError):
        raise BadLine(line, "is no line of CSV") from None
    return [field.strip().lower() for field in fields]


def _number(line: int, name: str, text: str) -> int:
    if _NUMBER.fullmatch(text) is None or int(text) > MOST:
        raise BadLine(line, f"has {_shown(text)} for {name}; it takes a whole number from 0 on, without separators")
    return int(text)


def _day(line: int, text: str, today: date) -> str:
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise BadLine(line, f"has {_shown(text)} for a date; it takes one such as 2026-11-26, or the word total")
    if not FIRST <= day <= today:
        raise BadLine(line, f"has the date {text}; it takes one from {FIRST.isoformat()} to today, {today.isoformat()}")
    return text


def _shown(text: str) -> str:
    """What stands in the file, short and without what would steer a terminal."""
    cut = text if len(text) <= 40 else text[:39] + "…"
    return repr(cut)
