"""Starts services of small workers as processes of their own, and sees that nothing of them is left."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
# A machine that is busy with other things takes its time.
PATIENCE_SECONDS = 90.0


def alive(pid: int) -> bool:
    """Whether a process runs under this id; one that has ended and was not yet buried does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


async def gone(*pids: int) -> None:
    """Waits until none of them runs."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while any(map(alive, pids)):
            await asyncio.sleep(0.01)


def _heed_hangups() -> None:
    """As in a shell: where the tests run under nohup, a hangup would be ignored."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class SmallService:
    """A running service; see :mod:`tests.operations.small_service`."""

    def __init__(self, process: Process, data_dir: Path) -> None:
        self.process = process
        self.data_dir = data_dir
        self.running: dict[str, Any] = {}
        self.logged: list[dict[str, Any]] = []
        self._logs = asyncio.create_task(self._read_logs())
        self._spoke = asyncio.Condition()

    @classmethod
    async def begin(cls, data_dir: Path, **settings: Any) -> SmallService:
        """Starts one with `settings`, on free ports of 127.0.0.1 and with one worker unless they say otherwise."""
        settings.setdefault("server", {})
        settings["server"] = {"host": "127.0.0.1", "port": 0, "workers": 1, **settings["server"]}
        settings["operations"] = {
            "port": 0,
            "log_format": "json",
            "log_level": "debug",
            **settings.get("operations", {}),
        }
        command = (sys.executable, "-m", "tests.operations.small_service", str(data_dir), json.dumps(settings))
        process = await asyncio.create_subprocess_exec(
            *command, cwd=REPOSITORY, stdout=PIPE, stderr=PIPE, preexec_fn=_heed_hangups
        )
        return cls(process, data_dir)

    async def stands(self) -> SmallService:
        """Waits until it stands."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await self.process.stdout.readline()
        assert line, await self.end()
        self.running = json.loads(line)
        return self

    async def end(self) -> tuple[int, str]:
        """Waits for its end; its status and the lines on stderr that are not log lines."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            status = await self.process.wait()
            await self._logs
        return status, "".join(line["plain"] for line in self.logged if "plain" in line)

    async def says(self, event: str, **members: object) -> dict[str, Any]:
        """Waits for a log line with this event and these members."""

        def found() -> dict[str, Any] | None:
            return next(
                (line for line in self.logged if line.get("event") == event and members.items() <= line.items()), None
            )

        async with asyncio.timeout(PATIENCE_SECONDS), self._spoke:
            await self._spoke.wait_for(lambda: found() is not None)
        line = found()
        assert line is not None
        return line

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(by)

    @property
    def port(self) -> int:
        return int(self.running["local_url"].rpartition(":")[2])

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page of its ops listener."""
        async with aiohttp.ClientSession() as session, session.get(self.running["ops_url"] + path) as answer:
            return answer.status, await answer.text()

    async def until_ready(self, *, ready: bool = True) -> list[str]:
        """Waits until /readyz says so; the last reasons."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                status, text = await self.get("/readyz")
                if (status == 200) is ready:
                    return list(json.loads(text)["reasons"])
                await asyncio.sleep(0.02)

    async def pids(self) -> list[int]:
        """The ids of its workers, by asking connections until all have answered."""
        found: dict[int, int] = {}
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(found) < self.running["workers"]:
                async with Connection.to(self) as connection:
                    found[connection.index] = connection.pid
        return [found[index] for index in sorted(found)]

    async def _read_logs(self) -> None:
        assert self.process.stderr is not None
        async for raw in self.process.stderr:
            try:
                line = json.loads(raw)
            except ValueError:
                line = {"plain": raw.decode()}
            async with self._spoke:
                self.logged.append(line)
                self._spoke.notify_all()


class Connection:
    """A connection to one of the small workers; see :mod:`tests.operations.small_worker`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, index: int, pid: int) -> None:
        self.reader = reader
        self.writer = writer
        self.index = index
        self.pid = pid

    @classmethod
    @contextlib.asynccontextmanager
    async def to(cls, service: SmallService, index: int | None = None) -> AsyncIterator[Connection]:
        """A connection to any worker, or, trying until the kernel gives it, to worker `index`."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
                    number, _, pid = (await reader.readline()).decode().partition(" ")
                except ConnectionError:
                    continue
                if number and index in {None, int(number)}:
                    break
                writer.close()
        try:
            yield cls(reader, writer, int(number), int(pid))
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def ask(self, words: str) -> str:
        """Says `words`; the answer."""
        self.writer.write(f"{words}\n".encode())
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await self.reader.readline()).decode().strip()


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[list[SmallService]]:
    """Whoever starts a service puts it here; what is still running at the end is killed."""
    started: list[SmallService] = []
    yield started
    for service in started:
        if service.process.returncode is None:
            service.process.kill()
        await service.end()
