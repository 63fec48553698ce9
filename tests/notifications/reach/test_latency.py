from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from notifications.reach.latency import EDGES_MS, LONGEST_MS, bucket, quantile


def test_edges_grow_by_a_twentieth_at_most_and_by_a_millisecond_at_least() -> None:
    assert (EDGES_MS[0], EDGES_MS[-1]) == (1, LONGEST_MS)
    for low, high in pairwise(EDGES_MS):
        assert low < high <= max(low + 1, low * 1.05)
    # So many that what a worker writes stays small.
    assert len(EDGES_MS) < 300


def test_each_time_is_in_the_bucket_whose_edge_it_does_not_pass() -> None:
    assert [EDGES_MS[bucket(ms)] for ms in (-5, 0, 1, 1.5, 20, 100)] == [1, 1, 1, 2, 20, 101]
    assert bucket(10 * LONGEST_MS) == len(EDGES_MS) - 1


def test_nothing_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({3: 0}, 0.5) is None


@given(st.lists(st.integers(0, LONGEST_MS), min_size=1, max_size=300), st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_off_by_a_twentieth_or_a_millisecond_at_most(times: list[int], share: float) -> None:
    counts = Counter(bucket(ms) for ms in times)
    rank = max(1, -(-share * len(times) // 1))
    exact = sorted(times)[int(rank) - 1]
    found = quantile(counts, share)
    assert found is not None
    assert abs(found - exact) <= max(1, 0.05 * max(found, exact)) + 1
