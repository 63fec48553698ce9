"""Readers by minute and by hour, packed: eight bytes a slot in a string, so that two weeks are a few keys.

A slot is two unsigned 32-bit numbers, the high byte first: the peak plus one, and the mean times a hundred. A slot of
zeros was not measured: a gap, which is not 0 readers. A string of minutes holds a day in UTC, one of hours a month.
Strings are as long as all their slots from the beginning, so Redis never has to move them.

Pure.
"""

from __future__ import annotations

import calendar
import struct
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Literal, NamedTuple, TypeAlias

from gateway.instants import EPOCH

Resolution: TypeAlias = Literal["minute", "hour"]

SLOT_BYTES = 8
MEAN_SCALE = 100
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
STEP_MS: dict[Resolution, int] = {"minute": MINUTE_MS, "hour": HOUR_MS}
# How far back each is kept; the key that holds the oldest slots goes when the last of them is older.
KEPT_DAYS: dict[Resolution, int] = {"minute": 14, "hour": 731}

_SLOT = struct.Struct(">II")
_MOST = 2**32 - 2


class Point(NamedTuple):
    """Readers in one minute or hour; both None if nothing was measured in it.

    Attributes:
        at_ms: When it begins, in milliseconds since the epoch.
        peak: Most readers at a time.
        mean: Of all counts.
    """

    at_ms: int
    peak: int | None
    mean: float | None


class Slot(NamedTuple):
    """Where a minute or an hour is kept.

    Attributes:
        name: Of the day or the month, as in the name of its key.
        number: Which slot, from 0.
        slots: How many there are.
    """

    name: str
    number: int
    slots: int


def slot(resolution: Resolution, at_ms: int) -> Slot:
    """Where the minute or hour that holds `at_ms` is kept."""
    at = EPOCH + timedelta(milliseconds=at_ms)
    if resolution == "minute":
        return Slot(f"{at:%Y-%m-%d}", at.hour * 60 + at.minute, 1440)
    _, days = calendar.monthrange(at.year, at.month)
    return Slot(f"{at:%Y-%m}", (at.day - 1) * 24 + at.hour, days * 24)


def names(resolution: Resolution, from_ms: int, to_ms: int) -> list[str]:
    """The days or months that hold what lies between, the oldest first; `to_ms` is not included."""
    found: dict[str, None] = {}
    step = 24 * HOUR_MS
    at = from_ms
    while at < to_ms:
        found[slot(resolution, at).name] = None
        at += step
    if to_ms > from_ms:
        found[slot(resolution, to_ms - 1).name] = None
    return list(found)


def floor(resolution: Resolution, at_ms: int) -> int:
    """When the minute or hour that holds `at_ms` begins."""
    return at_ms - at_ms % STEP_MS[resolution]


def pack(peak: int, mean: float) -> bytes:
    """A slot that was measured."""
    return _SLOT.pack(min(peak, _MOST) + 1, min(round(mean * MEAN_SCALE), _MOST))


def points(resolution: Resolution, strings: Mapping[str, bytes], from_ms: int, to_ms: int) -> Iterator[Point]:
    """Every minute or hour from `from_ms` on, which begins one, before `to_ms`; of what `strings` lacks, gaps.

    Args:
        resolution: Which.
        strings: By the name of the day or month.
        from_ms, to_ms: Milliseconds since the epoch.
    """
    at_ms = from_ms
    step = STEP_MS[resolution]
    while at_ms < to_ms:
        name, index, slots = slot(resolution, at_ms)
        packed = strings.get(name, b"")
        while index < slots and at_ms < to_ms:
            yield _point(packed, index, at_ms)
            index += 1
            at_ms += step


def _point(packed: bytes, index: int, at_ms: int) -> Point:
    offset = index * SLOT_BYTES
    if offset + SLOT_BYTES > len(packed):
        return Point(at_ms, None, None)
    peak, mean = _SLOT.unpack_from(packed, offset)
    return Point(at_ms, peak - 1, mean / MEAN_SCALE) if peak else Point(at_ms, None, None)
