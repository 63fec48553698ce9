"""A receiver of webhooks on a socket of this machine, which writes down what it gets and answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

import msgspec
from aiohttp import web

from notifications.webhooks import signature
from tests.patience import PATIENCE_SECONDS


class Got:
    """A request that came."""

    def __init__(self, request: web.BaseRequest, body: bytes) -> None:
        self.id = request.headers["webhook-id"]
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        self.body = body
        assert request.transport is not None
        self.port = int(request.transport.get_extra_info("peername")[1])

    @property
    def json(self) -> Any:
        """What it says."""
        return msgspec.json.decode(self.body)

    @property
    def type(self) -> str:
        """Of what it tells."""
        return str(self.json["type"])

    def signed_with(self, *secrets: str) -> bool:
        """Whether it is signed with one of these."""
        return signature.verified(self.headers, self.body, secrets)


Answering = Callable[[Got], Awaitable[web.StreamResponse] | web.StreamResponse]


class Receiver:
    """Receives; ``answering`` says how it answers, 204 if nothing else is said."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answering: Answering = lambda _: web.Response(status=204)
        self.url = ""
        self._runner: web.ServerRunner | None = None
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        """Listens."""
        self._runner = web.ServerRunner(web.Server(self._take), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/loa"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends."""
        assert self._runner is not None
        await self._runner.cleanup()

    async def _take(self, request: web.BaseRequest) -> web.StreamResponse:
        got = Got(request, await request.read())
        async with self._changed:
            self.got.append(got)
            self._changed.notify_all()
        answer = self.answering(got)
        return answer if isinstance(answer, web.StreamResponse) else await answer

    async def until(self, condition: Callable[[list[Got]], bool]) -> list[Got]:
        """Waits until `condition` holds of what came."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
                await self._changed.wait_for(lambda: condition(self.got))
        except TimeoutError:
            raise AssertionError(f"{[(got.id, got.type) for got in self.got]}") from None
        return self.got
