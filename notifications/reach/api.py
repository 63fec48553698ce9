"""Whom an announcement reached, over HTTP: ``/api/v1/announcements/{id}/reach``, and the same live as events; and of
several in one answer: ``/api/v1/reach``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing

import msgspec
from aiohttp import web
from msgspec import Struct
from redis.exceptions import RedisError

from gateway.problems import Problem
from notifications import reading
from notifications.admission import Admission
from notifications.announcement import Announcement
from notifications.answers import answer
from notifications.editorial import Editorial
from notifications.errors import Invalid, NotificationsError, StoreAway, WrongField
from notifications.problems import explaining
from notifications.reach.ledger import Ledger
from notifications.reach.live import Live, TooManyWatch
from notifications.reach.sums import Reach
from notifications.wire import ANNOUNCEMENTS
from store.errors import reason

PATH = ANNOUNCEMENTS + "/{id}/reach"
STREAM_PATH = PATH + "/stream"
SEVERAL_PATH = "/api/v1/reach"
# As many as a page of a list may show.
MOST = 100
# Then the client comes back, and is asked again who it is.
STREAM_SECONDS = 300.0
# So long after it was looked whether whoever listens still may, it is looked again before anything is told. Together
# with QUIET_SECONDS, after which there is something to tell, no more than five seconds.
LOOK_SECONDS = 2.0
RETRY_MS = 1000


class Several(Struct, frozen=True):
    """The answer about several: in the order they were asked for, without what is not there for whoever asks."""

    found: list[Reach]


class ReachApi:
    """The handlers.

    Args:
        ledger: Where reach is.
        live: Watches it.
        editorial: Knows which announcements there are, and who may see them.
        admission: Knows who asks.
        stream_seconds: How long a stream lasts.
        look_seconds: How often it is looked whether its listener still may.
    """

    def __init__(
        self,
        ledger: Ledger,
        live: Live,
        editorial: Editorial,
        admission: Admission,
        *,
        stream_seconds: float = STREAM_SECONDS,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._ledger = ledger
        self._live = live
        self._editorial = editorial
        self._admission = admission
        self._stream_seconds = stream_seconds
        self._look_seconds = look_seconds

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application behind the gate, under the problems middleware."""
        return [
            web.get(PATH, explaining(self._show)),
            web.get(STREAM_PATH, explaining(self._stream), allow_head=False),
            web.get(SEVERAL_PATH, explaining(self._show_several)),
        ]

    async def _see(self, request: web.Request, *, used: bool = True) -> Announcement:
        principal = await self._admission.reader(request, used=used)
        return (await self._editorial.get(reading.announcement_id(request), by=principal)).announcement

    async def _show(self, request: web.Request) -> web.Response:
        return answer((await self._read([await self._see(request)]))[0])

    async def _show_several(self, request: web.Request) -> web.Response:
        principal = await self._admission.reader(request)
        seen = await self._editorial.some(_ids(request), by=principal)
        return answer(Several(await self._read(seen) if seen else []))

    async def _read(self, announcements: Sequence[Announcement]) -> list[Reach]:
        try:
            return await self._ledger.read_all(announcements)
        except (RedisError, OSError) as error:
            raise StoreAway(reason(error)) from error

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        announcement = await self._see(request)
        # No proxy is to gather what is meant for now.
        response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        response.content_type = "text/event-stream"
        try:
            with self._live.watching(announcement) as changes:
                await response.prepare(request)
                await response.write(b"retry: %d\n\n" % RETRY_MS)
                seen_at = time.monotonic()
                async with aclosing(changes), asyncio.timeout(self._stream_seconds) as limit:
                    async for reach in changes:
                        # The store's client may have lost what the limit told it: see `gateway.tasks.told_to_stop`.
                        if limit.expired():
                            break
                        if time.monotonic() - seen_at > self._look_seconds:
                            # What becomes of a right holds within five seconds, in what lies open as well.
                            await self._see(request, used=False)
                            seen_at = time.monotonic()
                        told = b": nothing new\n\n" if reach is None else b"data: %b\n\n" % msgspec.json.encode(reach)
                        await response.write(told)
        except TooManyWatch:
            detail = "As many watch reach here as may; ask for it without /stream."
            raise Problem(503, detail=detail, headers={"Retry-After": "5"}) from None
        except (TimeoutError, ConnectionResetError):
            # It has lasted as long as it may, or nobody listens any more.
            pass
        except (Problem, NotificationsError):
            # Whoever listens may not any more, or the store cannot say; they will be told so when they ask again.
            if not response.prepared:
                raise
        return response


def _ids(request: web.Request) -> list[str]:
    """Of which announcements the reach is asked for, each once.

    Raises:
        Invalid: Of none, of too many, or of what is no id.
    """
    wrong = [
        WrongField(name[:40], "", "is not known here; there is: id")
        for name in dict.fromkeys(request.query)
        if name != "id"
    ]
    given = request.query.getall("id", [])
    ids = [*dict.fromkeys(given)]
    if not ids:
        wrong.append(WrongField("id", "", "name at least one announcement"))
    elif len(given) > MOST:
        wrong.append(WrongField("id", "", f"may be given at most {MOST} times"))
    elif any(reading.ID.fullmatch(id) is None for id in ids):
        wrong.append(WrongField("id", "", "an id is 26 lower-case letters and digits"))
    if wrong:
        raise Invalid(wrong)
    return ids
