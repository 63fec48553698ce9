from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from notifications.attempt import NotSent, Unanswered, attempt
from store.connection import connect
from store.settings import RedisSettings
from tests.hurry import hurried

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def answered_by(script: Script, directory: Path) -> AsyncIterator[Redis]:
    """A client to a server that says yes to all it is told about the client, and answers PING by `script`."""

    serving = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while b"PING" not in (told := await reader.read(4096)) and told:
                writer.write(b"+OK\r\n")
            if told:
                await script(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    path = directory / "scripted.sock"
    async with await asyncio.start_unix_server(serve, path):
        client = connect(RedisSettings(command_seconds=60.0), f"unix://{path}", connections=1, name="test")
        yield client
        await client.aclose()
        await asyncio.gather(*[task for task in serving if task is not None])


async def test_answers_in_order_refusals_among_them(redis: Redis) -> None:
    first, second, third = await attempt(redis, [("ECHO", "a"), ("NOSUCH",), ("ECHO", "b")])
    assert (first, third) == (b"a", b"b")
    assert isinstance(second, ResponseError)


async def test_nobody_there_is_not_sent(short_directory: Path) -> None:
    client = connect(RedisSettings(), f"unix://{short_directory}/nobody.sock")
    with pytest.raises(NotSent):
        await attempt(client, [("PING",)])
    await client.aclose()


async def test_a_server_that_still_loads_has_done_nothing(short_directory: Path) -> None:
    async def loading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-LOADING Valkey is loading the dataset in memory\r\n")
        await writer.drain()

    async with answered_by(loading, short_directory) as client:
        with pytest.raises(NotSent, match="loading"):
            await attempt(client, [("PING",)])


@pytest.mark.parametrize("patience_seconds", [0.0, 0.1])
async def test_silence_is_no_answer(short_directory: Path, patience_seconds: float) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with answered_by(silent, short_directory) as client:
        await hurried(client)
        with pytest.raises(Unanswered):
            await attempt(client, [("PING",)], patience_seconds=patience_seconds)


async def test_it_is_sent_once_when_the_connection_breaks(short_directory: Path) -> None:
    sent = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent.append("PING")

    async with answered_by(hang_up, short_directory) as client:
        with pytest.raises(Unanswered):
            await attempt(client, [("PING",)])
    assert len(sent) == 1


async def test_one_who_gives_up_leaves_no_answer_for_the_next(redis: Redis) -> None:
    task = asyncio.create_task(attempt(redis, [("BLPOP", "no such list", 0)], patience_seconds=60.0))
    while not any(client["cmd"] == "blpop" for client in await redis.client_list()):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for number in range(10):
        assert await attempt(redis, [("ECHO", number)]) == [str(number).encode()]
