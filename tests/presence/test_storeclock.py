"""The estimate of Redis's clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.storeclock import StoreClock


def test_nothing_is_known_before_the_first_reply() -> None:
    clock = StoreClock()
    assert not clock.known
    with pytest.raises(LookupError):
        clock.at(1.0)


@given(
    started=st.integers(1_700_000_000_000, 1_900_000_000_000),
    there=st.floats(0, 2),
    back=st.floats(0, 2),
    later=st.floats(0, 1000),
)
def test_it_is_off_by_half_the_round_trip_at_most(started: int, there: float, back: float, later: float) -> None:
    clock = StoreClock()
    clock.observe(100.0, 100.0 + there + back, started + round(1000 * there))
    truth = started + 1000 * (later + there + back)
    assert abs(clock.at(100.0 + there + back + later) - truth) <= 500 * (there + back) + 2


def test_the_last_reply_counts() -> None:
    clock = StoreClock()
    clock.observe(0.0, 0.0, 5_000)
    clock.observe(10.0, 10.0, 1_000_000)
    assert clock.at(11.0) == 1_001_000
