"""The simulated readers against a server that sends them away, and one that lets nobody in at first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from presence import crowd
from presence.crowd import Announced, Crowd, Memory, Target, Welcomed

WELCOME = '{"type":"welcome","visitor":"v%d"}'


@asynccontextmanager
async def server(
    attend: Callable[[ServerConnection, int], Awaitable[None]], refused: range = range(0)
) -> AsyncIterator[tuple[int, list[str]]]:
    """Welcomes those that come, but those of these numbers, then leaves them to `attend`; its port, and who came."""
    came: list[str] = []

    async def admit(connection: ServerConnection, request: Request) -> Response | None:
        came.append(request.path)
        if len(came) - 1 in refused:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "later")
        return None

    async def handle(connection: ServerConnection) -> None:
        number = len(came)
        await connection.send(WELCOME % number)
        await attend(connection, number)

    async with serve(handle, "127.0.0.1", 0, process_request=admit) as running:
        yield next(iter(running.sockets)).getsockname()[1], came


async def settled(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_who_is_sent_away_comes_back_under_the_same_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "BACKOFF_SECONDS", 0.02)

    async def attend(connection: ServerConnection, number: int) -> None:
        if number == 1:
            await connection.close(1012, '{"retry_ms":10}')
        await connection.wait_closed()

    async with server(attend, refused=range(1, 3)) as (port, came):
        readers = Crowd(Target("127.0.0.1", port, False, "demo"), [], lambda: None, lambda *_: None)
        await readers.gather(1)
        await settled(lambda: readers.returned == 1)
        assert readers.sent_away == [0.01]
        assert (readers.connected, readers.failed, readers.ended) == (1, {"HTTP 503": 2}, {})
        assert [path.partition("&visitor=")[2] for path in came] == ["", *["v1&since="] * 3]
        await readers.disperse()


async def test_who_is_sent_away_for_good_stays_away() -> None:
    async def attend(connection: ServerConnection, _: int) -> None:
        await connection.close(1008, "too many")

    async with server(attend) as (port, _):
        readers = Crowd(Target("127.0.0.1", port, False, "demo"), [], lambda: None, lambda *_: None)
        await readers.gather(1)
        await settled(lambda: readers.ended == {"closed with 1008": 1})
        assert (readers.sent_away, readers.returned) == ([], 0)
        await readers.disperse()


async def test_what_was_heard_is_known_and_what_is_told_again_is_counted() -> None:
    news = '{"type":"announcement","id":"%s","revision":%d,"status":"live","cursor":"c.%d"}'

    async def attend(connection: ServerConnection, number: int) -> None:
        if number == 1:
            for one in (("a", 1, 1), ("b", 1, 2), ("b", 1, 2), ("b", 2, 3)):
                await connection.send(news % one)
            await connection.close(1012, '{"retry_ms":10}')
        await connection.wait_closed()

    async with server(attend) as (port, came):
        readers = Crowd(Target("127.0.0.1", port, False, "demo"), [], lambda: None, lambda *_: None)
        await readers.gather(1)
        await settled(lambda: readers.returned == 1)
        assert came[1].endswith("&visitor=v1&since=c.3")
        # Told that nothing is active, it knows of nothing.
        assert (readers.without("a"), readers.told_twice) == (1, 1)
        await readers.disperse()


def test_a_page_that_comes_back_keeps_what_has_not_changed() -> None:
    page = Memory()
    page.welcome(Welcomed(visitor="v", announcements=[Announced("a", 1, "live")], cursor="c.1"))
    page.hear(Announced("b", 1, "live", "c.2"))
    page.welcome(Welcomed(announcements=[Announced("a", 2, "recalled")], full=False, cursor="c.3"))
    assert page.known == {"a": (2, "recalled"), "b": (1, "live")}
    assert (page.visitor, page.cursor, page.twice) == ("v", "c.3", 0)
    page.welcome(Welcomed(announcements=[Announced("b", 1, "live")], full=False))
    assert page.twice == 1
