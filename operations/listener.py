"""The ops listener: health and metrics over HTTP, on an address of its own that only operators reach.

``/healthz`` says that the supervisor lives, ``/readyz`` whether this node should get readers (503 with the reasons if
not; and in any case what an operator should know of the settings), ``/metrics`` everything that is counted,
``/figures`` the node now and its last hour, for ``loa top``.
"""

from __future__ import annotations

import asyncio
import itertools
import platform
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib.metadata import version

import msgspec
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError

from gateway.tasks import Caretaker
from operations.figures import WorkerReport
from operations.health import reasons
from operations.hour import PERIOD_SECONDS, Hour, Look
from operations.metrics import NodeFigures, exposition
from operations.preflight import unusable
from operations.reloading import Reloading
from store.condition import troubles
from store.nodes import information
from store.refusal import CREDENTIALS, CREDENTIALS_OF_LEASES, failure

_STORE_ANSWER_SECONDS = 1.0
_LOOKS_A_SAMPLE = 5


@dataclass(slots=True)
class Watch:
    """What the listener looks at.

    Attributes:
        reports: All workers as they are now.
        store: The supervisor's connection to the store, None before there is one.
        leases: Its connection to the store that only leases are in, None where there is none.
        store_restarts: How often the embedded store was started again.
        draining: Whether the service is on its way out.
        hour: What was seen in the last hour.
        latest: What was seen last; None at the very start.
        tasks: What keeps the hour.
        reloading: How reading the settings anew has gone so far.
    """

    reports: Callable[[], Awaitable[list[WorkerReport]]]
    store: Redis | None = None
    leases: Redis | None = None
    store_restarts: Callable[[], int] = int
    draining: bool = False
    hour: Hour = field(default_factory=Hour)
    latest: Look | None = None
    tasks: Caretaker = field(default_factory=Caretaker)
    reloading: Reloading = field(default_factory=Reloading)

    async def look(self) -> tuple[list[WorkerReport], str, list[str]]:
        """The workers, what the store fails with, and why the node is not ready."""
        workers, failure = await asyncio.gather(self.reports(), self._store_failure())
        dead = [f"background task {name!r} has died" for name in self.tasks.failures]
        return workers, failure, [*reasons(workers, failure, draining=self.draining), *dead]

    async def see(self) -> Look:
        """All of it, at this moment."""
        workers, failure, why = await self.look()
        return Look(
            at=time.time(),
            workers=workers,
            store_failure=failure,
            store_restarts=self.store_restarts(),
            reasons=why,
        )

    def node(self) -> bytes | None:
        """The node as it was two seconds ago at most, and its hour: a :class:`operations.hour.Node` as JSON."""
        if self.latest is None:
            return None
        return msgspec.json.encode(self.hour.node(self.latest, platform.node(), version("loa")))

    async def keep(self) -> None:
        """Keeps the hour until it is cancelled."""
        for turn in itertools.count():
            self.latest = await self.see()
            if turn % _LOOKS_A_SAMPLE == 0:
                self.hour.keep(self.latest)
            await asyncio.sleep(PERIOD_SECONDS / _LOOKS_A_SAMPLE)

    async def _store_failure(self) -> str:
        if self.store is None:
            return "is not connected yet"
        failures = [await _failure(self.store, CREDENTIALS)]
        if self.leases is not None and (why := await _failure(self.leases, CREDENTIALS_OF_LEASES)):
            failures.append(f"that of leases {why}")
        return "; ".join(one for one in failures if one)


async def _failure(store: Redis, credentials: str) -> str:
    """What keeps a store from being relied on, as the rest of "the store …"; empty if nothing does."""
    try:
        async with asyncio.timeout(_STORE_ANSWER_SECONDS):
            try:
                # What a ping does not tell: a store that answers and refuses to be written to.
                servers = await information(store)
                return "; ".join(one.what for info in servers.values() for one in troubles(info))
            except NoPermissionError:
                await store.ping()
    except TimeoutError:
        return f"does not answer within {_STORE_ANSWER_SECONDS:.0f} s"
    except RedisError as error:
        return failure(error, credentials)
    return ""


def application(watch: Watch) -> web.Application:
    """The pages of the listener."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"}, headers=_FRESH)

    async def readyz(_request: web.Request) -> web.Response:
        _, _, why = await watch.look()
        answer = {"status": "unready" if why else "ready", "reasons": why, "notes": watch.reloading.notes}
        return web.json_response(answer, status=503 if why else 200, headers=_FRESH)

    async def metrics(request: web.Request) -> web.Response:
        workers, store_failure, why = await watch.look()
        node = NodeFigures(
            store_up=not store_failure,
            store_restarts=watch.store_restarts(),
            ready=not why,
            reloads_failed=watch.reloading.failures,
            reloaded=not watch.reloading.refused,
        )
        text, content_type = exposition(workers, node, request.headers.get("Accept", ""))
        return web.Response(body=text, headers={"Content-Type": content_type, **_FRESH})

    async def figures(_request: web.Request) -> web.Response:
        node = watch.node()
        if node is None:
            raise web.HTTPServiceUnavailable(text="nothing has been looked at yet", headers=_FRESH)
        return web.Response(body=node, content_type="application/json", headers=_FRESH)

    app = web.Application()
    pages = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics, "/figures": figures}
    app.add_routes([web.get(path, page) for path, page in pages.items()])
    return app


_FRESH = {"Cache-Control": "no-store"}


async def listen(watch: Watch, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Opens the listener; returns its runner, whose ``cleanup`` closes it, and the port.

    Raises:
        AddressUnusable: It cannot listen there.
    """
    runner = web.AppRunner(application(watch), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        # A supervisor that was killed left no listener, but its last connections: those must not be in the way.
        await web.TCPSite(runner, host or None, port, reuse_address=True).start()
    except (OSError, ValueError) as error:
        await runner.cleanup()
        raise unusable(host, port, "--ops-port", error) from None
    return runner, runner.addresses[0][1]
