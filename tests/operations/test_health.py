from __future__ import annotations

from operations.figures import WorkerFigures, WorkerReport
from operations.health import reasons

WELL = WorkerReport(0, 100, True, 0, WorkerFigures())


def test_all_is_well() -> None:
    assert reasons([WELL], "", draining=False) == []


def test_every_reason_is_told() -> None:
    workers = [
        WELL,
        WorkerReport(1, None, False, 1, WorkerFigures()),
        WorkerReport(2, 102, False, 0, WorkerFigures()),
        WorkerReport(3, 103, True, 0, WorkerFigures(unready=["feed: stale", "presence: stale"])),
    ]
    assert reasons(workers, "does not answer", draining=True) == [
        "draining",
        "store: does not answer",
        "worker 1: is being replaced",
        "worker 2: is not ready",
        "worker 3: feed: stale",
        "worker 3: presence: stale",
    ]
