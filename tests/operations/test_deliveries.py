from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operations.deliveries import Deliveries


def test_a_total_is_complete_when_all_who_live_have_told() -> None:
    deliveries = Deliveries()
    assert deliveries.total("a/1", [0, 1]) == (0, False)
    deliveries.tell(0, "a/1", 10)
    assert deliveries.total("a/1", [0, 1]) == (10, False)
    deliveries.tell(1, "a/1", 5)
    assert deliveries.total("a/1", [0, 1]) == (15, True)


def test_a_worker_that_died_is_not_waited_for_and_what_it_told_counts() -> None:
    deliveries = Deliveries()
    deliveries.tell(0, "a/1", 10)
    deliveries.tell(2, "a/1", 7)
    assert deliveries.total("a/1", [0]) == (17, True)


def test_who_takes_its_place_takes_nothing_back() -> None:
    """It tells what is active when it begins, to nobody yet."""
    deliveries = Deliveries()
    deliveries.tell(0, "a/1", 10)
    deliveries.tell(1, "a/1", 7)
    deliveries.tell(1, "a/1", 0)
    assert deliveries.total("a/1", [0, 1]) == (17, True)


def test_old_ones_are_forgotten() -> None:
    deliveries = Deliveries()
    for number in range(1000):
        deliveries.tell(0, f"a/{number}", 1)
    assert deliveries.total("a/0", [0]) == (0, False)
    assert deliveries.total("a/999", [0]) == (1, True)


@given(st.dictionaries(st.integers(0, 20), st.integers(0, 10_000), min_size=1), st.randoms())
def test_the_order_does_not_matter(sessions: dict[int, int], random: object) -> None:
    deliveries = Deliveries()
    order = list(sessions)
    random.shuffle(order)  # type: ignore[attr-defined]
    for worker in order:
        deliveries.tell(worker, "a/1", sessions[worker])
    assert deliveries.total("a/1", sessions) == (sum(sessions.values()), True)
