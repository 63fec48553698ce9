"""Whom an announcement reached, over HTTP: ``/api/v1/announcements/{id}/reach``, and the same live as events."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import msgspec
from aiohttp import web
from redis.exceptions import RedisError

from gateway.problems import Problem
from notifications import reading
from notifications.admission import Admission
from notifications.announcement import Announcement
from notifications.answers import answer
from notifications.api import PATH as ANNOUNCEMENTS
from notifications.editorial import Editorial
from notifications.errors import StoreAway
from notifications.problems import explaining
from notifications.reach.ledger import Ledger
from notifications.reach.live import Live, TooManyWatch
from store.errors import reason

PATH = ANNOUNCEMENTS + "/{id}/reach"
STREAM_PATH = PATH + "/stream"
# Then the client comes back, and is asked again who it is.
STREAM_SECONDS = 300.0
RETRY_MS = 1000


class ReachApi:
    """The handlers.

    Args:
        ledger: Where reach is.
        live: Watches it.
        editorial: Knows which announcements there are, and who may see them.
        admission: Knows who asks.
        stream_seconds: How long a stream lasts.
    """

    def __init__(
        self,
        ledger: Ledger,
        live: Live,
        editorial: Editorial,
        admission: Admission,
        stream_seconds: float = STREAM_SECONDS,
    ) -> None:
        self._ledger = ledger
        self._live = live
        self._editorial = editorial
        self._admission = admission
        self._stream_seconds = stream_seconds

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application behind the gate, under the problems middleware."""
        return [
            web.get(PATH, explaining(self._show)),
            web.get(STREAM_PATH, explaining(self._stream), allow_head=False),
        ]

    async def _see(self, request: web.Request) -> Announcement:
        principal = await self._admission.reader(request)
        return (await self._editorial.get(reading.announcement_id(request), by=principal)).announcement

    async def _show(self, request: web.Request) -> web.Response:
        announcement = await self._see(request)
        try:
            reach = await self._ledger.read(announcement)
        except (RedisError, OSError) as error:
            raise StoreAway(reason(error)) from error
        return answer(reach)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        announcement = await self._see(request)
        try:
            with self._live.watching(announcement) as changes:
                # No proxy is to gather what is meant for now.
                headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
                response = web.StreamResponse(headers=headers)
                response.content_type = "text/event-stream"
                await response.prepare(request)
                await response.write(b"retry: %d\n\n" % RETRY_MS)
                async with aclosing(changes), asyncio.timeout(self._stream_seconds):
                    async for reach in changes:
                        told = b": nothing new\n\n" if reach is None else b"data: %b\n\n" % msgspec.json.encode(reach)
                        await response.write(told)
        except TooManyWatch:
            detail = "As many watch reach here as may; ask for it without /stream."
            raise Problem(503, detail=detail, headers={"Retry-After": "5"}) from None
        except (TimeoutError, ConnectionResetError):
            # It has lasted as long as it may, or nobody listens any more.
            pass
        return response
