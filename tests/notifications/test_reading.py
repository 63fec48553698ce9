"""Bodies that do not come whole, on a real socket; what is read of whole requests is in ``test_api.py``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.problems import Problem
from notifications import reading
from tests.patience import PATIENCE_SECONDS

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@contextlib.asynccontextmanager
async def read() -> AsyncIterator[tuple[asyncio.StreamWriter, asyncio.Event, asyncio.Future[object]]]:
    """A connection to a server that reads one body: it, when reading has begun, and what came of it."""
    began = asyncio.Event()
    outcome: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def take(request: web.Request) -> web.Response:
        began.set()
        try:
            outcome.set_result(await reading.document(request))
        except Exception as error:  # noqa: BLE001  whatever it is, the test looks at it
            outcome.set_result(error)
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/", take)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _, writer = await asyncio.open_connection(*runner.addresses[0][:2])
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield writer, began, outcome
    finally:
        writer.close()
        await runner.cleanup()


async def test_reads_what_comes_in_pieces() -> None:
    async with read() as (writer, began, outcome):
        writer.write(HEAD + b"Content-Length: 4\r\n\r\n[1")
        await began.wait()
        writer.write(b"2]")
        assert await outcome == [12]


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"],
    ids=["of a known length", "in chunks"],
)
async def test_a_body_that_breaks_off_is_a_problem_and_no_error_of_ours(body: bytes) -> None:
    async with read() as (writer, began, outcome):
        writer.write(HEAD + body)
        await began.wait()
        writer.close()
        problem = await outcome
        assert isinstance(problem, Problem)
        assert problem.status == 400
