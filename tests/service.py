"""A `loa serve` of our own, in a directory of its own, on free ports; and an editor who uses its API."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import aiohttp

from store import runfile
from store.runfile import RunFile

LOA = Path(sys.executable).with_name("loa")
# A machine that is busy with other things takes its time.
START_SECONDS = 90.0
STOP_SECONDS = 20.0

# Short enough to see readers leave, and in the proportions of the defaults. Only one of the two names of
# this machine may connect: a page under the other one is a stranger.
_CONFIG = """
[presence]
renew_seconds = 0.5
lease_seconds = 3.0
grace_seconds = 1.0
count_seconds = 0.1

[notifications]
# An answer that came too early, as on a busy machine, would tell of too few sessions.
acknowledge_seconds = 20.0

[operations]
drain_seconds = 1.0

[sites.demo]
origins = ["http://127.0.0.1:*"]
"""
_SITE = """
[sites.{id}]
origins = ["http://127.0.0.1:*"]
"""


class Said(NamedTuple):
    """What a command has said, and how it ended."""

    code: int
    output: str
    errors: str


class Service:
    """One service; `start` it, and end it with `stop` or, as a power cut would, with `kill`.

    It has the site ``demo``, so many `sites` besides, and what `extra` adds to its settings.
    """

    def __init__(self, directory: Path, sites: int, extra: str = "") -> None:
        self.sites = [f"portal-{number}" for number in range(sites)]
        self._directory = directory
        self._config = directory / "config.toml"
        self._config.write_text(_CONFIG + "".join(_SITE.format(id=id) for id in self.sites) + extra)
        self._data_dir = directory / "data"
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._token = ""
        self.url = ""
        self.ops_url = ""

    def __enter__(self) -> Self:
        """Starts it."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stops what has been started last."""
        self.stop()

    def start(self) -> None:
        """Starts it and returns when it has said where it is; a second time on the same port."""
        places = ["--config", str(self._config), "--data-dir", str(self._data_dir)]
        where = ["--host", "127.0.0.1", "--port", str(self._port), "--ops-port", "0", "--workers", "2"]
        with (self._directory / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [LOA, "serve", *places, *where], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        running = self._await_running(self._process)
        self.url = running.public_url
        self.ops_url = running.ops_url
        self._port = int(self.url.rpartition(":")[2])
        # The first start, and it alone, shows an editor's token.
        if not self._token:
            self._token = re.findall(r"\bloa_\w+", self.log())[0]

    def _await_running(self, process: subprocess.Popen[bytes]) -> RunFile:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            running = runfile.read(self._data_dir) if self._data_dir.is_dir() else None
            # One left by a killed predecessor is not ours; and what it says to people comes after the file.
            if running is not None and running.pid == process.pid and "Ctrl-C" in self.log():
                return running
            if process.poll() is not None:
                break
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"it did not start:\n{self.log()}")

    def log(self) -> str:
        """All it has said."""
        return (self._directory / "serve.log").read_text("utf-8")

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def authorization(self) -> dict[str, str]:
        """The header of an editor."""
        return {"Authorization": f"Bearer {self._token}"}

    async def loa(self, command: str, *arguments: str) -> Said:
        """Runs a command of ours to its end."""
        places = ["--config", str(self._config), "--data-dir", str(self._data_dir)]
        process = await asyncio.create_subprocess_exec(
            LOA, command, *arguments, *places, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        output, errors = await process.communicate()
        assert process.returncode is not None
        return Said(process.returncode, output.decode(), errors.decode())

    def interrupt(self) -> int:
        """As Ctrl-C does; its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(STOP_SECONDS)

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            self.kill()

    def kill(self) -> None:
        """As `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def kill_workers(self) -> None:
        """`kill -9` for each worker; the supervisor lives."""
        assert self._process is not None
        task = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        for pid in map(int, task.read_text().split()):
            if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                os.kill(pid, signal.SIGKILL)

    async def publish(self, site: str, severity: str = "breaking", title: str = "Tin", **fields: object) -> str:
        """Publishes an announcement; its id."""
        answer = await self._ask("POST", "", {"sites": [site], "severity": severity, "title": title, **fields})
        return str(answer["id"])

    async def update(self, id: str, **fields: object) -> None:
        """Publishes a new revision."""
        await self._ask("PATCH", f"/{id}", fields)

    async def recall(self, id: str) -> None:
        """Takes an announcement back."""
        await self._ask("POST", f"/{id}/recall", {})

    async def _ask(self, method: str, path: str, document: Mapping[str, object]) -> Any:
        async with (
            aiohttp.ClientSession(headers=self.authorization, raise_for_status=True) as client,
            client.request(method, f"{self.url}/api/v1/announcements{path}", json=document) as answer,
        ):
            return await answer.json()
