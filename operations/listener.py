"""The ops listener: health and metrics over HTTP, on an address of its own that only operators reach.

``/healthz`` says that the supervisor lives, ``/readyz`` whether this node should get readers (503 with the reasons if
not), ``/metrics`` everything that is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from operations.figures import WorkerReport
from operations.health import reasons
from operations.metrics import NodeFigures, exposition
from operations.preflight import unusable

_STORE_ANSWER_SECONDS = 1.0


@dataclass(slots=True)
class Watch:
    """What the listener looks at.

    Attributes:
        reports: All workers as they are now.
        store: The supervisor's connection to the store, None before there is one.
        store_restarts: How often the embedded store was started again.
        draining: Whether the service is on its way out.
    """

    reports: Callable[[], Awaitable[list[WorkerReport]]]
    store: Redis | None = None
    store_restarts: Callable[[], int] = int
    draining: bool = False

    async def look(self) -> tuple[list[WorkerReport], str, list[str]]:
        """The workers, what the store fails with, and why the node is not ready."""
        workers, failure = await asyncio.gather(self.reports(), self._store_failure())
        return workers, failure, reasons(workers, failure, draining=self.draining)

    async def _store_failure(self) -> str:
        if self.store is None:
            return "is not connected yet"
        try:
            async with asyncio.timeout(_STORE_ANSWER_SECONDS):
                await self.store.ping()
        except TimeoutError:
            return f"does not answer within {_STORE_ANSWER_SECONDS:.0f} s"
        except RedisError as error:
            return " ".join(str(error).split()) or type(error).__name__
        return ""


def application(watch: Watch) -> web.Application:
    """The pages of the listener."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"}, headers=_FRESH)

    async def readyz(_request: web.Request) -> web.Response:
        _, _, why = await watch.look()
        answer = {"status": "unready" if why else "ready", "reasons": why}
        return web.json_response(answer, status=503 if why else 200, headers=_FRESH)

    async def metrics(request: web.Request) -> web.Response:
        workers, failure, why = await watch.look()
        node = NodeFigures(store_up=not failure, store_restarts=watch.store_restarts(), ready=not why)
        text, content_type = exposition(workers, node, request.headers.get("Accept", ""))
        return web.Response(body=text, headers={"Content-Type": content_type, **_FRESH})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
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
