"""Moments as people write them: RFC 3339, or without an offset, as the clock on a site's wall shows it.

Where a clock is put forward some times never are, and are refused; where it is put back some are twice, and the first
is meant.

Pure.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

FARTHEST_DAYS = 366


def parsed(text: str, zone: str | None = None) -> int:
    """The moment in milliseconds of Unix time.

    Args:
        text: ``2026-11-27T08:00:00+07:00``, ``…Z``, or ``2026-11-27T08:00`` by the clock of `zone`.
        zone: IANA name; None: the time must say its offset.

    Raises:
        ValueError: It is no time; in words.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a time such as 2026-11-27T08:00:00+07:00") from None
    if "T" not in text.upper().replace(" ", "T"):
        raise ValueError("must say the time of the day as well")
    if moment.tzinfo is None and zone is None:
        raise ValueError("must say its offset from UTC, such as +07:00: the sites have different time zones")
    try:
        if moment.tzinfo is None:
            moment = _on_the_wall(moment, ZoneInfo(zone or ""))
        return round(moment.timestamp() * 1000)
    except OverflowError:
        raise ValueError("lies outside the calendar") from None


def _on_the_wall(moment: datetime, zone: ZoneInfo) -> datetime:
    there = moment.replace(tzinfo=zone)
    if there.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise ValueError(f"does not exist in {zone.key}: its clocks are put forward then")
    return there
