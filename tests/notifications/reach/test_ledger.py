from __future__ import annotations

from redis.asyncio import Redis

from notifications.keys import Keys
from notifications.reach.ledger import DAY_MS, Ledger
from notifications.reach.outbox import Entry, Names
from notifications.reach.sums import Sums, encode
from tests.notifications.making import announcement

FAR_MS = 4_000_000_000_000


def entry(number: int, *, run: str = "run", connected: int = 1, readers: int = 0, id: str = "a") -> Entry:
    names: Names = {"rendered": {b"%08d" % one for one in range(readers)}} if readers else {}
    return Entry(id, run, number, encode(number, {1: Sums(connected=connected)}), FAR_MS, names, True)


async def test_runs_are_added_up_and_readers_counted_once(redis: Redis, prefix: str) -> None:
    ledger = Ledger(redis, prefix, 90)
    assert await ledger.apply([entry(1, connected=2, readers=3), entry(1, id="b", connected=9)]) == [0, 0]
    assert await ledger.apply([entry(1, run="other", connected=5, readers=4)]) == [0]
    reach = await ledger.read(announcement())
    assert (reach.connected, reach.rendered, reach.clicked) == (7, 4, 0)
    assert (await ledger.read(announcement("b"))).connected == 9


async def test_a_write_may_be_repeated_and_an_older_one_comes_too_late(redis: Redis, prefix: str) -> None:
    ledger = Ledger(redis, prefix, 90)
    for number in (1, 1, 2, 2, 1):
        await ledger.apply([entry(number, connected=10 * number, readers=number)])
    reach = await ledger.read(announcement())
    assert (reach.connected, reach.rendered) == (20, 2)
    assert await ledger.apply([entry(3)]) == [2]


async def test_all_of_it_goes_some_days_after_the_end(redis: Redis, prefix: str) -> None:
    ledger = Ledger(redis, prefix, 90)
    await ledger.apply([entry(1, readers=1)])
    keys = Keys(prefix).reach("a")
    left = [await redis.pttl(key) for key in keys]
    seconds, _ = await redis.time()
    wanted = FAR_MS + 90 * DAY_MS - 1000 * seconds
    assert [abs(one - wanted) < 60_000 for one in left[:2]] == [True, True]
    assert left[2:] == [-2, -2], "nobody has clicked or dismissed, so there is no key"


async def test_reading_writes_nothing(redis: Redis, prefix: str) -> None:
    reach = await Ledger(redis, prefix, 90).read(announcement())
    assert (reach.connected, reach.rendered, reach.p50_ms) == (0, 0, None)
    assert await redis.keys(f"{prefix}:*") == []


async def test_ten_thousand_readers_are_one_command_and_counted_within_the_error(valkey: Redis, prefix: str) -> None:
    ledger = Ledger(valkey, prefix, 90)
    assert await ledger.apply([entry(1, readers=10_000)]) == [0]
    reach = await ledger.read(announcement())
    assert abs(reach.rendered - 10_000) < 4 * reach.error * 10_000
