"""Tells systemd that the service stands, lives and leaves, by the protocol of sd_notify(3).

A datagram with lines ``NAME=value`` goes to the socket that ``NOTIFY_SOCKET`` names: ``READY=1`` once everything
stands, ``WATCHDOG=1`` twice in each ``WATCHDOG_USEC`` while the supervisor's loop turns, ``STOPPING=1`` when it
begins to leave. Without that socket nothing is said. systemd that does not listen is no reason to fail: a datagram
that cannot be sent is logged once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping

import structlog

log = structlog.get_logger(__name__)

_SECOND_USEC = 1_000_000


class Readiness:
    """One service's word to systemd.

    Args:
        environment: Where ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` are looked up.
        pid: Our own process id; a watchdog for another is not ours to feed.

    Attributes:
        watchdog_seconds: We have to say that we live so often; 0: nobody wants to know.
    """

    def __init__(self, environment: Mapping[str, str], pid: int) -> None:
        path = environment.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of an abstract socket.
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self._failed = False
        self.watchdog_seconds = 0.0
        usec = environment.get("WATCHDOG_USEC", "")
        if self._address and usec.isdecimal() and environment.get("WATCHDOG_PID", str(pid)) == str(pid):
            self.watchdog_seconds = int(usec) / _SECOND_USEC

    def say(self, *lines: str) -> None:
        """Sends `lines`; never waits, never raises."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as end:
                end.connect(self._address)
                end.send("\n".join(lines).encode())
        except OSError as error:
            if not self._failed:
                log.warning("systemd cannot be told", socket=self._address, why=error.strerror or str(error))
            self._failed = True

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Feeds the watchdog for as long as this lasts, also while readers are sent away."""
        feeding = asyncio.create_task(self._feed(), name="watchdog") if self.watchdog_seconds else None
        try:
            yield
        finally:
            if feeding is not None:
                feeding.cancel()
                await asyncio.wait([feeding])

    @contextlib.contextmanager
    def standing(self, status: str) -> Iterator[None]:
        """Says at its beginning that the service is ready, and at its end that it leaves.

        Args:
            status: What ``systemctl status`` shows.
        """
        self.say("READY=1", f"STATUS={status}")
        try:
            yield
        finally:
            self.say("STOPPING=1", "STATUS=sending readers away")

    async def _feed(self) -> None:
        while True:
            self.say("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_seconds / 2)


def of_this_process() -> Readiness:
    """What the environment of this process asks for; workers and the store, which inherit it, are not to speak."""
    readiness = Readiness(os.environ, os.getpid())
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        os.environ.pop(name, None)
    return readiness
