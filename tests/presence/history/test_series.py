"""Minutes and hours in their strings."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.history.series import (
    HOUR_MS,
    MINUTE_MS,
    SLOT_BYTES,
    STEP_MS,
    Point,
    Resolution,
    floor,
    names,
    pack,
    points,
    slot,
)

FIRST, LAST = 946_684_800_000, 4_102_444_800_000
moments = st.integers(FIRST, LAST)
resolutions: st.SearchStrategy[Resolution] = st.sampled_from(["minute", "hour"])


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_a_day_of_minutes_and_a_month_of_hours_have_a_string() -> None:
    at = ms("2028-02-29T23:59:30Z")
    assert slot("minute", at) == ("2028-02-29", 1439, 1440)
    assert slot("hour", at) == ("2028-02", 29 * 24 - 1, 29 * 24)


@given(resolutions, moments)
def test_a_slot_is_that_of_its_beginning(resolution: Resolution, at_ms: int) -> None:
    begin = floor(resolution, at_ms)
    assert begin <= at_ms < begin + STEP_MS[resolution]
    found = slot(resolution, at_ms)
    assert found == slot(resolution, begin)
    assert 0 <= found.number < found.slots
    following = slot(resolution, begin + STEP_MS[resolution])
    assert following.number == (found.number + 1) % found.slots


@given(resolutions, moments, st.integers(0, 100 * 24 * HOUR_MS))
def test_every_slot_between_is_in_one_of_the_strings_named(resolution: Resolution, from_ms: int, length: int) -> None:
    found = names(resolution, from_ms, from_ms + length)
    assert found == sorted(set(found))
    if length:
        assert found[0] == slot(resolution, from_ms).name
        assert found[-1] == slot(resolution, from_ms + length - 1).name
    else:
        assert found == []


@given(
    resolutions,
    moments,
    st.dictionaries(st.integers(0, 200), st.tuples(st.integers(0, 10**7), st.floats(0, 10**7)), max_size=20),
    st.integers(0, 250),
)
def test_what_is_packed_is_read_and_all_else_is_a_gap(
    resolution: Resolution, at_ms: int, measured: dict[int, tuple[int, float]], length: int
) -> None:
    begin, step = floor(resolution, at_ms), STEP_MS[resolution]
    strings: dict[str, bytearray] = {}
    for after, (peak, mean) in measured.items():
        name, number, slots = slot(resolution, begin + after * step)
        packed = strings.setdefault(name, bytearray(SLOT_BYTES * slots))
        packed[number * SLOT_BYTES : (number + 1) * SLOT_BYTES] = pack(peak, mean)
    kept = {name: bytes(packed) for name, packed in strings.items()}
    found = [*points(resolution, kept, begin, begin + length * step)]
    assert [point.at_ms for point in found] == [begin + after * step for after in range(length)]
    for after, point in enumerate(found):
        if after in measured:
            peak, mean = measured[after]
            assert point.peak == peak
            assert point.mean == pytest.approx(mean, abs=0.0051)
        else:
            assert (point.peak, point.mean) == (None, None)


def test_no_readers_are_no_gap() -> None:
    at = ms("2026-11-26T00:00:00Z")
    assert [*points("minute", {"2026-11-26": pack(0, 0.0)}, at, at + 2 * MINUTE_MS)] == [
        Point(at, 0, 0.0),
        Point(at + MINUTE_MS, None, None),
    ]


def test_a_string_that_was_cut_has_gaps_at_its_end() -> None:
    at = round(datetime(2026, 11, 26, tzinfo=UTC).timestamp() * 1000)
    assert [*points("minute", {"2026-11-26": b"\0\0\0"}, at, at + MINUTE_MS)] == [Point(at, None, None)]
