from __future__ import annotations

from typing import Any

import msgspec
import pytest

from operations.figures import Histogram, WorkerFigures, WorkerReport
from operations.hour import KEPT, MOST_EVENTS, MOST_SITES, Hour, Look, Node


def report(index: int = 0, restarts: int = 0, pid: int | None = 100, **figures: Any) -> WorkerReport:
    return WorkerReport(index, pid, pid is not None, restarts, WorkerFigures(**figures))


def look(
    at: float, *workers: WorkerReport, failure: str = "", restarts: int = 0, reasons: list[str] | None = None
) -> Look:
    return Look(at=at, workers=[*workers], store_failure=failure, store_restarts=restarts, reasons=[*(reasons or [])])


def histogram(*counts: int) -> Histogram:
    return Histogram(edges=[0.1, 1.0], counts=[*counts])


def test_what_only_grows_is_told_per_window_and_over_all_workers() -> None:
    hour = Hour()
    hour.keep(look(100.0, report(deliveries=50, redis=histogram(9, 0, 0)), report(1, deliveries=10)))
    now = hour.keep(
        look(
            110.0,
            report(deliveries=250, sessions={"a": 3, "b": 1}, redis=histogram(9, 100, 0), cpu_seconds=5.0),
            report(1, deliveries=110, sessions={"a": 2}, stalled=2, redis_errors=1),
        )
    )
    assert (now.deliveries, now.sessions, now.stalled, now.redis_errors) == (30.0, 6, 2, 1)
    # Only what was measured in the window: between 0.1 and 1 s.
    assert now.redis_seconds == pytest.approx(0.1 + 0.9 * 0.99)
    assert now.fanout_seconds is None
    assert [one.busy for one in now.workers] == [0.5, 0.0]


def test_the_first_sample_says_nothing_of_what_was_before() -> None:
    first = Hour().keep(look(100.0, report(deliveries=5000, redis=histogram(9, 9, 9))))
    assert (first.deliveries, first.redis_seconds, first.redis_errors) == (0.0, None, 0)


def test_a_window_that_has_just_begun_is_joined_with_the_one_before() -> None:
    hour = Hour()
    hour.keep(look(100.0, report(deliveries=0)))
    hour.keep(look(110.0, report(deliveries=100)))
    assert hour.sample(look(112.0, report(deliveries=120))).deliveries == 10.0
    assert hour.sample(look(114.0, report(deliveries=120))).deliveries == 5.0


def test_only_the_sites_with_most_readers_are_told_and_all_are_counted() -> None:
    counts = {f"site-{number:02}": number for number in range(MOST_SITES + 3)}
    now = Hour().keep(look(100.0, report(online=counts), report(1, online=counts)))
    assert now.readers == sum(counts.values())
    assert [*now.sites.values()] == [*range(MOST_SITES + 2, 2, -1)]


def test_a_silence_counts_as_the_canary_that_has_not_come() -> None:
    now = Hour().keep(
        look(
            100.0,
            report(canary_last_seconds=0.01, canary_silence_seconds=0.9),
            report(1, canary_last_seconds=0.01, canary_silence_seconds=7.0),
        )
    )
    assert now.canary_seconds == 7.0


def test_what_happened_is_told_once_with_the_newest_first() -> None:
    hour = Hour()
    hour.keep(look(0.0, report(), report(1)))
    hour.keep(look(10.0, report(), report(1, restarts=1, pid=None), reasons=["worker 1: is being replaced"]))
    hour.keep(look(20.0, report(stalled=3), report(1, restarts=1)))
    hour.keep(look(30.0, report(stalled=3), report(1, restarts=1), failure="does not answer", reasons=["store: x"]))
    hour.keep(look(40.0, report(stalled=3), report(1, restarts=1), restarts=1))
    hour.keep(look(50.0, report(stalled=3), report(1, restarts=1), restarts=1))
    told = [(event.at, event.kind, event.worker, event.number) for event in reversed(hour.events)]
    assert told == [
        (0.0, "started", None, 2),
        (10.0, "unready", None, 0),
        (10.0, "worker_restarted", 1, 1),
        (20.0, "slow_readers", None, 3),
        (20.0, "ready", None, 0),
        (30.0, "unready", None, 0),
        (30.0, "store_lost", None, 0),
        (40.0, "ready", None, 0),
        (40.0, "store_restarted", None, 1),
        (40.0, "store_back", None, 0),
    ]
    assert next(event for event in hour.events if event.kind == "store_lost").text == "does not answer"


def test_a_store_that_was_lost_and_came_back_between_two_samples_is_told() -> None:
    hour = Hour()
    hour.keep(look(0.0, report()))
    hour.keep(look(10.0, report(redis_errors=4)))
    assert [(event.kind, event.number) for event in hour.events] == [("store_lost", 4), ("started", 1)]


def test_it_is_bounded() -> None:
    hour = Hour()
    for turn in range(2 * KEPT):
        hour.keep(look(10.0 * turn, report(stalled=turn)))
    assert (len(hour.samples), len(hour.events)) == (KEPT, MOST_EVENTS)
    assert hour.samples[0].at == 10.0 * KEPT


def test_it_survives_the_journey() -> None:
    hour = Hour()
    hour.keep(look(0.0, report(online={"demo": 3}, redis=histogram(1, 2, 3), loop_lag=histogram(1, 0, 0))))
    hour.keep(look(10.0, report(1, pid=None), failure="x"))
    node = hour.node(look(12.0, report()), "host", "1.0")
    assert msgspec.json.decode(msgspec.json.encode(node), type=Node) == node
