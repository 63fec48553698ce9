"""``loa serve``: claims the data directory and the ports, starts the store and the workers, and sees them off again.

What it promises: it starts completely or not at all, with one line that says why not. On SIGTERM or SIGINT readers are
sent away, and within 15 seconds nothing of it is left; a second signal cuts that short. Killed outright, it takes its
workers and its store with it. On SIGHUP it reads its settings anew (:mod:`operations.reloading`), on SIGUSR2 it
replaces its workers one after the other (:mod:`operations.pool`); the hangup of its terminal, if it has one, ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import msgspec
import structlog
from redis.asyncio import Redis

from operations import logs
from operations.collector import set_aside_what_stays
from operations.intercom import NODE, Adopt, Start
from operations.listener import Watch, listen
from operations.pool import WorkerPool
from operations.preflight import allow_descriptors, check_certificate, reserve
from operations.readiness import of_this_process
from operations.settings import OperationsSettings, ServerSettings, url
from store import layout, runfile
from store.connection import connect, without_password
from store.datadir import DataDir
from store.embedded import EmbeddedStore
from store.errors import DataDirUnusable
from store.refusal import CREDENTIALS_OF_LEASES
from store.runfile import RunFile
from store.settings import Elsewhere, RedisSettings
from store.versions import check

log = structlog.get_logger(__name__)

# All of it, from the signal to the end.
STOP_SECONDS = 14.5
_STORE_STOP_SECONDS = 2.0
_STOPPING = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is to run.

    Attributes:
        settings: The roof's settings, with what the command line changed; every worker gets them.
        server: Its section ``[server]``.
        operations: Its section ``[operations]``.
        redis: Its section ``[redis]``.
        leases: Where leases are, if in a store of their own.
        sessions_per_worker: For how many sessions a worker needs descriptors.
        other_connections: For how many connections besides.
        data_dir: The data directory.
        base_dir: What relative paths in the settings are relative to.
        reread: Reads the settings anew, from where they came from; raises SettingsError or ValueError.
        worker_command: What starts a worker; ``--fd N`` is added.
        inherit: Tells a store of our own, before a worker starts, that whoever it knows of is held by nobody now.
        first_token: Makes an editor's token in the store if there never was one, else returns None.
        forget_token: Takes that token back, so that the next start makes another.
    """

    settings: msgspec.Struct
    server: ServerSettings
    operations: OperationsSettings
    redis: RedisSettings
    leases: Elsewhere | None
    sessions_per_worker: int
    other_connections: int
    data_dir: Path
    base_dir: Path
    reread: Callable[[], msgspec.Struct]
    worker_command: Sequence[str]
    inherit: Callable[[Redis], Awaitable[object]]
    first_token: Callable[[Redis], Awaitable[str | None]]
    forget_token: Callable[[Redis, str], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A service that has started.

    Attributes:
        local_url: How this machine reaches it, without a slash at the end.
        ops_url: The ops listener, likewise.
        workers: How many.
        store: What the store is and where, for people.
        token: The first editor's token, None if there was one before.
    """

    local_url: str
    ops_url: str
    workers: int
    store: str
    token: str | None


async def serve(service: Service, started: Callable[[Running], None]) -> None:
    """Runs `service` until a signal ends it; `started` is called once, when everything stands.

    Raises:
        StoreError, OperationsError: It cannot start. Nothing of it is left then.
        Exception: What `started` raised, likewise.
    """
    readiness = of_this_process()
    async with readiness.living(), AsyncExitStack() as stack:
        supervisor = _Supervisor(service, stack)
        stack.enter_context(supervisor.heeding_signals())
        starting = asyncio.create_task(supervisor.start())
        stopped = asyncio.create_task(supervisor.stop.wait())
        try:
            await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                running = starting.result()
                await supervisor.present(running, started)
                with readiness.standing(f"{running.workers} workers at {running.local_url}, {running.store}"):
                    await stopped
                log.info("stopping")
        finally:
            supervisor.stopping_since = time.monotonic()
            starting.cancel()
            stopped.cancel()
            await asyncio.wait([starting, stopped])
    log.info("stopped", seconds=round(time.monotonic() - supervisor.stopping_since, 1))


class _Supervisor:
    """One run of the service. What it starts it puts on `stack`, which ends it in the opposite order."""

    def __init__(self, service: Service, stack: AsyncExitStack) -> None:
        self.stop = asyncio.Event()
        self.stopping_since = 0.0
        self._service = service
        self._settings = service.settings
        self._stack = stack
        self._node = token_hex(6)
        self._port = 0
        self._store_url = ""
        self._count = service.server.workers or cores()
        self._pool = WorkerPool(self._count, service.worker_command, self._start_of)
        self._watch = Watch(self._pool.reports)
        self._terminal = _has_terminal()
        self._rolling: asyncio.Task[None] | None = None

    async def start(self) -> Running:
        """Starts everything, the cheapest refusals first."""
        service, stack = self._service, self._stack
        allow_descriptors(service.sessions_per_worker, service.other_connections)
        if service.server.certificate:
            base = service.base_dir
            check_certificate(base / service.server.certificate, base / service.server.private_key)
        held = DataDir.claim(service.data_dir)
        stack.callback(held.release)
        reservation = await reserve(service.server.host, service.server.port, "--port")
        stack.callback(reservation.release)
        self._port = reservation.port
        ops, ops_port = await listen(self._watch, service.operations.host, service.operations.port)
        stack.push_async_callback(ops.cleanup)
        redis, kind = await self._open_store()
        if not service.redis.url:
            await service.inherit(redis)
        self._pool.answer = self._answer
        await self._pool.start()
        set_aside_what_stays()
        self._watch.tasks.start("hour", self._watch.keep)
        stack.push_async_callback(self._watch.tasks.stop)
        stack.push_async_callback(self._drain)
        ops_url = url("http", service.operations.host, ops_port)
        shown = without_password(self._store_url)
        self._write_run_file(RunFile(pid=os.getpid(), public_url=self._local_url, ops_url=ops_url, redis_url=shown))
        # Last: nothing may fail between its making and its showing.
        token = await service.first_token(redis)
        where = f"{kind} at {shown}" if service.redis.url else f"{kind} in {service.data_dir}"
        if service.leases is not None:
            where += f", leases at {without_password(service.leases.url)}"
        return Running(local_url=self._local_url, ops_url=ops_url, workers=self._count, store=where, token=token)

    async def present(self, running: Running, started: Callable[[Running], None]) -> None:
        """Tells `started`. A token that it could not show is no use to anybody, and must not be the only one."""
        try:
            started(running)
        except BaseException:
            if running.token is not None and self._watch.store is not None:
                await self._service.forget_token(self._watch.store, running.token)
            raise

    @contextlib.contextmanager
    def heeding_signals(self) -> Iterator[None]:
        """The first signal to stop stops the service, a second one cuts its drain short."""

        def received() -> None:
            if self.stop.is_set():
                self._pool.hurry()
            self.stop.set()

        def hung_up() -> None:
            if self._terminal and not _has_terminal():
                received()
            else:
                self.reload()

        loop = asyncio.get_running_loop()
        # An interrupt is heeded also where it comes ignored, as it does to what a script starts in the background:
        # whoever sends one to this very process means it.
        heeded = {**dict.fromkeys(_STOPPING, received), signal.SIGUSR2: self.roll}
        # Under nohup, a hangup is to be ignored.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            heeded[signal.SIGHUP] = hung_up
        for one, heed in heeded.items():
            loop.add_signal_handler(one, heed)
        try:
            yield
        finally:
            for one in heeded:
                loop.remove_signal_handler(one)

    def reload(self) -> None:
        """Reads the settings anew, and hands what can change to the workers; a file that is refused changes nothing."""
        change = self._watch.reloading.reload(self._settings, self._service.reread)
        if change is None:
            return
        self._settings = change.settings
        logs.set_level(operations_of(change.settings).log_level)
        self._pool.send_all(Adopt(self._encoded()))

    def roll(self) -> None:
        """Replaces all workers, one after the other, by such as are started now; one round at a time."""
        if self.stop.is_set() or not self._pool.started:
            log.warning("no time to replace workers")
        elif self._rolling is not None and not self._rolling.done():
            log.warning("workers are being replaced already")
        else:
            seconds = self._service.operations.drain_seconds
            self._rolling = asyncio.create_task(self._pool.roll(seconds), name="rolling restart")

    @property
    def _local_url(self) -> str:
        return self._service.server.local_url(self._port)

    def _start_of(self, index: int) -> Start:
        service = self._service
        return Start(
            index=index,
            workers=self._count,
            node=self._node,
            host=service.server.host,
            port=self._port,
            store_url=self._store_url,
            public_url=service.server.public_url.rstrip("/") or self._local_url,
            data_dir=str(service.data_dir),
            base_dir=str(service.base_dir),
            settings=self._encoded(),
        )

    def _answer(self, question: str) -> str | None:
        """What a worker is told that asks."""
        node = self._watch.node() if question == NODE else None
        return node.decode() if node is not None else None

    def _encoded(self) -> msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(self._settings))

    async def _open_store(self) -> tuple[Redis, str]:
        """Starts the embedded store, or sees that the given one will do; a client to it, and what it is."""
        settings = self._service.redis
        self._store_url = settings.url
        if not settings.url:
            embedded = EmbeddedStore(self._service.data_dir)
            self._store_url = await embedded.start()
            self._stack.push_async_callback(self._stop_store, embedded)
            self._watch.store_restarts = lambda: embedded.restarts
        client = connect(settings, self._store_url, connections=2, name="loa-supervisor")
        self._stack.push_async_callback(client.aclose)
        shown = without_password(self._store_url)
        kind = await check(client, shown, wait_seconds=settings.ready_seconds)
        await layout.ensure(client, settings.prefix, shown)
        self._watch.store = client
        await self._open_leases()
        return client, str(kind or "store")

    async def _open_leases(self) -> None:
        """Sees that the store of leases will do, where they have one of their own."""
        if self._service.leases is None:
            return
        settings, url = self._service.leases
        client = connect(settings, url, connections=2, name="loa-supervisor")
        self._stack.push_async_callback(client.aclose)
        await check(
            client,
            without_password(url),
            wait_seconds=settings.ready_seconds,
            credentials=CREDENTIALS_OF_LEASES,
        )
        self._watch.leases = client

    def _write_run_file(self, running: RunFile) -> None:
        try:
            runfile.write(self._service.data_dir, running)
        except OSError as error:
            raise DataDirUnusable(self._service.data_dir, error.strerror or "cannot be written") from None
        self._stack.callback(runfile.remove, self._service.data_dir)

    async def _drain(self) -> None:
        self._watch.draining = True
        if self._rolling is not None:
            self._rolling.cancel()
        await self._pool.drain(self._service.operations.drain_seconds)

    async def _stop_store(self, embedded: EmbeddedStore) -> None:
        """Gives the store what is left of the time, at least what it needs to write out its last second."""
        left = STOP_SECONDS - (time.monotonic() - self.stopping_since)
        await embedded.stop(max(left, _STORE_STOP_SECONDS))


def operations_of(settings: msgspec.Struct) -> OperationsSettings:
    """This room's section of the roof's settings."""
    found = getattr(settings, "operations", None)
    return found if isinstance(found, OperationsSettings) else OperationsSettings()


def _has_terminal() -> bool:
    """Whether this process has a terminal that could hang up."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
