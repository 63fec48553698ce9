"""The three scripts, on a real Valkey and on Redis 6.2."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from presence.identity import Identity, name
from presence.ledger import Ledger
from presence.naming import Names

OLD, NEW = (Identity(b"a secret of the tests that is long enough").key_of_day("demo", day) for day in ("1", "2"))
READERS = [b"%016d" % number for number in range(10)]
NEVER = 9_999_999_999_999


@pytest.fixture
def ledger(redis: Redis, prefix: str) -> Ledger:
    return Ledger(redis, prefix)


async def now_ms(redis: Redis) -> int:
    seconds, microseconds = await redis.time()
    return int(seconds * 1000 + microseconds // 1000)


async def names_held(redis: Redis, ledger: Ledger) -> set[object]:
    return {*await redis.zrange(ledger.key("demo", 0), 0, -1)}


async def lapses_in(redis: Redis, ledger: Ledger, reader: bytes, key: bytes = NEW) -> float:
    """Seconds until the lease of `reader` lapses."""
    score = await redis.zscore(ledger.key("demo", 0), name(key, reader))
    assert score is not None
    return (float(score) - await now_ms(redis)) / 1000


async def test_inherited_leases_are_cut_and_short_ones_stay(
    redis: Redis, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("presence.ledger.INHERITED", 3)
    await ledger.renew("demo", 0, READERS[:8], Names((NEW,), NEVER), 30.0)
    await ledger.renew("demo", 0, READERS[8:], Names((NEW,), NEVER), 2.0)
    assert await ledger.inherit("demo", 5.0) == 8
    assert all([4.0 < await lapses_in(redis, ledger, reader) <= 5.0 for reader in READERS[:8]])
    assert all([await lapses_in(redis, ledger, reader) <= 2.0 for reader in READERS[8:]])
    assert await ledger.inherit("demo", 5.0) == 0
    # Whoever comes back has a whole lease again.
    await ledger.renew("demo", 0, READERS[:1], Names((NEW,), NEVER), 30.0)
    assert await lapses_in(redis, ledger, READERS[0]) > 25


async def test_a_lease_is_counted_until_it_lapses(ledger: Ledger) -> None:
    assert await ledger.renew("demo", 0, READERS, Names((NEW,), NEVER), 30.0) == 10
    assert (await ledger.count("demo")).online == 10
    assert await ledger.renew("demo", 0, READERS[:1], Names((OLD,), NEVER), 0.0) == 1
    assert (await ledger.count("demo")).online == 10


async def test_the_time_is_redis_s(redis: Redis, ledger: Ledger) -> None:
    before = await now_ms(redis)
    tally = await ledger.count("demo")
    assert before <= tally.at_ms <= await now_ms(redis)
    assert ledger.store_clock.known


async def test_a_renewal_counts_nobody_twice_and_never_shortens(redis: Redis, ledger: Ledger) -> None:
    names = Names((NEW,), NEVER)
    await ledger.renew("demo", 0, READERS, names, 30.0)
    assert await ledger.renew("demo", 0, READERS, names, 5.0) == 0
    assert await lapses_in(redis, ledger, READERS[0]) > 29
    assert await ledger.renew("demo", 0, READERS, names, 60.0) == 0
    assert await lapses_in(redis, ledger, READERS[0]) > 59
    assert (await ledger.count("demo")).online == 10


async def test_a_departure_shortens_and_never_lengthens(redis: Redis, ledger: Ledger) -> None:
    names = Names((NEW,), NEVER)
    await ledger.renew("demo", 0, READERS[:2], names, 30.0)
    assert await ledger.leave("demo", 0, READERS[:1], names, 12.0) == 1
    assert 11 < await lapses_in(redis, ledger, READERS[0]) <= 12
    assert await ledger.leave("demo", 0, READERS[:1], names, 60.0) == 0
    assert await lapses_in(redis, ledger, READERS[0]) <= 12


async def test_a_departure_of_somebody_unknown_adds_nobody(redis: Redis, ledger: Ledger) -> None:
    assert await ledger.leave("demo", 0, READERS, Names((OLD, NEW), NEVER), 12.0) == 0
    assert await names_held(redis, ledger) == set()


async def test_a_reader_renewed_elsewhere_outlives_a_departure(redis: Redis, ledger: Ledger) -> None:
    names = Names((NEW,), NEVER)
    await ledger.renew("demo", 0, READERS[:1], names, 30.0)
    await ledger.leave("demo", 0, READERS[:1], names, 12.0)
    await ledger.renew("demo", 0, READERS[:1], names, 30.0)
    assert await lapses_in(redis, ledger, READERS[0]) > 29


async def test_before_midnight_the_old_name_is_in_force(redis: Redis, ledger: Ledger) -> None:
    await ledger.renew("demo", 0, READERS, Names((OLD, NEW), NEVER), 30.0)
    assert await names_held(redis, ledger) == {name(OLD, reader) for reader in READERS}


async def test_from_midnight_the_new_name_replaces_the_old(redis: Redis, ledger: Ledger) -> None:
    await ledger.renew("demo", 0, READERS, Names((OLD,), NEVER), 30.0)
    midnight = await now_ms(redis)
    await ledger.renew("demo", 0, READERS[:4], Names((OLD, NEW), midnight), 30.0)
    assert await names_held(redis, ledger) == {name(NEW, one) for one in READERS[:4]} | {
        name(OLD, one) for one in READERS[4:]
    }
    assert (await ledger.count("demo")).online == 10


async def test_a_single_name_after_its_midnight_is_refused(redis: Redis, ledger: Ledger) -> None:
    assert await ledger.renew("demo", 0, READERS, Names((OLD,), await now_ms(redis)), 30.0) is None
    assert await names_held(redis, ledger) == set()
    assert (ledger.figures.refused, ledger.figures.batches) == (1, 0)


@pytest.mark.parametrize("stands_under", [OLD, NEW])
async def test_around_midnight_a_departure_finds_either_name(redis: Redis, ledger: Ledger, stands_under: bytes) -> None:
    await ledger.renew("demo", 0, READERS[:1], Names((stands_under,), NEVER), 30.0)
    await ledger.leave("demo", 0, READERS[:1], Names((OLD, NEW), NEVER), 12.0)
    assert await lapses_in(redis, ledger, READERS[0], stands_under) <= 12


async def test_lapsed_leases_are_swept_a_bounded_number_at_a_time(
    redis: Redis, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("presence.ledger.SWEEP", 4)
    await ledger.renew("demo", 0, READERS[:7], Names((OLD,), NEVER), 0.0)
    await ledger.renew("demo", 0, READERS, Names((NEW,), NEVER), 30.0)
    left = []
    for _ in range(3):
        assert (await ledger.count("demo")).online == 10
        left.append(await redis.zcard(ledger.key("demo", 0)))
    assert left == [13, 10, 10]
    assert ledger.figures.swept == 7


async def test_a_site_that_is_given_up_goes_by_itself(redis: Redis, ledger: Ledger) -> None:
    await ledger.renew("demo", 0, READERS, Names((NEW,), NEVER), 30.0)
    assert 30_000 < await redis.pttl(ledger.key("demo", 0)) <= 150_000


async def test_a_reader_s_shard_does_not_change_with_its_name(redis: Redis, prefix: str) -> None:
    ledger = Ledger(redis, prefix, shards=4)
    readers = [b"%016d" % number for number in range(200)]
    for keys in ((OLD,), (OLD, NEW)):
        for shard, share in ledger.by_shard(readers):
            await ledger.renew("demo", shard, share, Names(keys, NEVER if len(keys) == 1 else 0), 30.0)
    assert (await ledger.count("demo")).online == 200
    sizes = [await redis.zcard(ledger.key("demo", shard)) for shard in range(4)]
    assert sum(sizes) == 200
    assert min(sizes) > 20


async def test_all_keys_of_a_shard_share_a_hash_tag(ledger: Ledger, prefix: str) -> None:
    assert ledger.key("demo", 3) == f"{prefix}:presence:{{demo:3}}:site"


async def test_round_trips_are_measured(ledger: Ledger) -> None:
    for _ in range(3):
        await ledger.count("demo")
    assert sum(ledger.figures.round_trips) == 3
    assert ledger.figures.round_trip_seconds > 0
