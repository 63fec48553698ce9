"""The HTTP API for editors: ``/api/v1/announcements``, its description and a page that explains it.

It reads a request, asks the editorial, and says what came of it. An answer is given only for what the store has
acknowledged; whatever went wrong is a problem document, see ``problems.py``. Editors use it from programs and from the
command line: it sends no CORS headers, so no other website's page can use a browser to call it.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import msgspec
from aiohttp import web

from gateway.problems import Problem
from gateway.sites import Sites
from notifications import explanation, openapi, reading, validation
from notifications.actor import MACHINE, Principal
from notifications.admission import Admission
from notifications.announcement import Announcement, ForEditors, for_editors
from notifications.answers import JSON, answer, published
from notifications.editorial import Editorial
from notifications.errors import SendRefused, StoreAway
from notifications.log import Publication
from notifications.problems import KEY, MATCHED, etag, explaining
from notifications.settings import NotificationsSettings
from notifications.wire import ANNOUNCEMENTS

_ONE = ANNOUNCEMENTS + "/{id}"

Done: TypeAlias = Awaitable[Publication]


class Act(NamedTuple):
    """An act on an announcement that takes no more than a reason; `why`: it must be given."""

    do: Callable[..., Done]
    why: bool = False


def _without_reason(act: Callable[..., Done]) -> Callable[..., Done]:
    def do(editorial: Editorial, id: str, reason: str, **further: Any) -> Done:
        return act(editorial, id, **further)

    return do


#: By the last step of the path.
ACTS: Mapping[str, Act] = {
    "submit": Act(_without_reason(Editorial.submit)),
    "approve": Act(_without_reason(Editorial.approve)),
    "return": Act(Editorial.send_back, why=True),
    "reject": Act(Editorial.reject, why=True),
    "unschedule": Act(_without_reason(Editorial.unschedule)),
    "send": Act(_without_reason(Editorial.send)),
    "discard": Act(Editorial.discard),
    "recall": Act(Editorial.recall),
}


class Listed(msgspec.Struct, frozen=True):
    """Some announcements, the newest first, and what to give as `before` for the next; empty at the end."""

    announcements: list[ForEditors]
    before: str


class Api:
    """The handlers.

    Args:
        editorial: Who acts.
        settings: Limits.
        admission: Who may.
        sites: The portals.
        store_ms: The store's time, Unix time in milliseconds.
        delivered: How many sessions of this node a revision was written to; waits for slow workers, but not long.
        described: Path items of other rooms, for the description.
    """

    def __init__(
        self,
        editorial: Editorial,
        settings: NotificationsSettings,
        admission: Admission,
        sites: Sites,
        *,
        delivered: Callable[[Announcement], Awaitable[int]],
        store_ms: Callable[[], int],
        described: Mapping[str, Any] | None = None,
    ) -> None:
        self._editorial = editorial
        self._settings = settings
        self._admission = admission
        self._sites = sites
        self._delivered = delivered
        self._store_ms = store_ms
        description = openapi.describe(settings, described)
        self._description = msgspec.json.encode(description)
        self._page = explanation.page(description)
        self._stylesheet = explanation.stylesheet()

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application behind the gate, under the problems middleware."""
        return [
            web.post(ANNOUNCEMENTS, explaining(self._publish)),
            web.get(ANNOUNCEMENTS, explaining(self._list)),
            web.get(_ONE, explaining(self._show)),
            web.patch(_ONE, explaining(self._update)),
            *[web.post(f"{_ONE}/{name}", explaining(partial(self._act, act))) for name, act in ACTS.items()],
            web.post(_ONE + "/schedule", explaining(self._schedule)),
            web.get(openapi.PATH, self._describe),
            web.get(openapi.PAGE_PATH, self._explain),
            web.get(openapi.STYLESHEET_PATH, self._style),
        ]

    @property
    def _bounds(self) -> validation.Bounds:
        return validation.bounds(self._sites, self._settings, self._store_ms())

    async def _publish(self, request: web.Request) -> web.Response:
        by, key = await self._admit(request)
        new = validation.new(await reading.document(request), self._bounds)
        publication = await self._editorial.create(new.draft, then=new.then, by=by, key=key)
        location = f"{ANNOUNCEMENTS}/{publication.announcement.id}"
        return await self._acknowledge(publication, key, status=201, headers={"Location": location})

    async def _update(self, request: web.Request) -> web.Response:
        by, key = await self._admit(request)
        id = reading.announcement_id(request)
        document = await reading.document(request)
        change, revision = validation.update(document, self._bounds, await self._sites_of(id, document, "expires_at"))
        expected = _expected(request, revision)
        return await self._acknowledge(await self._editorial.change(id, change, by=by, key=key, expected=expected), key)

    async def _act(self, act: Act, request: web.Request) -> web.Response:
        by, key = await self._admit(request)
        id = reading.announcement_id(request)
        reason, revision = validation.recall(await reading.document(request, optional=not act.why), why=act.why)
        expected = _expected(request, revision)
        return await self._acknowledge(
            await act.do(self._editorial, id, reason, by=by, key=key, expected=expected), key
        )

    async def _schedule(self, request: web.Request) -> web.Response:
        by, key = await self._admit(request)
        id = reading.announcement_id(request)
        document = await reading.document(request, optional=True)
        sites = await self._sites_of(id, document, "starts_at")
        starts_ms, revision = validation.schedule(document, self._bounds, sites)
        expected = _expected(request, revision)
        return await self._acknowledge(
            await self._editorial.schedule(id, starts_ms, by=by, key=key, expected=expected), key
        )

    async def _sites_of(self, id: str, document: object, field: str) -> tuple[str, ...]:
        """The sites of an announcement, whose clock a time without an offset in `field` is meant by."""
        if not isinstance(document, Mapping) or not {field, "starts_at"} & document.keys():
            return ()
        return (await self._editorial.get(id, by=MACHINE)).announcement.sites

    async def _show(self, request: web.Request) -> web.Response:
        by = await self._admission.reader(request)
        found = await self._editorial.get(reading.announcement_id(request), by=by)
        return answer(for_editors(*found), headers={"ETag": etag(found.announcement.revision)})

    async def _list(self, request: web.Request) -> web.Response:
        by = await self._admission.reader(request)
        site, status, before, limit, text = reading.query(request, self._sites.keys())
        page = await self._editorial.page(by=by, site=site, status=status, before=before, limit=limit, text=text)
        return answer(Listed([for_editors(*found) for found in page.found], page.before))

    async def _admit(self, request: web.Request) -> tuple[Principal, str]:
        """Whose request that acts is, and its idempotency key.

        Raises:
            Problem: It is not let in, or its key cannot be one.
            SendRefused: The token could not be looked up, so nothing was done.
        """
        try:
            by = await self._admission.acting(request)
        except StoreAway as error:
            # This answer, too, names the key to repeat the request with.
            _key(request)
            raise SendRefused(str(error)) from error
        return by, _key(request)

    async def _acknowledge(
        self, publication: Publication, key: str, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        done = await published(publication, self._delivered)
        told = {"ETag": etag(done.revision), "Idempotency-Key": key}
        return answer(done, status=status, headers={**told, **(headers or {})})

    async def _describe(self, request: web.Request) -> web.Response:
        return web.Response(body=self._description, content_type=JSON, headers={"Cache-Control": "no-cache"})

    async def _explain(self, request: web.Request) -> web.Response:
        return web.Response(text=self._page, content_type="text/html", headers=explanation.HEADERS)

    async def _style(self, request: web.Request) -> web.Response:
        return web.Response(text=self._stylesheet, content_type="text/css", headers={"Cache-Control": "no-cache"})


def _key(request: web.Request) -> str:
    """The client's idempotency key, or one made for it, which every answer names: also one that says "unknown"."""
    key = reading.idempotency_key(request) or secrets.token_hex(16)
    request[KEY] = key
    return key


def _expected(request: web.Request, revision: int | None) -> int | None:
    """The revision a request was made against: by its body, or by If-Match."""
    matched = reading.if_match(request)
    if matched is None:
        return revision
    if revision not in (None, matched):
        raise Problem(400, detail="If-Match and revision name different revisions.")
    request[MATCHED] = True
    return matched
