"""The echo as a program."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway import echo
from gateway.door import Door
from gateway.listening import listen
from gateway.settings import GatewaySettings
from tests.gateway.conftest import Client, farewell, frame, page, upgrade
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def client() -> Client:
    door = Door(GatewaySettings(message_burst=1000, messages_per_second=1000), echo.EchoDesk(), message_bytes=1000)
    server = await listen(door, None, "127.0.0.1", 0)
    connected = Client(*await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1]))
    yield connected
    connected.hang_up()
    server.close()


@pytest.mark.parametrize("opcode", [1, 2])
async def test_it_repeats_what_it_hears(client: Client, opcode: int) -> None:
    await client.send(upgrade("", origin=None))
    assert (await client.answer()).status == 101
    await client.send(frame(opcode, b"hello"))
    repeated = await client.frame()
    assert (repeated.opcode, bytes(repeated.data)) == (opcode, b"hello")
    await client.send(farewell())
    assert (await client.closed()).code == 1000


async def test_there_is_nothing_else(client: Client) -> None:
    await client.send(page())
    assert (await client.refused()).status == 404


@pytest.mark.slow
async def test_as_a_program() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.echo", "--port", "0", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await process.stdout.readline()
        assert line.startswith(b"echo at ws://127.0.0.1:")
        assert line.endswith(b"/ws\n")
        process.terminate()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(echo.main, ["--port", str(port)])
    assert result.exit_code == 1
    assert result.output == f"Error: 127.0.0.1:{port}: Address already in use\n"
