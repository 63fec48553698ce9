from __future__ import annotations

from typing import Any

import pytest

from store.condition import troubles

WELL: dict[str, Any] = {
    "redis_version": "7.2.4",
    "role": "master",
    "loading": 0,
    "maxmemory": 0,
    "used_memory": 5_000_000,
    "maxmemory_policy": "noeviction",
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"role": "slave", "slave_read_only": 0},
        {"maxmemory": 6_000_000},
        {"maxmemory": 4_000_000, "mem_not_counted_for_evict": 1_500_000},
        # Where there is no limit nothing is ever evicted.
        {"maxmemory_policy": "allkeys-lru"},
        {"aof_enabled": 0, "aof_last_write_status": "err"},
        {"used_memory": "nonsense"},
    ],
)
def test_what_works_is_left_alone(changed: dict[str, Any]) -> None:
    assert troubles(WELL | changed) == []


def test_a_server_that_says_nothing_is_left_alone() -> None:
    assert troubles({}) == []


@pytest.mark.parametrize(
    ("changed", "name", "what", "remedy"),
    [
        ({"redis_version": "6.0.20"}, "too old", "is too old: it is Redis 6.0.20", "Redis 6.2 or Valkey 7.2"),
        (
            {"loading": 1, "loading_loaded_perc": 12.5, "loading_eta_seconds": 40},
            "loading", "is loading its data (12.5% so far, about 40 s are left)", "redis.ready_seconds",
        ),
        (
            {"role": "slave", "slave_read_only": 1, "master_host": "10.0.0.1", "master_port": 6379},
            "read-only", "is read-only: it is a replica of 10.0.0.1:6379", "name the primary as redis.url",
        ),
        (
            {"maxmemory": 4_000_000},
            "out of memory", "uses 5.0 MB of maxmemory 4.0 MB and refuses every write", "raise its maxmemory",
        ),
        (
            {"maxmemory": 9_000_000, "maxmemory_policy": "volatile-lru"},
            "evicting", "evicts keys (volatile-lru) at maxmemory 9.0 MB", "noeviction",
        ),
        ({"aof_last_write_status": "err"}, "cannot write its file", "refuses every write", "disk"),
    ],
)  # fmt: skip
def test_each_trouble_has_its_name_and_its_remedy(changed: dict[str, Any], name: str, what: str, remedy: str) -> None:
    (found,) = troubles(WELL | changed)
    assert found.name == name
    assert what in found.what
    assert remedy in found.remedy


def test_several_are_all_told() -> None:
    found = troubles(WELL | {"redis_version": "5.0", "role": "slave", "slave_read_only": 1})
    assert [one.name for one in found] == ["too old", "read-only"]
