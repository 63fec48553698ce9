"""From when to when somebody wants to see history: read from text, and cut to what is kept.

Pure: `now` is Redis's clock, in milliseconds since the epoch.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from presence.history.sampling import LATE_MS
from presence.history.series import HOUR_MS, KEPT_DAYS, STEP_MS, Resolution, floor
from presence.parameters import Refused

DAY_MS = 24 * HOUR_MS
# What is shown where nobody says.
USUAL_MS: dict[Resolution, int] = {"minute": DAY_MS, "hour": 30 * DAY_MS}
# A minute is written by then.
WRITTEN_MS = 2 * LATE_MS

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_FORM = "It is a date such as 2026-11-26, or a time such as 2026-11-26T09:00:00Z; + in an address is written %2B."
# Farther off, arithmetic would leave the calendar.
_YEARS = range(1971, 9000)


class Window(NamedTuple):
    """A span of minutes or hours; the first begins at `from_ms`, and `to_ms` is not included."""

    resolution: Resolution
    from_ms: int
    to_ms: int


def window(resolution: Resolution, begin: str, end: str, zone: tzinfo, now_ms: int) -> Window:
    """The minutes or hours that are asked for, as far as they are kept and over.

    Args:
        resolution: Which.
        begin, end: RFC 3339, or a date: its midnight in `zone`. Empty: the usual length, until now.
        zone: The site's.
        now_ms: Redis's clock.

    Raises:
        Refused: One of them is no time, or they are the wrong way round.
    """
    step = STEP_MS[resolution]
    # An hour is shown from its first minute on.
    last = -(-floor("minute", now_ms - WRITTEN_MS) // step) * step
    to_ms = instant("to", end, zone) if end else last
    from_ms = instant("from", begin, zone) if begin else to_ms - USUAL_MS[resolution]
    if from_ms >= to_ms:
        raise Refused(
            "to" if end else "from", "The time `from` must be before `to`." if end else "It is in the future."
        )
    to_ms = min(-(-to_ms // step) * step, last)
    oldest = floor(resolution, now_ms - KEPT_DAYS[resolution] * DAY_MS)
    from_ms = max(floor(resolution, from_ms), oldest)
    return Window(resolution, min(from_ms, to_ms), to_ms)


def instant(field: str, text: str, zone: tzinfo) -> int:
    """A time in milliseconds since the epoch.

    Raises:
        Refused: `text` is none; it names `field`.
    """
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text)
            moment = datetime(day.year, day.month, day.day, tzinfo=zone)
        elif _INSTANT.fullmatch(text):
            moment = datetime.fromisoformat(text.upper())
        else:
            raise Refused(field, _FORM)
    except (ValueError, OverflowError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused(field, _FORM) from None
    if moment.year not in _YEARS:
        raise Refused(field, _FORM)
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
