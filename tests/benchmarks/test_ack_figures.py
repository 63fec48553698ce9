from __future__ import annotations

import msgspec
import pytest

from benchmarks.ack_figures import rows
from benchmarks.acks import Acks

ACKS = Acks(
    readers=10_000,
    measured=10_000,
    counted=9_950,
    seconds=7.0,
    sent=1.0,
    inside=5.0,
    worker_share=0.1,
    alone_p50_seconds=0.1,
    alone_p99_seconds=0.2,
    with_p50_seconds=0.1,
    with_p99_seconds=0.21,
    alone_worker_seconds=0.14,
    with_worker_seconds=0.15,
    slower=1.05,
)


def test_all_is_reached_where_it_is() -> None:
    assert [row.figure for row in rows([ACKS]) if row.reached is False] == []


@pytest.mark.parametrize(
    ("worse", "missed"),
    [
        ({"sent": 21.0}, "store commands"),
        ({"measured": 9_999}, "pages measured"),
        ({"counted": 9_700}, "readers counted"),
        ({"slower": 1.3}, "the one over the other"),
    ],
)
def test_each_target_can_be_missed(worse: dict[str, float], missed: str) -> None:
    (row,) = [row for row in rows([msgspec.structs.replace(ACKS, **worse)]) if row.reached is False]
    assert missed in row.figure
