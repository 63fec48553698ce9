"""The scripts, on a real Valkey and on Redis 6.2."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from redis.asyncio import Redis

from presence.apart import Apart
from presence.holding import Departure
from presence.identity import Identity, name
from presence.ledger import TEND_SECONDS, Ledger, ToCount
from presence.naming import Names
from presence.places import Place
from presence.roster import Attention, Reader, Tab

OLD, NEW = (Identity(b"a secret of the tests that is long enough").key_of_day("demo", day) for day in ("1", "2"))
NEVER = 9_999_999_999_999


def reader_of(number: int, attention: Attention = Attention.READING, *places: Place) -> Reader:
    """A reader with one tab."""
    reader = Reader(b"%016d" % number, [])
    section, page = places if len(places) == 2 else (None, *places) if places else (None, None)
    reader.tabs.append(Tab(reader, attention, section, page))
    return reader


READERS = [reader_of(number) for number in range(10)]


def gone(readers: Iterable[Reader], place: Place | None = None) -> list[Departure]:
    return [Departure(reader.id, place, 0.0) for reader in readers]


class Scripts(Ledger):
    """A ledger whose grace is 12 seconds, as it is by default."""

    async def renew(self, *arguments: Any, grace_seconds: float = 12.0) -> int | None:
        return await super().renew(*arguments, grace_seconds=grace_seconds)


@pytest.fixture
def ledger(redis: Redis, prefix: str) -> Scripts:
    return Scripts(redis, prefix)


async def now_ms(redis: Redis) -> int:
    seconds, microseconds = await redis.time()
    return int(seconds * 1000 + microseconds // 1000)


async def names_held(redis: Redis, ledger: Ledger) -> set[object]:
    return {name for key in ledger.keys("demo", 0) for name in await redis.zrange(key, 0, -1)}


async def lapses_in(
    redis: Redis, ledger: Ledger, reader: Reader, key: bytes = NEW, *, since_ms: int | None = None
) -> float:
    """Seconds until the lease of `reader` lapses; from `since_ms` on, where a busy machine must not shorten them."""
    score = await redis.zscore(ledger.keys("demo", 0)[reader.attention], name(key, reader.id))
    assert score is not None
    return (float(score) - (await now_ms(redis) if since_ms is None else since_ms)) / 1000


async def test_inherited_leases_are_cut_and_short_ones_stay(
    redis: Redis, ledger: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("presence.ledger.INHERITED", 3)
    await ledger.renew("demo", 0, READERS[:8], Names((NEW,), NEVER), 30.0)
    await ledger.renew("demo", 0, READERS[8:], Names((NEW,), NEVER), 2.0)
    began = await now_ms(redis)
    assert await ledger.inherit("demo", 5.0) == 8
    assert all([await lapses_in(redis, ledger, reader) <= 5.0 for reader in READERS[:8]])
    assert all([await lapses_in(redis, ledger, reader, since_ms=began) >= 5.0 for reader in READERS[:8]])
    assert all([await lapses_in(redis, ledger, reader) <= 2.0 for reader in READERS[8:]])
    assert await ledger.inherit("demo", 5.0) == 0
    # Whoever comes back has a whole lease again.
    began = await now_ms(redis)
    await ledger.renew("demo", 0, READERS[:1], Names((NEW,), NEVER), 30.0)
    assert await lapses_in(redis, ledger, READERS[0], since_ms=began) >= 30


async def test_a_lease_is_counted_until_it_lapses(ledger: Scripts) -> None:
    assert await ledger.renew("demo", 0, READERS, Names((NEW,), NEVER), 30.0) == 10
    assert (await ledger.count("demo")).online == 10
    assert await ledger.renew("demo", 0, READERS[:1], Names((OLD,), NEVER), 0.0) == 1
    assert (await ledger.count("demo")).online == 10


async def test_sites_are_counted_together_each_with_what_is_its_own(
    redis: Redis, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than one round trip, and one that ends between the shards of a site.
    monkeypatch.setattr("presence.ledger.COUNTS", 4)
    ledger = Scripts(redis, prefix, shards=3)
    sites = [f"portal-{number}" for number in range(5)]
    for number, site in enumerate(sites):
        for reader in READERS[: 2 * number]:
            await ledger.renew(site, ledger.shard_of(reader.id), [reader], Names((NEW,), NEVER), 30.0)
    # A store that came back knows no scripts.
    await redis.script_flush()
    trips = sum(ledger.figures.round_trips)
    tallies = await ledger.count_all([ToCount(site, Apart(robots=number)) for number, site in enumerate(sites)])
    assert [tally.online for tally in tallies] == [0, 2, 4, 6, 8]
    assert [tally.apart for tally in tallies] == [Apart(robots=number) for number in range(5)]
    assert sum(ledger.figures.round_trips) - trips == 4
    assert (await ledger.count(sites[4])).online == 8
    assert await ledger.count_all([]) == []


async def test_the_time_is_redis_s(redis: Redis, ledger: Scripts) -> None:
    before = await now_ms(redis)
    tally = await ledger.count("demo")
    assert before <= tally.at_ms <= await now_ms(redis)
    assert ledger.store_clock.known


async def test_a_renewal_counts_nobody_twice_and_never_shortens(redis: Redis, ledger: Scripts) -> None:
    names = Names((NEW,), NEVER)
    began = await now_ms(redis)
    await ledger.renew("demo", 0, READERS, names, 30.0)
    assert await ledger.renew("demo", 0, READERS, names, 5.0) == 0
    assert await lapses_in(redis, ledger, READERS[0], since_ms=began) >= 30
    assert await ledger.renew("demo", 0, READERS, names, 60.0) == 0
    assert await lapses_in(redis, ledger, READERS[0], since_ms=began) >= 60
    assert (await ledger.count("demo")).online == 10


async def test_a_departure_shortens_and_never_lengthens(redis: Redis, ledger: Scripts) -> None:
    names = Names((NEW,), NEVER)
    await ledger.renew("demo", 0, READERS[:2], names, 30.0)
    began = await now_ms(redis)
    assert await ledger.leave("demo", 0, gone(READERS[:1]), names, 12.0) == 1
    assert await lapses_in(redis, ledger, READERS[0], since_ms=began) >= 12
    assert await lapses_in(redis, ledger, READERS[0]) <= 12
    assert await ledger.leave("demo", 0, gone(READERS[:1]), names, 60.0) == 0
    assert await lapses_in(redis, ledger, READERS[0]) <= 12


async def test_a_departure_of_somebody_unknown_adds_nobody(redis: Redis, ledger: Scripts) -> None:
    assert await ledger.leave("demo", 0, gone(READERS), Names((OLD, NEW), NEVER), 12.0) == 0
    assert await names_held(redis, ledger) == set()


async def test_a_reader_renewed_elsewhere_outlives_a_departure(redis: Redis, ledger: Scripts) -> None:
    names = Names((NEW,), NEVER)
    await ledger.renew("demo", 0, READERS[:1], names, 30.0)
    await ledger.leave("demo", 0, gone(READERS[:1]), names, 12.0)
    began = await now_ms(redis)
    await ledger.renew("demo", 0, READERS[:1], names, 30.0)
    assert await lapses_in(redis, ledger, READERS[0], since_ms=began) >= 30


async def test_before_midnight_the_old_name_is_in_force(redis: Redis, ledger: Scripts) -> None:
    await ledger.renew("demo", 0, READERS, Names((OLD, NEW), NEVER), 30.0)
    assert await names_held(redis, ledger) == {name(OLD, reader.id) for reader in READERS}


async def test_from_midnight_the_new_name_replaces_the_old(redis: Redis, ledger: Scripts) -> None:
    await ledger.renew("demo", 0, READERS, Names((OLD,), NEVER), 30.0)
    midnight = await now_ms(redis)
    await ledger.renew("demo", 0, READERS[:4], Names((OLD, NEW), midnight), 30.0)
    assert await names_held(redis, ledger) == {name(NEW, one.id) for one in READERS[:4]} | {
        name(OLD, one.id) for one in READERS[4:]
    }
    assert (await ledger.count("demo")).online == 10


async def test_a_single_name_after_its_midnight_is_refused(redis: Redis, ledger: Scripts) -> None:
    assert await ledger.renew("demo", 0, READERS, Names((OLD,), await now_ms(redis)), 30.0) is None
    assert await names_held(redis, ledger) == set()
    assert (ledger.figures.refused, ledger.figures.batches) == (1, 0)


@pytest.mark.parametrize("stands_under", [OLD, NEW])
async def test_around_midnight_a_departure_finds_either_name(redis: Redis, ledger: Ledger, stands_under: bytes) -> None:
    await ledger.renew("demo", 0, READERS[:1], Names((stands_under,), NEVER), 30.0)
    await ledger.leave("demo", 0, gone(READERS[:1]), Names((OLD, NEW), NEVER), 12.0)
    assert await lapses_in(redis, ledger, READERS[0], stands_under) <= 12


async def test_lapsed_leases_are_swept_a_bounded_number_at_a_time(
    redis: Redis, ledger: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("presence.ledger.SWEEP", 4)
    await ledger.renew("demo", 0, READERS[:7], Names((OLD,), NEVER), 0.0)
    await ledger.renew("demo", 0, READERS, Names((NEW,), NEVER), 30.0)
    left = []
    for _ in range(3):
        assert (await ledger.count("demo")).online == 10
        left.append(await redis.zcard(ledger.keys("demo", 0)[0]))
    assert left == [13, 10, 10]
    assert ledger.figures.swept == 7


async def test_a_site_that_is_given_up_goes_by_itself(redis: Redis, ledger: Scripts) -> None:
    await ledger.renew("demo", 0, READERS, Names((NEW,), NEVER), 30.0)
    assert 30_000 < await redis.pttl(ledger.keys("demo", 0)[0]) <= 150_000


async def test_a_reader_s_shard_does_not_change_with_its_name(redis: Redis, prefix: str) -> None:
    ledger = Scripts(redis, prefix, shards=4)
    readers = [reader_of(number) for number in range(200)]
    for keys in ((OLD,), (OLD, NEW)):
        for shard in range(4):
            share = [reader for reader in readers if ledger.shard_of(reader.id) == shard]
            await ledger.renew("demo", shard, share, Names(keys, NEVER if len(keys) == 1 else 0), 30.0)
    assert (await ledger.count("demo")).online == 200
    sizes = [await redis.zcard(ledger.keys("demo", shard)[0]) for shard in range(4)]
    assert sum(sizes) == 200
    assert min(sizes) > 20


async def test_all_keys_of_a_shard_share_a_hash_tag(ledger: Ledger, prefix: str) -> None:
    tag = f"{prefix}:presence:{{demo:3}}"
    assert ledger.keys("demo", 3) == [f"{tag}:reading", f"{tag}:idle", f"{tag}:background"]
    assert ledger.place_key("demo", 3, Place("page", "/a:b", "")) == f"{tag}:page:/a:b"


async def test_round_trips_are_measured(ledger: Scripts) -> None:
    for _ in range(3):
        await ledger.count("demo")
    assert sum(ledger.figures.round_trips) == 3
    assert ledger.figures.round_trip_seconds > 0


# -- what readers do


async def states(ledger: Ledger) -> tuple[int, int, int]:
    reading, idle, background, *_ = await ledger.count("demo")
    return reading, idle, background


async def test_readers_are_counted_by_what_they_do(ledger: Scripts) -> None:
    some = [reader_of(number, Attention(number % 3)) for number in range(8)]
    assert await ledger.renew("demo", 0, some, Names((NEW,), NEVER), 30.0) == 8
    assert await states(ledger) == (3, 3, 2)
    assert await ledger.renew("demo", 0, some, Names((NEW,), NEVER), 30.0) == 0


@pytest.mark.parametrize("before", [Attention.IDLE, Attention.BACKGROUND])
async def test_who_turns_to_a_page_is_reading_at_once(ledger: Scripts, before: Attention) -> None:
    names = Names((NEW,), NEVER)
    await ledger.renew("demo", 0, [reader_of(1, before)], names, 30.0)
    assert await ledger.renew("demo", 0, [reader_of(1)], names, 30.0) == 0, "the reader has just moved"
    assert await states(ledger) == (1, 0, 0)


@pytest.mark.parametrize("after", [Attention.IDLE, Attention.BACKGROUND])
async def test_who_turns_away_is_so_when_nobody_has_said_otherwise_for_a_grace(
    redis: Redis, ledger: Scripts, after: Attention
) -> None:
    """Redis cannot tell whether another worker holds a tab that is read: it waits for that worker's renewal."""
    names = Names((NEW,), NEVER)
    await ledger.renew("demo", 0, [reader_of(1)], names, 30.0)
    assert await ledger.renew("demo", 0, [reader_of(1, after)], names, 30.0) == 0
    assert await states(ledger) == (1, 0, 0)
    # As if the last renewal had been a grace ago.
    await redis.zadd(ledger.keys("demo", 0)[0], {name(NEW, READERS[1].id): await now_ms(redis) + 18_000})
    assert await ledger.renew("demo", 0, [reader_of(1, after)], names, 30.0) == 0
    assert (await states(ledger))[after] == 1
    assert (await ledger.count("demo")).online == 1


async def test_one_that_is_read_elsewhere_stays_read(redis: Redis, ledger: Scripts) -> None:
    names = Names((NEW,), NEVER)
    # All ten times as long as usual, so that nothing lapses while a machine stands still.
    lease, grace = 300.0, 120.0
    await ledger.renew("demo", 0, [reader_of(1)], names, lease, grace_seconds=grace)
    for _ in range(3):
        # The other worker's renewal is nearly as late as it may be.
        await redis.zadd(ledger.keys("demo", 0)[0], {name(NEW, READERS[1].id): await now_ms(redis) + 210_000})
        await ledger.renew("demo", 0, [reader_of(1, Attention.BACKGROUND)], names, lease, grace_seconds=grace)
        assert await states(ledger) == (1, 0, 0)
        await ledger.renew("demo", 0, [reader_of(1)], names, lease, grace_seconds=grace)


async def test_a_lapsed_reading_is_no_obstacle(ledger: Scripts) -> None:
    names = Names((NEW,), NEVER)
    await ledger.renew("demo", 0, [reader_of(1)], names, 0.0)
    assert await ledger.renew("demo", 0, [reader_of(1, Attention.IDLE)], names, 30.0) == 1
    assert await states(ledger) == (0, 1, 0)


async def test_a_departure_ends_a_lease_whatever_the_reader_did(redis: Redis, ledger: Scripts) -> None:
    names = Names((NEW,), NEVER)
    some = [reader_of(number, Attention(number % 3)) for number in range(6)]
    await ledger.renew("demo", 0, some, names, 30.0)
    assert await ledger.leave("demo", 0, gone(some), names, 12.0) == 6
    assert all([await lapses_in(redis, ledger, reader) <= 12 for reader in some])


async def test_from_midnight_nobody_is_there_twice_whatever_they_did(redis: Redis, ledger: Scripts) -> None:
    some = [reader_of(number, Attention(number % 3)) for number in range(6)]
    await ledger.renew("demo", 0, some, Names((OLD,), NEVER), 30.0)
    turned = [reader_of(number, Attention((number + 1) % 3)) for number in range(6)]
    await ledger.renew("demo", 0, turned, Names((OLD, NEW), await now_ms(redis)), 30.0)
    assert await names_held(redis, ledger) == {name(NEW, reader.id) for reader in some}
    assert await states(ledger) == (2, 2, 2)


# -- where they are


async def test_readers_are_counted_where_they_are(ledger: Scripts) -> None:
    news, sport = Place("section", "news", ""), Place("section", "sport", "")
    first, second = Place("page", "/1", ""), Place("page", "/2", "")
    some = [reader_of(1, Attention.READING, news, first), reader_of(2, Attention.IDLE, news, second)]
    some.append(reader_of(3, Attention.READING, sport, second))
    both = reader_of(4, Attention.READING, news, first)
    both.tabs.append(Tab(both, Attention.BACKGROUND, news, second))
    await ledger.renew("demo", 0, [*some, both], Names((NEW,), NEVER), 30.0)
    asked = [news, sport, first, second, Place("page", "/none", "")]
    assert await ledger.count_places("demo", asked) == [3, 1, 2, 3, 0]
    await ledger.leave("demo", 0, gone([both], first), Names((NEW,), NEVER), 0.0)
    assert await ledger.count_places("demo", asked) == [3, 1, 1, 3, 0]
    assert (await ledger.count("demo")).online == 4


async def test_around_midnight_nobody_is_on_a_page_twice(redis: Redis, ledger: Scripts) -> None:
    page = Place("page", "/1", "")
    some = [reader_of(number, Attention.READING, page) for number in range(4)]
    await ledger.renew("demo", 0, some, Names((OLD,), NEVER), 30.0)
    await ledger.renew("demo", 0, some, Names((OLD, NEW), await now_ms(redis)), 30.0)
    assert await ledger.count_places("demo", [page]) == [4]
    held = await redis.zrange(ledger.place_key("demo", 0, page), 0, -1)
    assert {*held} == {name(NEW, reader.id) for reader in some}


async def test_a_page_that_nobody_counts_is_swept_by_those_who_come(redis: Redis, ledger: Scripts) -> None:
    page = Place("page", "/1", "")
    names = Names((NEW,), NEVER)
    await ledger.renew("demo", 0, [reader_of(number, Attention.READING, page) for number in range(5)], names, 0.0)
    await ledger.renew("demo", 0, [reader_of(9, Attention.READING, page)], names, 30.0)
    assert await redis.zcard(ledger.place_key("demo", 0, page)) == 1
    assert 30_000 < await redis.pttl(ledger.place_key("demo", 0, page)) <= 150_000


async def test_many_places_are_counted_in_several_commands(ledger: Scripts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("presence.ledger.PLACES", 3)
    pages = [Place("page", f"/{number}", "") for number in range(8)]
    some = [reader_of(number, Attention.READING, pages[number]) for number in range(8)]
    await ledger.renew("demo", 0, some[:7], Names((NEW,), NEVER), 30.0)
    assert await ledger.count_places("demo", pages) == [1, 1, 1, 1, 1, 1, 1, 0]


async def test_a_place_is_tended_now_and_then(redis: Redis, prefix: str) -> None:
    clock = [0.0]
    ledger = Ledger(redis, prefix, clock=lambda: clock[0])
    page = Place("page", "/tin-tuc/1.html", "")
    key = ledger.place_key("demo", 0, page)
    readers = [reader_of(number, Attention.READING, page) for number in range(3)]

    async def renew() -> None:
        await ledger.renew("demo", 0, readers, Names((NEW,), NEVER), 30.0, grace_seconds=12.0)

    await renew()
    await redis.zadd(key, {b"lapsed": 1})
    await redis.persist(key)
    await renew()
    # Setting the backstop and sweeping at each renewal would cost as much as the leases themselves.
    assert await redis.pttl(key) == -1
    assert await redis.zcard(key) == 4
    clock[0] += TEND_SECONDS
    await renew()
    assert 30_000 < await redis.pttl(key) <= 150_000
    assert await redis.zcard(key) == 3


async def test_a_place_with_more_to_sweep_is_tended_until_it_is_swept(redis: Redis, ledger: Scripts) -> None:
    page = Place("page", "/tin-tuc/1.html", "")
    key = ledger.place_key("demo", 0, page)
    readers = [reader_of(1, Attention.READING, page)]
    await redis.zadd(key, {f"lapsed {number}": 1 for number in range(2500)})
    for left in (1501, 501, 1):
        await ledger.renew("demo", 0, readers, Names((NEW,), NEVER), 30.0)
        assert await redis.zcard(key) == left


async def test_a_batch_that_is_refused_tends_nothing(redis: Redis, ledger: Scripts) -> None:
    page = Place("page", "/tin-tuc/1.html", "")
    readers = [reader_of(1, Attention.READING, page)]
    assert await ledger.renew("demo", 0, readers, Names((OLD,), 1), 30.0) is None
    await redis.zadd(ledger.place_key("demo", 0, page), {b"lapsed": 1})
    await ledger.renew("demo", 0, readers, Names((NEW,), NEVER), 30.0)
    assert await redis.zcard(ledger.place_key("demo", 0, page)) == 1
