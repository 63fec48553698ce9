from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from redis.asyncio import Redis
from websockets.asyncio.server import ServerConnection, serve

from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.hub import Hub
from gateway.listening import listen
from gateway.settings import GatewaySettings
from gateway.sites import SiteSettings
from notifications import watch
from notifications.announcement import for_browsers
from notifications.client import Service
from notifications.feed import Feed
from notifications.log import Log
from notifications.watch import Watcher
from settings.commandline import Failure
from store.connection import connect
from store.settings import RedisSettings
from tests.notifications.conftest import SETTINGS
from tests.notifications.making import announcement, by, draft
from tests.patience import until

LIVE = for_browsers(announcement("a", title="Lũ lên\x1b[2J", url="https://a.vn/x"))


def welcome(*announcements: object, **members: object) -> str:
    told: dict[str, object] = {
        "type": "welcome",
        "reconnect": {"base_ms": 1, "cap_ms": 2},
        "visitor": "secret",
        "online": 5716,
        "stale": False,
        "announcements": announcements,
        "full": True,
        "cursor": "9f2c41d0.1",
    }
    return msgspec.json.encode({**told, **members}).decode()


def frame(type: str, **members: object) -> str:
    return msgspec.json.encode({"type": type, **members}).decode()


Script = Callable[[ServerConnection], Awaitable[None]]


@contextlib.asynccontextmanager
async def followed(
    script: Script, *, as_json: bool = False, tests: bool = False
) -> AsyncIterator[tuple[Watcher, list[str]]]:
    """A watcher while a server speaks to it by `script`, and what it prints."""
    said: list[str] = []
    async with serve(script, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        watcher = Watcher(Service(f"http://127.0.0.1:{port}", local=True), "demo", as_json, said.append, tests=tests)
        task = asyncio.create_task(watcher.run())
        try:
            yield watcher, said
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@contextlib.asynccontextmanager
async def watching(script: Script, *, as_json: bool = False) -> AsyncIterator[list[str]]:
    """What ``loa watch`` prints while a server speaks to it by `script`."""
    async with followed(script, as_json=as_json) as (_, said):
        yield said


def plain(said: list[str]) -> list[str]:
    """Lines without time and site, and without colours."""
    return [re.sub(r"\x1b\[[0-9;]*m", "", line)[16:] for line in said]


async def test_prints_counts_and_announcements_once() -> None:
    async def script(connection: ServerConnection) -> None:
        await connection.send(welcome(LIVE))
        for online in (5716, 5717, 5717, 1):
            await connection.send(frame("presence", online=online, stale=False))
        await connection.send(frame("presence", online=1, stale=True))
        await connection.send(frame("announcement", **LIVE))
        corrected = {**LIVE, "revision": 2, "title": "Đính chính", "updated_at": LIVE["expires_at"]}
        await connection.send(frame("announcement", **corrected))
        await connection.send(frame("announcement", **LIVE))
        await connection.send("no JSON")
        await connection.send(frame("tick"))
        await connection.send(frame("announcement", **{**LIVE, "revision": 3, "status": "recalled"}))
        await connection.wait_closed()

    async with watching(script) as said:
        await until(lambda: bool(said) and "recalled" in said[-1])
        until_then = LIVE["expires_at"]
        assert plain(said) == [
            "5,716 readers",
            f"notice    Lũ lên [2J  https://a.vn/x  (a, until {until_then})",
            "5,717 readers",
            "1 reader",
            "1 reader, not fresh: the store is away",
            f"notice    Đính chính  https://a.vn/x  (a, revision 2, until {until_then})",
            "recalled  Lũ lên [2J  (a)",
        ]


async def test_follows_tests_where_it_is_told_to_and_marks_them() -> None:
    queries: list[dict[str, list[str]]] = []

    async def script(connection: ServerConnection) -> None:
        assert connection.request is not None
        queries.append(parse_qs(urlsplit(connection.request.path).query))
        # Written three times before it was published: nobody has corrected it.
        await connection.send(welcome({**LIVE, "revision": 3, "test": True}))
        await connection.wait_closed()

    async with watching(script) as said:
        await until(lambda: len(said) > 1)
    async with followed(script, tests=True) as (_, heard):
        await until(lambda: len(heard) > 1)
    assert [query.get("tests") for query in queries] == [None, ["1"]]
    assert plain(heard)[1].startswith("notice    [TEST] Lũ lên")
    assert "revision" not in plain(heard)[1]


async def test_comes_back_from_where_it_was_and_is_not_counted() -> None:
    queries: list[dict[str, list[str]]] = []

    async def script(connection: ServerConnection) -> None:
        assert connection.request is not None
        assert "Origin" not in connection.request.headers
        queries.append(parse_qs(urlsplit(connection.request.path).query))
        if len(queries) == 1:
            await connection.send(welcome(LIVE))
            await connection.close(1012, '{"retry_ms":1}')
        else:
            await connection.send(welcome(full=False, cursor="9f2c41d0.2"))
            await connection.wait_closed()

    async with watching(script) as said:
        await until(lambda: bool(said) and "again" in said[-1] and "trying" not in said[-1])
        lost, back = plain(said)[-2:]
        assert lost.startswith("lost, trying again: ")
        assert back == "connected again"
    assert [query["watch"] for query in queries] == [["1"], ["1"]]
    assert "since" not in queries[0]
    assert queries[1]["since"] == ["9f2c41d0.1"]


async def test_what_a_full_welcome_does_not_name_is_over() -> None:
    async def script(connection: ServerConnection) -> None:
        await connection.send(welcome(LIVE))
        await connection.send(welcome())
        await connection.wait_closed()

    async with watching(script) as said:
        await until(lambda: bool(said) and "over" in said[-1])


async def test_json_is_a_frame_a_line_without_the_visitor() -> None:
    async def script(connection: ServerConnection) -> None:
        await connection.send(welcome(LIVE))
        await connection.send(frame("presence", online=1, stale=False))
        await connection.wait_closed()

    async with watching(script, as_json=True) as said:
        await until(lambda: len(said) >= 2)
        frames = [msgspec.json.decode(line) for line in said]
        assert [one["type"] for one in frames[:2]] == ["welcome", "presence"]
        assert "visitor" not in frames[0]


async def test_goes_on_trying_while_nobody_answers(nobodys_port: int) -> None:
    said: list[str] = []
    service = Service(f"http://127.0.0.1:{nobodys_port}", local=True)
    task = asyncio.create_task(Watcher(service, "demo", False, said.append).run())
    await until(lambda: bool(said))
    assert "lost, trying again" in said[0]
    assert not task.done()
    task.cancel()


async def test_takes_a_welcome_of_any_length() -> None:
    """As many announcements as may be active, each as long as may be: far over the usual limit of a message."""
    many = [for_browsers(announcement(f"a{number}", body="ặ" * 1_000)) for number in range(2_000)]
    greeted = welcome(*many)
    assert len(greeted) > 1024 * 1024

    async def script(connection: ServerConnection) -> None:
        await connection.send(greeted)
        await connection.wait_closed()

    async with watching(script, as_json=True) as said:
        await until(lambda: bool(said))
        heard = msgspec.json.decode(said[0])
        assert heard["type"] == "welcome"
        assert len(heard["announcements"]) == 2_000


async def test_a_welcome_and_a_hang_up_count_as_a_failure() -> None:
    """Each of them makes the next pause longer, though every connection was made."""

    async def script(connection: ServerConnection) -> None:
        await connection.send(welcome())
        await connection.close(1009)

    async with followed(script) as (watcher, said):
        await until(lambda: watcher.failures >= 4)
        assert sum("connected again" in line for line in said) >= 2


async def test_a_connection_that_lasted_makes_good_what_failed_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_SOUND_SECONDS", -1.0)  # every connection has lasted
    connections = 0

    async def script(connection: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await connection.send(welcome())
        await connection.close(1012)

    async with followed(script) as (watcher, _):
        await until(lambda: connections >= 4)
        assert watcher.failures <= 1


async def test_an_outage_of_any_length_is_outlasted(nobodys_port: int) -> None:
    """So many doublings of a pause are no number that fits anywhere."""
    watcher = Watcher(Service(f"http://127.0.0.1:{nobodys_port}", local=True), "demo", False, print)
    watcher.failures = 5_000
    watcher._cap_seconds = 0.001
    task = asyncio.create_task(watcher.run())
    await until(lambda: task.done() or watcher.failures > 5_001)
    assert not task.done()
    task.cancel()


async def test_says_once_that_it_is_lost(nobodys_port: int) -> None:
    said: list[str] = []
    service = Service(f"http://127.0.0.1:{nobodys_port}", local=True)
    watcher = Watcher(service, "demo", True, said.append)
    watcher._cap_seconds = 0.001
    task = asyncio.create_task(watcher.run())
    await until(lambda: watcher.failures > 2)
    assert [msgspec.json.decode(line)["type"] for line in said] == ["lost"]
    task.cancel()


@pytest.fixture
async def house(store_url: str, prefix: str) -> AsyncIterator[tuple[Service, Hub]]:
    """The gate with a feed behind it."""
    client = connect(RedisSettings(), store_url, connections=1)
    hub = Hub(65_536)
    desk = FrontDesk(GatewaySettings(), {"demo": SiteSettings(), "tinh": SiteSettings()}, hub)
    feed = Feed(Log(client, prefix, SETTINGS), hub)
    desk.greet_with(feed.greet)
    task = asyncio.create_task(feed.run())
    server = await listen(Door(GatewaySettings(), desk), None, "127.0.0.1", 0)
    await until(lambda: feed.fresh)
    yield Service(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", local=True), hub
    server.close()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await client.aclose()


async def test_hears_of_an_announcement_through_the_real_gate(
    house: tuple[Service, Hub], redis: Redis, prefix: str
) -> None:
    service, hub = house
    log = Log(redis, prefix, SETTINGS)
    before = (await log.publish(draft(title="trước"), by=by("t"))).announcement
    said: list[Any] = []
    task = asyncio.create_task(
        Watcher(service, "demo", True, lambda line: said.append(msgspec.json.decode(line))).run()
    )
    await until(lambda: hub.total == 1)
    after = (await log.publish(draft(title="sau"), by=by("t"))).announcement
    await log.publish(draft(title="nơi khác", sites=("tinh",)), by=by("t"))
    await log.recall(before.id, by=by("t"))
    await until(lambda: bool(said) and said[-1].get("status") == "recalled")
    heard = {one["id"] for told in said for one in told.get("announcements", [told])}
    assert heard == {before.id, after.id}
    assert [told["cursor"].partition(".")[2] for told in said[-2:]] == ["2", "4"]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await until(lambda: hub.total == 0)


async def test_a_site_that_does_not_exist_is_said_at_once(house: tuple[Service, Hub]) -> None:
    service, _ = house
    with pytest.raises(Failure, match="no such site"):
        await Watcher(service, "nowhere", False, print).run()
