"""The room as sessions meet it: welcomes and departures, on a real store."""

from __future__ import annotations

import msgspec
import pytest
from redis.asyncio import Redis

from presence.errors import SecretReplaced
from presence.identity import Identity, reader_of
from tests.patience import until
from tests.presence.workers import BRISK, worker


async def test_a_newcomer_is_welcomed_with_an_id_and_the_number(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        welcome = one.open().welcome
        assert welcome["visitor"].startswith("v1.")
        assert (welcome["online"], welcome["stale"]) == (1, False), "whoever has come is never told that 0 are here"
        assert welcome["as_of"].endswith("Z")


async def test_who_comes_back_keeps_the_id(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        token = one.open().token
        assert one.open(token).token == token
        assert len(one.holding.roster) == 1


async def test_forged_and_foreign_ids_make_a_new_reader(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        foreign = Identity(await one.secret.get()).issue("other")
        for token in ("v1.forged", "x" * 500, foreign, "v1." + "A" * 16 + "." + "A" * 22):
            assert one.open(token).token != token
        assert one.presence.figures.forged == 4
        assert len(one.holding.roster) == 4


async def test_who_only_watches_is_told_and_not_counted(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        tab = one.open(watching=True)
        assert "visitor" not in tab.welcome
        assert tab.welcome["online"] == 0
        one.open()
        await until(lambda: any(frame["online"] == 1 for frame in tab.pushed))
        one.close(tab)
        assert len(one.holding.roster) == 1


async def test_whose_reader_a_session_is_is_known_once_it_counts(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        first = one.open()
        again, robot, watcher = one.open(first.token), one.open(apart="robot"), one.open(watching=True)
        known = [one.presence.reader_of(tab) for tab in (first, again, robot, watcher)]  # type: ignore[arg-type]
        assert known == [reader_of(first.token), reader_of(first.token), None, None]


@pytest.mark.slow
async def test_the_count_is_never_below_those_held_here(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        shown = [one.open().welcome["online"] for _ in range(20)]
        assert shown == list(range(1, 21))
        assert one.presence.count("demo").online == 20


async def test_departing_twice_is_departing_once(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        tab = one.open()
        one.open(tab.token)
        one.close(tab)
        one.presence.depart(tab)  # type: ignore[arg-type]
        assert len(one.holding.roster) == 1


@pytest.mark.slow
async def test_the_bounds_are_those_in_force(valkey_url: str, prefix: str) -> None:
    # Counts at their usual pace: the bound has room for as many as may fail to come, and a machine that stands still
    # must not use that up. The lease is longer than the bound, so it is the departure that is seen.
    settings = msgspec.structs.replace(BRISK, count_seconds=1.0, lease_seconds=20.0)
    async with worker(valkey_url, prefix, settings=settings) as one:
        found = one.presence.bounds("demo")
        assert found.freshness_seconds == found.vanish_seconds > 40
        assert found.lost_worker_seconds >= settings.lease_seconds > found.leave_seconds
        tab = one.open()
        one.open()
        await until(lambda: one.online == 2)
        one.close(tab)
        assert await until(lambda: one.presence.count("demo").online == 1) <= found.leave_seconds


@pytest.mark.slow
async def test_a_worker_does_not_go_on_under_another_secret(valkey: Redis, valkey_url: str, prefix: str) -> None:
    """A store that lost everything was given a new secret by another worker: a reader would have two names."""
    async with worker(valkey_url, prefix) as one:
        one.open()
        await until(lambda: one.online == 1)
        await valkey.set(f"{prefix}:presence:secret", b"another")
        await valkey.delete(one.ledger.keys("demo", 0)[0])
        await until(lambda: bool(one.caretaker.failures))
        assert isinstance(one.failures.pop("presence leases"), SecretReplaced)


async def test_a_browser_is_told_to_keep_nothing_where_the_settings_say_so(valkey_url: str, prefix: str) -> None:
    settings = msgspec.structs.replace(BRISK, identity="session")
    async with worker(valkey_url, prefix, settings=settings) as one:
        assert one.open().welcome["identity"] == "session"
        assert "identity" not in one.open(watching=True).welcome
    async with worker(valkey_url, prefix) as one:
        assert "identity" not in one.open().welcome
