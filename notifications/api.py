"""The HTTP API for editors: ``/api/v1/announcements``, its description and a page that explains it.

It reads a request, asks the log, and says what came of it. An answer is given only for what the store has acknowledged;
whatever went wrong is a problem document (RFC 9457) that names the fields. Editors use it from programs and from the
command line: it sends no CORS headers, so no other website's page can use a browser to call it.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import msgspec
from aiohttp import web

from gateway.problems import FieldError, Problem
from gateway.sites import Sites
from notifications import explanation, openapi, reading, validation
from notifications.admission import Admission
from notifications.announcement import Announcement, ForEditors, for_editors
from notifications.durability import Durability
from notifications.errors import (
    ActionRefused,
    Invalid,
    KeyReused,
    NoSuchAnnouncement,
    NotificationsError,
    NotUnderstood,
    OutcomeUnknown,
    SendRefused,
    StaleRevision,
    StoreAway,
    TooManyActive,
)
from notifications.log import Log, Publication
from notifications.tokens import Token

PATH = "/api/v1/announcements"
JSON = "application/json"

# Remembered with a request, for the problem that may come of it.
_KEY = web.RequestKey("idempotency_key", str)
_MATCHED = web.RequestKey("matched", bool)

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Published(ForEditors, frozen=True, kw_only=True):
    """The answer to an act: the announcement, and how it went.

    Attributes:
        durability: `disk`, or `memory` where the store cannot say.
        sessions: How many open connections of this node it was written to.
        replayed: This request had been carried out before; nothing was done now.
    """

    durability: Durability
    sessions: int
    replayed: bool


class Listed(msgspec.Struct, frozen=True):
    """Some announcements, the newest first, and what to give as `before` for the next; empty at the end."""

    announcements: list[ForEditors]
    before: str


class Api:
    """The handlers.

    Args:
        log: Where announcements are.
        admission: Who may.
        sites: The portals.
        delivered: How many sessions of this node a revision was written to; waits for slow workers, but not long.
        described: Path items of other rooms, for the description.
    """

    def __init__(
        self,
        log: Log,
        admission: Admission,
        sites: Sites,
        delivered: Callable[[Announcement], Awaitable[int]],
        *,
        described: Mapping[str, Any] | None = None,
    ) -> None:
        self._log = log
        self._admission = admission
        self._sites = sites
        self._delivered = delivered
        settings = log.settings
        self._bounds = validation.Bounds(sites.keys(), settings.default_expiry_seconds, settings.max_expiry_seconds)
        description = openapi.describe(settings, described)
        self._description = msgspec.json.encode(description)
        self._page = explanation.page(description)
        self._stylesheet = explanation.stylesheet()

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application behind the gate, under the problems middleware."""
        return [
            web.post(PATH, _explaining(self._publish)),
            web.get(PATH, _explaining(self._list)),
            web.get(PATH + "/{id}", _explaining(self._show)),
            web.patch(PATH + "/{id}", _explaining(self._update)),
            web.post(PATH + "/{id}/recall", _explaining(self._recall)),
            web.get(openapi.PATH, self._describe),
            web.get(openapi.PAGE_PATH, self._explain),
            web.get(openapi.STYLESHEET_PATH, self._style),
        ]

    async def _publish(self, request: web.Request) -> web.Response:
        token, key = await self._admit(request)
        draft = validation.draft(await reading.document(request), self._bounds)
        publication = await self._log.publish(draft, by=token.owner, key=key)
        location = f"{PATH}/{publication.announcement.id}"
        return await self._acknowledge(publication, key, status=201, headers={"Location": location})

    async def _update(self, request: web.Request) -> web.Response:
        token, key = await self._admit(request)
        id = reading.announcement_id(request)
        change, revision = validation.update(await reading.document(request), self._bounds)
        expected = _expected(request, revision)
        publication = await self._log.update(id, change, by=token.owner, key=key, expected=expected)
        return await self._acknowledge(publication, key)

    async def _recall(self, request: web.Request) -> web.Response:
        token, key = await self._admit(request)
        id = reading.announcement_id(request)
        reason, revision = validation.recall(await reading.document(request, optional=True))
        expected = _expected(request, revision)
        publication = await self._log.recall(id, reason, by=token.owner, key=key, expected=expected)
        return await self._acknowledge(publication, key)

    async def _show(self, request: web.Request) -> web.Response:
        await self._admission.reader(request)
        found = await self._log.get(reading.announcement_id(request))
        return _answer(for_editors(*found), headers={"ETag": _etag(found.announcement.revision)})

    async def _list(self, request: web.Request) -> web.Response:
        await self._admission.reader(request)
        site, status, before, limit = reading.query(request, self._sites.keys())
        page = await self._log.page(site=site, status=status, before=before, limit=limit)
        return _answer(Listed([for_editors(*found) for found in page.found], page.before))

    async def _admit(self, request: web.Request) -> tuple[Token, str]:
        """The token of a request that acts, and its idempotency key.

        Raises:
            Problem: It is not let in, or its key cannot be one.
            SendRefused: The token could not be looked up, so nothing was done.
        """
        try:
            token = await self._admission.editor(request)
        except StoreAway as error:
            # This answer, too, names the key to repeat the request with.
            _key(request)
            raise SendRefused(str(error)) from error
        return token, _key(request)

    async def _acknowledge(
        self, publication: Publication, key: str, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        shown = for_editors(publication.announcement, publication.status)
        answer = Published(
            **msgspec.structs.asdict(shown),
            durability=publication.durability,
            sessions=await self._delivered(publication.announcement),
            replayed=publication.replayed,
        )
        etag = _etag(answer.revision)
        return _answer(answer, status=status, headers={"ETag": etag, "Idempotency-Key": key, **(headers or {})})

    async def _describe(self, request: web.Request) -> web.Response:
        return web.Response(body=self._description, content_type=JSON, headers={"Cache-Control": "no-cache"})

    async def _explain(self, request: web.Request) -> web.Response:
        return web.Response(text=self._page, content_type="text/html", headers=explanation.HEADERS)

    async def _style(self, request: web.Request) -> web.Response:
        return web.Response(text=self._stylesheet, content_type="text/css", headers={"Cache-Control": "no-cache"})


def _key(request: web.Request) -> str:
    """The client's idempotency key, or one made for it, which every answer names: also one that says "unknown"."""
    key = reading.idempotency_key(request) or secrets.token_hex(16)
    request[_KEY] = key
    return key


def _expected(request: web.Request, revision: int | None) -> int | None:
    """The revision a request was made against: by its body, or by If-Match."""
    matched = reading.if_match(request)
    if matched is None:
        return revision
    if revision not in (None, matched):
        raise Problem(400, detail="If-Match and revision name different revisions.")
    request[_MATCHED] = True
    return matched


def _explaining(handler: Handler) -> Handler:
    """Turns what this room refuses into problem documents."""

    async def explain(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except NotificationsError as error:
            raise _problem(error, request) from error

    return explain


def _problem(error: NotificationsError, request: web.Request) -> Problem:  # noqa: PLR0911  one line for each error of the tree
    match error:
        case Invalid(wrong=wrong):
            errors = [FieldError(field=field, pointer=pointer, detail=detail) for field, pointer, detail in wrong]
            return Problem(422, detail=str(error), errors=errors)
        case NoSuchAnnouncement():
            return Problem(404, detail="There is no announcement of this id.")
        case ActionRefused(state=state):
            return Problem(409, detail=_sentence(error), members={"state": state})
        case StaleRevision():
            # RFC 9110, 13.1.1 has a status of its own for a precondition in a header.
            return _stale(412 if request.get(_MATCHED) else 409, error)
        case KeyReused():
            wrong_key = FieldError(field="Idempotency-Key", pointer="", detail=str(error))
            return Problem(409, detail=_sentence(error), errors=[wrong_key])
        case TooManyActive():
            return Problem(409, detail=_sentence(error))
        case SendRefused():
            # What an earlier request with the same key has done is not for this one to say.
            return _unavailable("Not sent", error, {"outcome": "not_sent", **_again(request)})
        case OutcomeUnknown():
            return _unavailable("Outcome unknown", error, {"outcome": "unknown", **_again(request)})
        case NotUnderstood():
            return _unavailable("Another release", error, {})
        case StoreAway():
            return _unavailable("Store unavailable", error, {})
        case _:
            raise error


def _again(request: web.Request) -> dict[str, object]:
    return {"idempotency_key": request.get(_KEY, "")}


def _unavailable(title: str, error: NotificationsError, members: Mapping[str, object]) -> Problem:
    return Problem(503, title, _sentence(error), members=members, headers={"Retry-After": "2"})


def _stale(status: int, error: StaleRevision) -> Problem:
    current = error.current.revision
    wrong = FieldError(field="revision", pointer="/revision", detail=f"the announcement is at revision {current}")
    headers = {"ETag": _etag(current)}
    return Problem(status, detail=_sentence(error), errors=[wrong], members={"revision": current}, headers=headers)


def _sentence(error: NotificationsError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _answer(body: msgspec.Struct, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        content_type=JSON,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def _etag(revision: int) -> str:
    return f'"{revision}"'
