"""A name for each request, by which an operator finds what a person complains of.

It stands on every log line that is written while the request is answered (``request_id``), in the answer
(``X-Request-ID``), and in the document of an error of ours. A trusted proxy may have given it already; what anybody
else sends under that name is not believed, for it would let a stranger write his requests into another's.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.door import Door
from gateway.problems import REQUEST_ID

HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)

log = structlog.get_logger(__name__)


def name_requests(door: Door) -> Middleware:
    """The middleware; to be placed before all others."""

    @web.middleware
    async def named(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        given = request.headers.get(HEADER, "")
        believed = _GIVEN.fullmatch(given) is not None and door.addresses.trusts(request.remote or "")
        request[REQUEST_ID] = id = given if believed else secrets.token_hex(8)
        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=id):
            answer = await handler(request)
            # Neither the address nor the query, in which tokens and readers' ids may be.
            seconds = round(time.perf_counter() - began, 4)
            log.debug("request", method=request.method, path=request.path, status=answer.status, seconds=seconds)
        return answer

    return named


async def tell(request: web.Request, answer: web.StreamResponse) -> None:
    """Writes it into the head of an answer; a listener of ``on_response_prepare``."""
    if REQUEST_ID in request:
        answer.headers[HEADER] = request[REQUEST_ID]
