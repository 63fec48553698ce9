"""``loa simulate``, as a process of its own against a portal on a real port."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.closing import CloseCode
from presence.crowd import loopback_sources
from store import runfile
from store.runfile import RunFile
from tests.patience import PATIENCE_SECONDS, until
from tests.presence.portals import Portal, portal

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture
async def house(valkey_url: str, prefix: str) -> AsyncIterator[Portal]:
    async with portal(valkey_url, prefix) as one:
        yield one


@asynccontextmanager
async def simulating(directory: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs the command; ended by force if it is still there in the end."""
    config = directory / "config.toml"
    config.touch()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.presence.loa", "simulate", "--config", str(config), *arguments,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={name: text for name, text in os.environ.items() if not name.startswith("LOA_")},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def simulate(directory: Path, *arguments: str) -> tuple[int | None, str, str]:
    """Runs the command to its end; returns its exit code and what it printed."""
    async with simulating(directory, *arguments) as process, asyncio.timeout(PATIENCE_SECONDS * 2):
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()


async def test_every_reader_is_counted_and_all_leave(house: Portal, tmp_path: Path) -> None:
    code, out, err = await simulate(tmp_path, "--url", house.url, "--readers", "1234", "--for", "1s")
    assert (code, err) == (0, "")
    assert "1,234 of 1,234 readers are connected." in out
    assert f"{house.url} counts 1,234 readers on demo." in out
    assert "\x1b" not in out, "no control codes where nobody watches"
    await until(lambda: house.presence.count("demo").online == 0)


async def test_ctrl_c_ends_it_cleanly(house: Portal, tmp_path: Path) -> None:
    async with simulating(tmp_path, "--url", house.url, "--readers", "50") as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"until Ctrl-C" not in await process.stdout.readline():
                pass
        assert house.hub.total == 50
        sources = {session.transport.get_extra_info("peername")[0] for session in house.hub.everyone()}
        assert sources == {"127.0.0.2"}
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == 0
        await until(lambda: house.hub.total == 0)


async def test_it_says_how_many_heard_an_announcement(house: Portal, tmp_path: Path) -> None:
    async with simulating(tmp_path, "--url", house.url, "--readers", "40", "--for", "30s") as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"They stay" not in await process.stdout.readline():
                pass
            house.hub.broadcast(
                b'{"type":"announcement","id":"01kb","revision":2,"status":"live"}', ["demo"], urgent=True
            )
            line = await process.stdout.readline()
        assert line.startswith(b"Announcement 01kb, revision 2, live: heard by all 40")


async def test_connections_that_end_are_reported(house: Portal, tmp_path: Path) -> None:
    async with simulating(tmp_path, "--url", house.url, "--readers", "20") as process:
        assert process.stdout is not None and process.stderr is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"They stay" not in await process.stdout.readline():
                pass
            for session in house.hub.everyone():
                # Not one of those that send a browser away to come back.
                session.close(CloseCode.FLOOD)
            err = await process.stderr.read()
            assert await process.wait() == 1
        assert b"20 lost: closed with 1008" in err


async def test_those_turned_away_are_reported_by_reason(house: Portal, tmp_path: Path) -> None:
    house.door.draining = True
    code, out, err = await simulate(tmp_path, "--url", house.url, "--readers", "7", "--for", "1s")
    assert code == 1
    assert "0 of 7 readers are connected." in out
    assert "7 not connected: HTTP 503" in err


async def test_it_finds_the_service_of_the_data_directory(house: Portal, tmp_path: Path) -> None:
    runfile.write(tmp_path, RunFile(pid=os.getpid(), public_url=house.url, ops_url="", redis_url=""))
    code, out, _ = await simulate(tmp_path, "--data-dir", str(tmp_path), "--readers", "3", "--for", "0.1")
    assert code == 0
    assert "3 of 3" in out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--url", "http://192.0.2.7:8080"], 1, "not this machine's loopback"),
        (["--url", "http://0.0.0.0:8080"], 1, "not this machine's loopback"),
        (["--url", "no address"], 1, "is no address of this machine"),
        (["--url", "http://127.0.0.1:99999"], 1, "is no address of this machine"),
        (["--url", "http://127.0.0.1:1"], 1, "does not answer"),
        (["--data-dir", "nowhere"], 1, "no service runs on"),
        (["--for", "soon"], 2, "is not a time"),
        (["--readers", "0"], 2, "--readers"),
    ],
)
async def test_what_cannot_be_is_refused_in_one_line(
    tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    found, out, err = await simulate(tmp_path, *arguments)
    assert (found, out) == (code, "")
    assert says in err
    assert err.count("\n") == 1


async def test_an_unknown_site_is_refused_before_anybody_comes(house: Portal, tmp_path: Path) -> None:
    code, out, err = await simulate(tmp_path, "--url", house.url, "--site", "nowhere")
    assert (code, out) == (1, "")
    assert "there is no site 'nowhere'" in err


async def test_too_few_descriptors_are_named(house: Portal, tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > 60_000:
        readers = "60000"
        script = f"ulimit -n 500 && exec {sys.executable} -m tests.presence.loa simulate"
    else:
        readers = str(hard)
        script = f"exec {sys.executable} -m tests.presence.loa simulate"
    (tmp_path / "config.toml").touch()
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", f"{script} --config {tmp_path}/config.toml --url {house.url} --readers {readers}",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await process.communicate()
    assert process.returncode == 1
    assert b"open files are allowed here" in err
    assert err.count(b"\n") == 1


def test_readers_come_from_several_addresses() -> None:
    assert list(loopback_sources(500)) == ["127.0.0.2"]
    sources = list(loopback_sources(5715))
    assert len(sources) == len(set(sources)) == 6
    assert len(set(loopback_sources(60_000))) == 61
