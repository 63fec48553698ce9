from __future__ import annotations

from gateway.instants import rfc3339


def test_times_are_exact_to_the_millisecond() -> None:
    assert rfc3339(1_795_407_916_001) == "2026-11-23T04:25:16.001Z"
    assert rfc3339(1_795_407_916_000) == "2026-11-23T04:25:16.000Z"
