from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operations.deliveries import Deliveries


def test_a_total_is_complete_when_all_who_live_have_told() -> None:
    deliveries = Deliveries()
    assert deliveries.total(1, [0, 1]) == (0, False)
    deliveries.tell(0, 1, 10)
    assert deliveries.total(1, [0, 1]) == (10, False)
    deliveries.tell(1, 1, 5)
    assert deliveries.total(1, [0, 1]) == (15, True)


def test_a_worker_that_died_is_not_waited_for_and_what_it_told_counts() -> None:
    deliveries = Deliveries()
    deliveries.tell(0, 1, 10)
    deliveries.tell(2, 1, 7)
    assert deliveries.total(1, [0]) == (17, True)


def test_a_version_told_anew_begins_anew() -> None:
    deliveries = Deliveries()
    deliveries.tell(0, 1, 10)
    deliveries.tell(1, 1, 10)
    deliveries.tell(0, 1, 3)
    assert deliveries.total(1, [0, 1]) == (3, False)


def test_old_versions_are_forgotten() -> None:
    deliveries = Deliveries()
    for version in range(1000):
        deliveries.tell(0, version, 1)
    assert deliveries.total(0, [0]) == (0, False)
    assert deliveries.total(999, [0]) == (1, True)


@given(st.dictionaries(st.integers(0, 20), st.integers(0, 10_000), min_size=1), st.randoms())
def test_the_order_does_not_matter(sessions: dict[int, int], random: object) -> None:
    deliveries = Deliveries()
    order = list(sessions)
    random.shuffle(order)  # type: ignore[attr-defined]
    for worker in order:
        deliveries.tell(worker, 1, sessions[worker])
    assert deliveries.total(1, sessions) == (sum(sessions.values()), True)
