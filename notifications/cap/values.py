"""What the values in a CAP message must look like: each check says what is wrong, or nothing.

Times are RFC 3339 without fractions and with an offset in numbers, UTC as ``-00:00`` and never ``Z`` (CAP 1.2, section
3.3.2). Coordinates are WGS 84, latitude first (section 3.3.1).

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

from gateway.instants import EPOCH

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-])(\d\d):(\d\d)", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_DECIMAL = r"[+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})"
_NUMBER = re.compile(_DECIMAL, re.ASCII)
_POINT = re.compile(f"({_DECIMAL}),({_DECIMAL})", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NOT_IN_NAME = re.compile(r"[\s,<&]")

MAX_NAME = 512
MOST_REFERENCES = 200
_NAME_RULE = "must not contain spaces, commas, < or &"


Check: TypeAlias = Callable[[str], str]


class Identity(NamedTuple):
    """What names a message among all of the world (CAP 1.2, section 3.2.1, "references")."""

    sender: str
    identifier: str
    sent: str

    def __str__(self) -> str:
        return ",".join(self)

    @property
    def normal(self) -> str:
        """The same for the same message, however its time is written."""
        return f"{self.sender},{self.identifier},{milliseconds(self.sent)}"


def text(_: str) -> str:
    """Any text, also none."""
    return ""


def filled(value: str) -> str:
    """Text."""
    return "" if value else "is empty"


def name(value: str) -> str:
    """An identifier or a sender."""
    if not value:
        return "is empty"
    if len(value) > MAX_NAME:
        return f"is longer than {MAX_NAME} characters"
    return _NAME_RULE if _NOT_IN_NAME.search(value) else ""


def one_of(allowed: tuple[str, ...]) -> Check:
    """A check that the value is one of `allowed`."""

    def check(value: str) -> str:
        if value in allowed:
            return ""
        return f"{_shown(value)} is none of {', '.join(allowed)}"

    return check


def moment(value: str) -> str:
    """A time."""
    found = _MOMENT.fullmatch(value)
    if found is None:
        return f"{_shown(value)} is no time such as 2026-11-23T04:25:16-00:00"
    try:
        milliseconds(value)
    except (ValueError, OverflowError):
        return f"{_shown(value)} is not in the calendar"
    return ""


def milliseconds(value: str) -> int:
    """Unix time of what `moment` accepts.

    Raises:
        ValueError, OverflowError: It does not accept it.
    """
    found = _MOMENT.fullmatch(value)
    if found is None:
        raise ValueError(value)
    hours, minutes = int(found[2]), int(found[3])
    if hours > 14 or minutes > 59:
        raise ValueError(value)
    offset = timedelta(hours=hours, minutes=minutes)
    read = datetime.fromisoformat(value[:19]).replace(tzinfo=UTC)
    # To and fro, so that one within an offset of the calendar's ends is refused.
    return round((read - offset if found[1] == "+" else read + offset).timestamp() * 1000)


def written(unix_ms: int) -> str:
    """Unix time in milliseconds as CAP writes it, in UTC, to the second."""
    return (EPOCH + timedelta(milliseconds=unix_ms)).strftime("%Y-%m-%dT%H:%M:%S-00:00")


def language(value: str) -> str:
    """A language's tag."""
    return "" if _LANGUAGE.fullmatch(value) else f"{_shown(value)} is no language's tag such as vi-VN"


def address(value: str) -> str:
    """A URI, as loosely as XML Schema takes it."""
    return "must not contain spaces" if any(character.isspace() for character in value) else ""


def quoted_words(value: str) -> str:
    """Words with spaces between, those that have spaces themselves in quotes."""
    return 'has a " without its counterpart' if value.count('"') % 2 else ""


def references(value: str) -> str:
    """Identities with white space between."""
    words = value.split()
    if not words:
        return "is empty"
    if len(words) > MOST_REFERENCES:
        return f"names more than {MOST_REFERENCES} messages"
    for word in words:
        parts = word.split(",")
        if len(parts) != 3 or any(map(name, parts[:2])) or moment(parts[2]):
            return f"{_shown(word)} is not of the form sender,identifier,sent"
    return ""


def identities(value: str) -> tuple[Identity, ...]:
    """What `references` accepts, taken apart."""
    return tuple(Identity(*word.split(",")) for word in value.split())


def whole(value: str) -> str:
    """A whole number."""
    return "" if _WHOLE.fullmatch(value) else f"{_shown(value)} is no whole number"


def decimal(value: str) -> str:
    """A number."""
    return "" if _NUMBER.fullmatch(value) else f"{_shown(value)} is no number"


def polygon(value: str) -> str:
    """At least four points, the last of which is the first (section 3.2.4)."""
    points = value.split()
    for point in points:
        if why := _point(point):
            return why
    if len(points) < 4:
        return "has fewer than four points"
    return "" if points[0] == points[-1] else "does not end at the point where it begins"


def circle(value: str) -> str:
    """A point and a radius in kilometres (section 3.2.4)."""
    parts = value.split()
    if len(parts) != 2:
        return f"{_shown(value)} is not of the form latitude,longitude radius"
    if why := _point(parts[0]):
        return why
    if decimal(parts[1]) or float(parts[1]) < 0:
        return f"{_shown(parts[1])} is no radius in kilometres"
    return ""


def _point(value: str) -> str:
    found = _POINT.fullmatch(value)
    if found is None:
        return f"{_shown(value)} is no point such as 19.81,105.78"
    nowhere = abs(float(found[1])) > 90 or abs(float(found[2])) > 180
    return f"{_shown(value)} is nowhere on Earth" if nowhere else ""


def _shown(value: str) -> str:
    short = value if len(value) <= 40 else f"{value[:40]}…"
    return f"{short!r}"
