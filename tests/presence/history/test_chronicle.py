"""The counters on real stores: each batch once, days that add up, a record, minutes."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from presence.history.books import Numbers, Record
from presence.history.chronicle import Chronicle
from presence.history.oldcounter import Imported
from presence.history.sampling import Minute
from presence.history.series import HOUR_MS, MINUTE_MS, Point, points
from presence.history.tally import Batch

AT = 1_795_651_200_000  # 2026-11-26T00:00:00Z


@pytest.fixture
def chronicle(redis: Redis, prefix: str) -> Chronicle:
    return Chronicle(redis, prefix)


def named(*numbers: int) -> tuple[bytes, ...]:
    return tuple(b"%012d" % number for number in numbers)


async def test_a_batch_counts_once_however_often_it_is_sent(chronicle: Chronicle) -> None:
    batch = Batch(1, "2026-11-26", 3, named(1, 2))
    for _ in range(3):
        assert await chronicle.apply("demo", "run", batch) == 1
    # Another worker has numbers of its own; the same reader there is the same.
    assert await chronicle.apply("demo", "other", Batch(1, "2026-11-26", 1, named(2, 3))) == 1
    books = await chronicle.books("demo", ["2026-11-25", "2026-11-26"])
    assert books.days == {"2026-11-26": Numbers(3, 4)}
    assert books.total == Numbers(3, 4)
    assert books.since == "2026-11-26"
    assert books.record is None
    assert (await chronicle.books("elsewhere", ["2026-11-26"])).days == {}


async def test_a_batch_whose_predecessor_is_missing_waits_for_it(chronicle: Chronicle) -> None:
    assert await chronicle.apply("demo", "run", Batch(3, "2026-11-26", 1, ())) == 0
    assert (await chronicle.books("demo", ["2026-11-26"])).total == Numbers(0, 0)
    assert await chronicle.apply("demo", "run", Batch(3, "2026-11-26", 1, ()), forced=True) == 3
    assert await chronicle.apply("demo", "run", Batch(4, "2026-11-26", 1, ())) == 4
    assert (await chronicle.books("demo", ["2026-11-26"])).days == {"2026-11-26": Numbers(0, 2)}


async def test_the_days_of_two_years_add_up(chronicle: Chronicle) -> None:
    days = ["2026-12-31", "2027-01-01"]
    await chronicle.apply("demo", "run", Batch(1, days[0], 1, named(1)))
    await chronicle.apply("demo", "run", Batch(2, days[1], 2, named(1)))
    # Who was cut off across midnight tells of a day that is over.
    await chronicle.apply("demo", "run", Batch(3, days[0], 4, named(1, 2)))
    books = await chronicle.books("demo", days)
    assert books.days == {days[0]: Numbers(2, 5), days[1]: Numbers(1, 2)}
    assert books.total == Numbers(3, 7)
    assert books.since == days[0]


async def test_readers_are_counted_within_the_error_that_is_stated(chronicle: Chronicle) -> None:
    readers = 20_000
    for first in range(0, readers, 4000):
        batch = Batch(first // 4000 + 1, "2026-11-26", 4000, named(*range(first, first + 4000)))
        await chronicle.apply("demo", "run", batch)
    books = await chronicle.books("demo", ["2026-11-26"])
    # Four standard errors: by chance it is never more, and which names are counted is not left to chance here.
    assert books.total.visits == pytest.approx(readers, rel=4 * 0.0081)
    assert books.total.views == readers


async def test_visits_never_fall_though_what_they_were_counted_from_has_gone(
    chronicle: Chronicle, redis: Redis
) -> None:
    await chronicle.apply("demo", "run", Batch(1, "2026-11-26", 0, named(1, 2, 3)))
    await redis.delete(chronicle.keys("demo").readers("2026-11-26"))
    await chronicle.apply("demo", "run", Batch(2, "2026-11-26", 0, named(9)))
    assert (await chronicle.books("demo", ["2026-11-26"])).total == Numbers(3, 0)


async def test_days_are_kept_and_what_only_serves_to_count_them_is_not(
    chronicle: Chronicle, redis: Redis, prefix: str
) -> None:
    await chronicle.apply("demo", "run", Batch(1, "2026-11-26", 1, named(1)))
    keys = chronicle.keys("demo")
    lifetimes = {key.decode(): await redis.ttl(key) async for key in redis.scan_iter(f"{prefix}:*")}
    for key in (keys.views("2026"), keys.visits("2026"), keys.total):
        assert lifetimes.pop(key) == -1
    assert 0 < lifetimes.pop(keys.readers("2026-11-26")) <= 3 * 86_400
    assert 0 < lifetimes.pop(keys.applied("run")) <= 7 * 86_400
    assert not lifetimes


async def test_the_first_that_reached_the_most_is_the_record(chronicle: Chronicle) -> None:
    assert await chronicle.record("demo", 5, "2026-11-20T02:11:00.000Z") == 5
    assert await chronicle.record("demo", 5, "2026-11-21T02:11:00.000Z") == 5
    assert await chronicle.record("demo", 4, "2026-11-22T02:11:00.000Z") == 5
    assert (await chronicle.books("demo", ["2026-11-26"])).record == Record(5, "2026-11-20T02:11:00.000Z")
    assert await chronicle.record("demo", 6, "2026-11-23T02:11:00.000Z") == 6


async def test_what_was_imported_is_in_the_days_and_the_total_and_is_replaced(chronicle: Chronicle) -> None:
    days = ["2026-11-25", "2026-11-26"]
    await chronicle.apply("demo", "run", Batch(1, days[1], 2, named(1)))
    for _ in range(2):
        await chronicle.replace_imported("demo", Imported(Numbers(1000, 5000), {days[0]: Numbers(10, 20)}))
        books = await chronicle.books("demo", days)
        assert books.days == {days[0]: Numbers(10, 20), days[1]: Numbers(1, 2)}
        assert books.total == Numbers(1001, 5002)
    assert await chronicle.imported("demo") == Imported(Numbers(1000, 5000), {days[0]: Numbers(10, 20)})
    await chronicle.replace_imported("demo", Imported(Numbers(7, 7), {}))
    books = await chronicle.books("demo", days)
    assert books.days == {days[1]: Numbers(1, 2)}
    assert books.total == Numbers(8, 9)


async def test_a_minute_is_written_once_and_makes_its_hour(chronicle: Chronicle, redis: Redis) -> None:
    assert await chronicle.minute("demo", Minute(AT, 10, 8.25, True))
    assert not await chronicle.minute("demo", Minute(AT, 99, 99.0, True))
    assert await chronicle.minute("demo", Minute(AT + 59 * MINUTE_MS, 0, 0.0, True))
    assert await chronicle.minute("demo", Minute(AT + 60 * MINUTE_MS, 7, 7.0, False))
    span = (AT - HOUR_MS, AT + 3 * HOUR_MS)
    minutes = [*points("minute", await chronicle.strings("demo", "minute", *span), *span)]
    assert len(minutes) == 4 * 60
    assert [point for point in minutes if point.peak is not None] == [
        Point(AT, 10, 8.25),
        Point(AT + 59 * MINUTE_MS, 0, 0.0),
        Point(AT + HOUR_MS, 7, 7.0),
    ]
    hours = [*points("hour", await chronicle.strings("demo", "hour", *span), *span)]
    # The mean of the two minutes that were measured, rounded to a hundredth.
    assert hours == [
        Point(AT - HOUR_MS, None, None),
        Point(AT, 10, 4.13),
        Point(AT + HOUR_MS, 7, 7.0),
        Point(AT + 2 * HOUR_MS, None, None),
    ]
    keys = chronicle.keys("demo")
    assert await redis.strlen(keys.minutes("2026-11-26")) == 1440 * 8
    assert await redis.strlen(keys.hours("2026-11")) == 30 * 24 * 8
    assert 14 * 86_400 < await redis.ttl(keys.minutes("2026-11-26")) <= 15 * 86_400
    assert 731 * 86_400 < await redis.ttl(keys.hours("2026-11")) <= 762 * 86_400


async def test_the_store_says_what_time_it_is(chronicle: Chronicle) -> None:
    assert await chronicle.now_ms() > AT - 365 * 86_400_000
