from __future__ import annotations

import pytest

from notifications.canary import CANARY_EDGES, DEAF_SECONDS, SILENT_SECONDS, Canary


def test_measures_from_sending_to_hearing() -> None:
    canary = Canary(100.0)
    assert [canary.send(100.0), canary.send(101.0)] == [1, 2]
    canary.took(1, 100.1)
    canary.hear(1, 100.2)
    assert canary.last_seconds == pytest.approx(0.2)
    canary.hear(2, 107.0)
    assert (canary.heard, canary.last_seconds, canary.seconds) == (2, pytest.approx(6.0), pytest.approx(6.2))
    filled = dict(zip([*CANARY_EDGES, "more"], canary.buckets, strict=True))
    assert {edge: count for edge, count in filled.items() if count} == {0.25: 1, "more": 1}


def test_hears_each_once_and_none_it_has_not_sent() -> None:
    canary = Canary(0.0)
    canary.send(0.0)
    for number in (1, 1, 7, 0):
        canary.hear(number, 0.5)
    assert (canary.heard, sum(canary.buckets)) == (1, 1)


def test_a_worker_that_hears_none_should_get_no_readers_until_it_hears_one() -> None:
    canary = Canary(0.0)
    canary.took(canary.send(0.0), 0.0)
    assert canary.trouble(SILENT_SECONDS) == ""
    assert "has not been heard for 7 s" in canary.trouble(7.0)
    canary.hear(1, 7.5)
    assert canary.trouble(8.0) == ""


def test_names_what_the_store_refuses_it_with() -> None:
    canary = Canary(0.0)
    canary.failed(canary.send(0.0), "READONLY You can't write against a read only replica.")
    assert canary.trouble(1.0) == ""
    assert canary.trouble(7.0).startswith("the canary cannot be sent: READONLY")


def test_is_deaf_only_to_what_the_store_has_taken() -> None:
    canary = Canary(0.0)
    canary.failed(canary.send(0.0), "does not answer")
    assert not canary.deaf(60.0)
    canary.took(canary.send(60.0), 60.5)
    canary.took(canary.send(61.0), 61.5)
    assert not canary.deaf(60.5 + DEAF_SECONDS)
    assert canary.deaf(60.6 + DEAF_SECONDS)
    # Begun anew, the next must come; an old one that the stream no longer has need not.
    canary.forgive()
    assert not canary.deaf(90.0)
    canary.took(canary.send(90.0), 90.0)
    assert canary.deaf(90.1 + DEAF_SECONDS)


def test_a_later_one_stands_for_those_that_were_dropped_before_it() -> None:
    canary = Canary(0.0)
    for now in (0.0, 1.0, 2.0):
        canary.took(canary.send(now), now)
    canary.hear(2, 2.5)
    assert not canary.deaf(2.0 + DEAF_SECONDS)
    assert canary.deaf(2.1 + DEAF_SECONDS)
    # The answer of the store may come after the canary itself.
    canary.hear(3, 3.0)
    canary.took(3, 3.1)
    assert not canary.deaf(60.0)
