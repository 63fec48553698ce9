"""Connections per address, and the token bucket."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.limits import ConnectionsPerAddress, MissesPerAddress, TokenBucket


@given(st.integers(1, 3), st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b", ""]))))
def test_no_address_has_more_than_its_limit_and_none_is_remembered(limit: int, steps: list[tuple[bool, str]]) -> None:
    connections = ConnectionsPerAddress(limit)
    model: Counter[str] = Counter()
    for arrives, key in steps:
        if arrives:
            assert connections.take(key) == (key == "" or model[key] < limit)
            if key == "" or model[key] < limit:
                model[key] += 1
        elif model[key]:
            connections.release(key)
            model[key] -= 1
    assert connections._open == {key: count for key, count in model.items() if key and count}


def test_a_release_too_many_lends_nobody_a_place() -> None:
    connections = ConnectionsPerAddress(1)
    connections.release("a")
    assert connections.take("a")
    assert not connections.take("a")


@given(
    st.floats(0.1, 100.0),
    st.integers(1, 50),
    st.lists(st.floats(0.0, 5.0), min_size=1, max_size=60),
)
def test_never_more_than_the_burst_and_the_rate(rate: float, burst: int, pauses: list[float]) -> None:
    bucket = TokenBucket(rate, burst)
    now, times = 100.0, []
    for pause in pauses:
        now += pause
        if bucket.take(now):
            times.append(now)
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first + 1 <= burst + rate * (times[last] - times[first]) + 1e-6


@given(st.floats(0.1, 100.0), st.integers(1, 50))
def test_it_says_when_to_come_back(rate: float, burst: int) -> None:
    bucket = TokenBucket(rate, burst)
    assert all(bucket.take(5.0) for _ in range(burst))
    assert not bucket.take(5.0)
    assert not bucket.take(5.0 + bucket.retry_after_seconds * 0.9)
    assert bucket.take(5.0 + 1 / rate + 1e-6)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = TokenBucket(1.0, 1)
    assert bucket.take(100.0)
    assert not bucket.take(50.0)
    assert not bucket.take(50.5)
    assert bucket.take(51.5)


@given(st.floats(0.1, 100.0), st.integers(1, 50))
def test_an_address_is_made_to_wait_after_so_many_misses_and_others_are_not(rate: float, burst: int) -> None:
    misses = MissesPerAddress(rate, burst)
    for _ in range(burst):
        assert misses.wait_seconds("a", 5.0) == 0.0
        misses.note("a", 5.0)
        misses.note("", 5.0)
    wait = misses.wait_seconds("a", 5.0)
    assert 0.0 < wait <= 1.0 / rate + 1e-9
    assert misses.wait_seconds("b", 5.0) == misses.wait_seconds("", 5.0) == 0.0
    assert misses.wait_seconds("a", 5.0 + wait + 1e-6) == 0.0
    assert len(misses) == 1


def test_addresses_that_were_wrong_once_are_forgotten() -> None:
    misses = MissesPerAddress(1.0, 2)
    for second in range(20_000):
        misses.note(f"{second}", second / 10)
    assert len(misses) <= 1000
    misses.note("a", 3000.0)
    misses.note("a", 3000.0)
    assert misses.wait_seconds("a", 3000.0) > 0
