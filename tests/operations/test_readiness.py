"""What systemd hears, by a real datagram socket."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import secrets
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.readiness import Readiness
from tests.service import Service
from tests.system import processes


@pytest.fixture
def systemd(short_directory: Path) -> Iterator[socket.socket]:
    """The socket that systemd would listen on."""
    path = short_directory / f"{secrets.token_hex(4)}.notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(path))
        end.settimeout(60.0)
        yield end


def lines(end: socket.socket) -> list[str]:
    return end.recv(4096).decode().split("\n")


@contextlib.contextmanager
def hearing(end: socket.socket) -> Iterator[queue.SimpleQueue[list[str]]]:
    """What comes at `end`, taken at once, as systemd does: the kernel keeps no more than ten, and drops the next."""
    heard: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    over = threading.Event()

    def listen() -> None:
        end.settimeout(0.1)
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                heard.put(lines(end))

    listening = threading.Thread(target=listen)
    listening.start()
    try:
        yield heard
    finally:
        over.set()
        listening.join()


async def test_ready_alive_and_leaving(systemd: socket.socket) -> None:
    ours = Readiness({"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "7"}, 7)
    async with ours.living():
        await asyncio.sleep(0)
        assert lines(systemd) == ["WATCHDOG=1"]
        with ours.standing("zwei"):
            assert lines(systemd) == ["READY=1", "STATUS=zwei"]
            assert (await asyncio.to_thread(lines, systemd)) == ["WATCHDOG=1"]
        while (said := await asyncio.to_thread(lines, systemd)) == ["WATCHDOG=1"]:
            pass
        assert said[0] == "STOPPING=1"


def test_an_abstract_socket() -> None:
    name = f"loa-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(f"\0{name}")
        end.settimeout(60.0)
        Readiness({"NOTIFY_SOCKET": f"@{name}"}, 1).say("READY=1")
        assert lines(end) == ["READY=1"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "1000000"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "8"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "soon"},
    ],
)
def test_a_watchdog_that_is_not_ours(environment: dict[str, str]) -> None:
    assert Readiness(environment, 7).watchdog_seconds == 0


def test_nobody_listens(short_directory: Path) -> None:
    Readiness({"NOTIFY_SOCKET": str(short_directory / "no.notify")}, 7).say("READY=1")
    Readiness({}, 7).say("READY=1")


@pytest.mark.slow
def test_the_service_tells_when_it_stands_and_when_it_leaves(
    systemd: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.getsockname())
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    with hearing(systemd) as heard, Service(tmp_path, 0) as service:
        while not (said := heard.get(timeout=60.0))[0].startswith("READY=1"):
            assert said == ["WATCHDOG=1"]
        assert said[1].startswith(f"STATUS=2 workers at {service.url}")
        assert heard.get(timeout=60.0) == ["WATCHDOG=1"]
        # Workers and store do not inherit it: nobody but the supervisor may speak.
        environment = Path(f"/proc/{processes.workers(service.pid)[0]}/environ").read_bytes()
        assert b"NOTIFY_SOCKET" not in environment
        assert service.interrupt() == 0
        while heard.get(timeout=60.0)[0] != "STOPPING=1":
            pass
