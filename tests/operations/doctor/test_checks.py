from __future__ import annotations

from typing import Any

import pytest

from operations.doctor.checks import (
    Reached,
    StoreFacts,
    certificate,
    descriptors,
    leases,
    origins,
    people,
    public_address,
    reach,
    readiness,
    store,
)
from operations.doctor.finding import Finding

INFO: dict[str, Any] = {
    "redis_version": "7.2.4",
    "valkey_version": "9.1.2",
    "role": "master",
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "used_memory": 5_000_000,
    "maxmemory": 0,
    "maxmemory_policy": "noeviction",
}


def facts(info: dict[str, Any] | None = None, **changed: Any) -> StoreFacts:
    given: dict[str, Any] = {"address": "redis://s", "answers_ms": [0.4], "settings": {"appendfsync": "everysec"}}
    return StoreFacts(**given | changed, info=INFO | (info or {}))


def found(facts: StoreFacts) -> dict[str, Finding]:
    return {one.check: one for one in store(facts)}


def test_a_good_store_is_ok_throughout() -> None:
    told = store(facts())
    assert {one.level for one in told} == {"ok"}
    assert [one.check for one in told] == ["store", "persistence", "memory", "latency", "clock", "layout of keys"]


@pytest.mark.parametrize(
    ("info", "changed", "check", "level", "remedy"),
    [
        ({"valkey_version": "7.0.1"}, {}, "store", "bad", "use Valkey 7.2 or later"),
        ({"role": "slave", "slave_read_only": 1}, {}, "condition", "bad", "name the primary as redis.url"),
        ({"maxmemory": 1, "maxmemory_policy": "allkeys-lru"}, {}, "eviction", "bad", "noeviction"),
        ({"maxmemory_policy": "allkeys-lru"}, {}, "memory", "warning", "noeviction"),
        ({"maxmemory": 6_000_000}, {}, "memory", "warning", "raise maxmemory"),
        ({"maxmemory": 4_000_000}, {}, "condition", "bad", "raise its maxmemory"),
        ({"aof_enabled": 0}, {}, "persistence", "warning", "appendonly yes"),
        ({}, {"settings": {"appendfsync": "no"}}, "persistence", "warning", "appendfsync everysec"),
        ({}, {"answers_ms": [9.0, 8.0, 20.0]}, "latency", "warning", "nearer"),
        ({}, {"answers_ms": [90.0]}, "latency", "bad", "nearer"),
        ({}, {"answers_ms": []}, "latency", "unknown", ""),
        ({}, {"ahead_seconds": -30.0}, "clock", "warning", "NTP"),
        ({}, {"layout": "it is newer; run that release"}, "layout of keys", "bad", "run that release"),
    ],
)
def test_each_fault_of_a_store_is_told_with_what_to_do(
    info: dict[str, Any], changed: dict[str, Any], check: str, level: str, remedy: str
) -> None:
    one = found(facts(info, **changed))[check]
    assert one.level == level
    assert remedy in one.remedy


@pytest.mark.parametrize(("check", "prefix"), [(store, ""), (leases, "leases: ")])
@pytest.mark.parametrize(("remedy", "said"), [("check it", "check it"), ("", "redis_url and the store's own log")])
def test_a_store_that_could_not_be_asked_is_one_line(check: Any, prefix: str, remedy: str, said: str) -> None:
    (one,) = check(StoreFacts(address="redis://s", failure="redis://s does not answer: refused", remedy=remedy))
    assert (one.check, one.level) == (f"{prefix}store", "bad")
    assert one.found == "redis://s does not answer: refused"
    assert said.replace("_", "." if not prefix else "_") in one.remedy


def test_our_own_that_does_not_run_is_not_known() -> None:
    facts = StoreFacts(address="", embedded=True, failure="it runs with the service only", remedy="loa serve")
    (one,) = store(facts)
    assert (one.check, one.level, one.remedy) == ("store", "unknown", "loa serve")


def test_a_store_that_may_not_say_is_unknown() -> None:
    told = found(StoreFacts(address="redis://s", answers_ms=[1.0]))
    assert told["store"].level == "unknown"
    assert "+info" in told["store"].remedy


@pytest.mark.parametrize(("allowed", "level"), [(1299, "bad"), (1300, "ok"), (-1, "ok")])
def test_descriptors(allowed: int, level: str) -> None:
    one = descriptors(allowed, 1000, 100, 200)
    assert one.level == level
    assert level == "ok" or "LimitNOFILE=1300" in one.remedy


@pytest.mark.parametrize(("admins", "level"), [(None, "unknown"), (0, "warning"), (1, "ok"), (2, "ok")])
def test_people(admins: int | None, level: str) -> None:
    assert people(admins).level == level


@pytest.mark.parametrize(
    ("script", "socket", "levels", "remedy"),
    [
        (200, 101, ["ok", "ok"], ""),
        (200, 400, ["ok", "bad"], "Upgrade"),
        (200, 403, ["ok", "bad"], "origins"),
        (200, 429, ["ok", "bad"], "trusted_proxies"),
        (404, 101, ["bad", "ok"], "pass all of its paths"),
        (0, 0, ["bad"], "DNS"),
    ],
)
def test_reach(script: int, socket: int, levels: list[str], remedy: str) -> None:
    told = reach("public address", Reached(url="https://l", script=script, socket=socket), at_a_proxy=True)
    assert [one.level for one in told] == levels
    assert remedy in "".join(one.remedy for one in told)


@pytest.mark.parametrize(("days", "level"), [(-1.0, "bad"), (20.0, "warning"), (22.0, "ok")])
def test_certificates(days: float, level: str) -> None:
    one = certificate("certificate", Reached(url="x", certificate_days=days))
    assert one is not None
    assert one.level == level


def test_no_certificate_is_no_finding() -> None:
    assert certificate("certificate", Reached(url="x")) is None


@pytest.mark.parametrize(("url", "level"), [("", "warning"), ("http://l", "warning"), ("https://l", "ok")])
def test_public_address(url: str, level: str) -> None:
    assert public_address(url).level == level


@pytest.mark.parametrize(("reasons", "level"), [(None, "unknown"), (["draining"], "bad"), ([], "ok")])
def test_readiness(reasons: list[str] | None, level: str) -> None:
    assert readiness(reasons, "refused").level == level


@pytest.mark.parametrize(
    ("patterns", "level"),
    [
        ([], "bad"),
        (["https://*.vn"], "warning"),
        (["https://*.gov.vn"], "warning"),
        (["https://*.com.vn:*"], "warning"),
        (["https://*.example.vn"], "ok"),
        (["https://*.vnexample.com"], "ok"),
        (["https://*.portal.gov.vn", "https://portal.gov.vn"], "ok"),
        (["http://localhost:*"], "ok"),
    ],
)
def test_origins(patterns: list[str], level: str) -> None:
    (one,) = origins({"demo": patterns})
    assert one.level == level


def test_no_site_is_told() -> None:
    assert [one.level for one in origins({})] == ["bad"]
