"""Errors over HTTP as problem documents (RFC 9457): a status, a title, what is wrong, and which fields.

The middleware turns every error of a handler into one; a handler raises :class:`Problem` and is done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import TypedDict

import msgspec
import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
# By which the operator finds the log's lines about a request; gateway.request_ids sets it.
REQUEST_ID = web.RequestKey("request_id", str)
_HOP_BY_HOP = {"content-type", "content-length"}


class FieldError(TypedDict):
    """One wrong field: its name, where it stands (a JSON pointer, RFC 6901), and what is wrong with it."""

    field: str
    pointer: str
    detail: str


class Problem(Exception):
    """An error to be shown to a client.

    Args:
        status: HTTP status.
        title: What kind of problem, the same each time.
        detail: What is wrong this time, and what to do.
        type: A URI that identifies the kind.
        errors: The fields that are wrong.
        headers: Further response headers.
        members: Further members of the document.
    """

    def __init__(
        self,
        status: int,
        title: str = "",
        detail: str = "",
        *,
        type: str = "about:blank",
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        self.status = status
        self.title = title or _phrase(status)
        self.detail = detail
        self.type = type
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})
        super().__init__(status, self.title, detail)

    def __str__(self) -> str:
        return f"{self.status} {self.title}: {self.detail}"

    def body(self) -> bytes:
        """The document."""
        document: dict[str, object] = {"type": self.type, "title": self.title, "status": self.status}
        if self.detail:
            document["detail"] = self.detail
        if self.errors:
            document["errors"] = self.errors
        return msgspec.json.encode({**document, **self.members})

    def response(self) -> web.Response:
        """The document as an answer."""
        return web.Response(status=self.status, body=self.body(), content_type=CONTENT_TYPE, headers=self.headers)


@web.middleware
async def problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answers every error of the handlers behind it with a problem document."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        headers = {name: value for name, value in error.headers.items() if name.lower() not in _HOP_BY_HOP}
        return Problem(error.status, detail=_detail(error, request), headers=headers).response()
    except Exception as error:
        # The last line of defence: whatever a handler did not foresee is logged here and told to nobody.
        log.error("request failed", method=request.method, path=request.path, exc_info=error)
        named = {"request_id": request[REQUEST_ID]} if REQUEST_ID in request else {}
        return Problem(500, detail="The server failed to answer; it has logged why.", members=named).response()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        # Not every status a proxy or a library invents is registered.
        return "Error"


def _detail(error: web.HTTPException, request: web.Request) -> str:
    if error.status == HTTPStatus.NOT_FOUND:
        return f"There is nothing at {request.path}."
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"{request.path} takes {', '.join(sorted(error.allowed_methods))}."
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return "The request is longer than this address takes."
    return ""
