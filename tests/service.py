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
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import aiohttp

from store import runfile
from store.runfile import RunFile
from tests.patience import PATIENCE_SECONDS
from tests.system import processes

LOA = Path(sys.executable).with_name("loa")
# A machine that is busy with other things takes its time.
START_SECONDS = 90.0
STOP_SECONDS = 60.0

# Short enough to see readers leave, and in the proportions of the defaults. Only one of the two names of
# this machine may connect: a page under the other one is a stranger.
_CONFIG = """
[presence]
renew_seconds = 0.5
lease_seconds = 3.0
grace_seconds = 1.0
# Each of eighty sites is counted so often, by each worker of each test process.
count_seconds = 0.25

[notifications]
# An answer that came too early, as on a busy machine, would tell of too few sessions.
acknowledge_seconds = 20.0

[operations]
drain_seconds = 1.0

[sites.demo]
origins = ["http://127.0.0.1:*"]
"""
_OURS = "[notifications]\n"
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

    It has the site ``demo``, so many `sites` besides, and what `extra` adds to its settings; what is added to the
    section ``[notifications]`` stands by itself, in `more_notifications`.
    """

    def __init__(self, directory: Path, sites: int, extra: str = "", more_notifications: str = "") -> None:
        self.sites = [f"portal-{number}" for number in range(sites)]
        self._directory = directory
        self._config = directory / "config.toml"
        config = (
            _CONFIG.replace(_OURS, _OURS + more_notifications)
            + "".join(_SITE.format(id=id) for id in self.sites)
            + extra
        )
        self._config.write_text(config)
        self._data_dir = directory / "data"
        self._port = 0
        self._ops_port = 0
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
        """Starts it and returns when it has said where it is; a second time on the same ports."""
        places = ["--config", str(self._config), "--data-dir", str(self._data_dir)]
        where = ["--host", "127.0.0.1", "--port", str(self._port), "--ops-port", str(self._ops_port), "--workers", "2"]
        with (self._directory / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [LOA, "serve", *places, *where], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        running = self._await_running(self._process)
        self.url = running.public_url
        self.ops_url = running.ops_url
        self._port = int(self.url.rpartition(":")[2])
        self._ops_port = int(self.ops_url.rpartition(":")[2])
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

    @property
    def store_url(self) -> str:
        """Where its store listens."""
        running = runfile.read(self._data_dir)
        assert running is not None
        return running.redis_url

    @property
    def config(self) -> str:
        """What its settings file says; may be written."""
        return self._config.read_text()

    @config.setter
    def config(self, text: str) -> None:
        self._config.write_text(text)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the supervisor."""
        os.kill(self.pid, number)

    async def says(self, words: str, times: int = 1) -> None:
        """Waits until it has logged these words so often."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.log().count(words) < times:
                await asyncio.sleep(0.02)

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

    def take_token_of(self, other: Service) -> None:
        """For one that has the data of another, and so shows no token at its first start."""
        self._token = other._token

    async def loa(self, command: str, *arguments: str, typed: str = "") -> Said:
        """Runs a command of ours, which finds `typed` on its stdin, to its end."""
        async with self.running_loa(command, *arguments) as process:
            output, errors = await process.communicate(typed.encode())
        assert process.returncode is not None
        return Said(process.returncode, output.decode(), errors.decode())

    @contextlib.asynccontextmanager
    async def running_loa(self, command: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A command of ours while it runs; ended by force if it still does in the end."""
        places = ["--config", str(self._config), "--data-dir", str(self._data_dir)]
        process = await asyncio.create_subprocess_exec(
            LOA,
            command,
            *arguments,
            *places,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()

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
        for pid in processes.workers(self._process.pid):
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

    async def shown(self, id: str) -> Any:
        """What the API says of an announcement."""
        async with (
            aiohttp.ClientSession(headers=self.authorization, raise_for_status=True) as client,
            client.get(f"{self.url}/api/v1/announcements/{id}") as answer,
        ):
            return await answer.json()

    async def presence(self, site: str, query: str = "") -> Any:
        """What the API says of a site's readers."""
        async with (
            aiohttp.ClientSession(raise_for_status=True) as client,
            client.get(f"{self.url}/api/v1/sites/{site}/presence?{query}") as answer,
        ):
            return await answer.json()

    async def shows(self, site: str, query: str, wanted: Callable[[Any], bool]) -> None:
        """Waits until the API says what is wanted of a site's readers."""
        answer = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not wanted(answer := await self.presence(site, query)):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"the API still says {answer}") from None

    async def _ask(self, method: str, path: str, document: Mapping[str, object]) -> Any:
        async with (
            aiohttp.ClientSession(headers=self.authorization, raise_for_status=True) as client,
            client.request(method, f"{self.url}/api/v1/announcements{path}", json=document) as answer,
        ):
            return await answer.json()
