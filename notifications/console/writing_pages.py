"""To write: a new announcement, a draft again, or a correction of what readers see.

What is new, or not live, is kept as a draft before it is confirmed, so that nothing is lost whatever happens next. A
correction cannot be: it is carried along to the page that confirms it (``confirm_pages.py``).

Nothing that was typed is lost by an answer of ours: whatever is refused, the form comes back as it was sent; and to
whoever has been signed out meanwhile it is kept in the page until they are in again.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from aiohttp import web

from notifications.announcement import (
    MAX_BODY,
    MAX_GLOB,
    MAX_LANGUAGES,
    MAX_PATHS,
    MAX_SECTIONS,
    MAX_STARS,
    MAX_TITLE,
    MAX_URL,
    SEVERITIES,
    Announcement,
)
from notifications.console import form, phrasing, previewing, writing
from notifications.console.announcement_page import differing
from notifications.console.confirm_pages import ConfirmPages
from notifications.console.desk import PATH, Desk, fresh_key, key_of, path_of, revision_of
from notifications.console.refusals import refusal
from notifications.console.sample_store import TooManySamples
from notifications.console.samples import MAX_NAME
from notifications.console.shell import Handler, Page
from notifications.console.visit import Visit
from notifications.console.words import text
from notifications.errors import Forbidden, Invalid, NotificationsError, StaleRevision
from notifications.lifecycle import TABLE
from notifications.log import Found

NEW = f"{PATH}/new"
_REMOVE = re.compile(r"remove-([1-9])", re.ASCII)
_NAME = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{MAX_NAME}}}")


class WritingPages:
    """The pages."""

    def __init__(self, desk: Desk, confirm: ConfirmPages) -> None:
        self._desk = desk
        self._shell = desk.shell
        self._confirm = confirm

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application; before those of one announcement, whose id is no "new"."""
        signed_in, kept = self._shell.signed_in, self._kept
        return [
            web.get(NEW, signed_in(self._begin, "write")),
            web.post(NEW, kept(self._write)),
            web.get(path_of("{id}", "edit"), signed_in(self._again, "see")),
            web.post(path_of("{id}", "edit"), kept(self._rewrite)),
        ]

    def _kept(self, page: Page) -> Handler:
        """`page` for people who are signed in; to whoever is not any more, what they have typed is given back."""
        inside = self._shell.signed_in(page)

        async def outside(request: web.Request) -> web.StreamResponse:
            if await self._shell.visit(request) is not None:
                return await inside(request)
            sent = await form.read(request)
            context = {"fields": writing.pairs(sent), "to": request.path}
            return self._shell.render(request, "signed_out.html", context, status=403)

        return self._shell.open(outside)

    async def _begin(self, request: web.Request, visit: Visit) -> web.Response:
        desk = self._desk
        begun = writing.empty(desk.writable(visit), desk.settings.default_expiry_seconds)
        zone = writing.zone_of(begun.all("sites"), desk.bounds)
        if copied := request.query.get("copy"):
            found = await desk.find(copied, visit)
            begun = writing.filled(found.announcement, zone)
        elif chosen := request.query.get("sample"):
            sample = await desk.samples.get(chosen)
            if sample is not None:
                filled = writing.filled(sample.draft, zone)
                begun = form.Form([*writing.pairs(filled), *(("sites", site) for site in begun.all("sites"))])
        return await self._page(request, visit, begun)

    async def _write(self, request: web.Request, visit: Visit) -> web.Response:
        sent = await form.read(request)
        if (other := await self._aside(request, visit, sent, None)) is not None:
            return other
        try:
            draft = writing.draft(sent, self._desk.bounds)
            # Another text is another announcement, also if the browser went back to the same form.
            done = await self._desk.editorial.create(draft, then="draft", by=visit.by, key=_key(sent))
        except NotificationsError as error:
            return await self._refused(request, visit, sent, error, None)
        id = done.announcement.id
        raise self._shell.redirect(path_of(id, "confirm") if sent.get("do") == "confirm" else path_of(id))

    async def _again(self, request: web.Request, visit: Visit) -> web.Response:
        found = await self._found(request, visit)
        zone = self._desk.words(request).zone(found.announcement.sites)
        begun = writing.filled(found.announcement, zone, live=found.status == "live")
        revision = ("revision", str(found.announcement.revision))
        return await self._page(request, visit, form.Form([*writing.pairs(begun), revision]), found)

    async def _rewrite(self, request: web.Request, visit: Visit) -> web.Response:
        sent = await form.read(request)
        found = await self._desk.find(request.match_info["id"], visit)
        if not {"edit", "update"} & TABLE[found.status].keys():
            # It is over; what was typed can become another one.
            words = self._desk.words(request)
            said = text("It is “%(state)s” by now. What you typed can go out as a new announcement.")
            sent.errors[""] = words.say(said, state=words.status(found.status))
            return await self._page(request, visit, sent, status=409)
        if (other := await self._aside(request, visit, sent, found)) is not None:
            return other
        one, live = found.announcement, found.status == "live"
        do = sent.get("do")
        try:
            change = writing.change(sent, self._desk.bounds, one, live=live).change
            if live and (page := await self._confirm.correction(request, visit, sent, found, change)) is not None:
                return page
            expected = revision_of(sent)
            await self._desk.editorial.change(one.id, change, by=visit.by, key=_key(sent), expected=expected)
        except NotificationsError as error:
            return await self._refused(request, visit, sent, error, found)
        if live:
            said = self._desk.words(request).say(text("Corrected. Open pages show the new text."))
            raise self._shell.redirect(path_of(one.id), said)
        raise self._shell.redirect(path_of(one.id, "confirm") if do == "confirm" else path_of(one.id))

    async def _found(self, request: web.Request, visit: Visit) -> Found:
        """What is to be written again.

        Raises:
            HTTPSeeOther: To its page: it is over.
        """
        found = await self._desk.find(request.match_info["id"], visit)
        if not {"edit", "update"} & TABLE[found.status].keys():
            raise self._shell.redirect(path_of(found.announcement.id))
        return found

    async def _aside(
        self, request: web.Request, visit: Visit, sent: form.Form, found: Found | None
    ) -> web.Response | None:
        """What a button of the form does besides going on; None if it goes on."""
        wanted = sent.get("do")
        if wanted == "add":
            more = writing.with_row(sent)
            return await self._page(request, visit, more, found, focus=f"language-{writing.rows(more)[-1].number}")
        if (removed := _REMOVE.fullmatch(wanted)) is not None:
            return await self._page(request, visit, writing.without_row(sent, int(removed[1])), found, focus="add")
        if wanted == "again":
            return await self._page(request, visit, sent, found)
        if wanted == "sample":
            return await self._keep_sample(request, visit, sent, found)
        return None

    async def _keep_sample(
        self, request: web.Request, visit: Visit, sent: form.Form, found: Found | None
    ) -> web.Response:
        say = self._desk.words(request).say
        name = sent.get("sample_name").strip()
        if _NAME.fullmatch(name) is None:
            sent.errors["sample_name"] = say(text("Give it a name of 1 to %(most)s characters."), most=MAX_NAME)
            return await self._page(request, visit, sent, found, status=422)
        try:
            if not self._desk.writable(visit):
                raise Forbidden("keeping texts takes the right to write", "write")
            fields = [pair for pair in writing.pairs(sent) if pair[0] not in {"when", "starts_at", "sites", "lasting"}]
            anywhere = [("sites", next(iter(self._desk.sites), "")), ("lasting", sent.get("lasting"))]
            if sent.get("lasting") in {writing.UNTIL, writing.KEEP}:
                anywhere.pop()
            draft = writing.draft(form.Form([*fields, *anywhere]), self._desk.bounds)
            await self._desk.samples.keep(name, draft, visit.actor)
        except TooManySamples:
            sent.errors["sample_name"] = say(text("As many templates are kept as may be. Remove one first."))
            return await self._page(request, visit, sent, found, status=409)
        except NotificationsError as error:
            return await self._refused(request, visit, sent, error, found)
        return await self._page(
            request, visit, sent, found, said=say(text("Kept as the template “%(name)s”."), name=name)
        )

    async def _refused(
        self, request: web.Request, visit: Visit, sent: form.Form, error: NotificationsError, found: Found | None
    ) -> web.Response:
        """The form again as it was sent, with what is wrong."""
        words = self._desk.words(request)
        if isinstance(error, Invalid):
            wrong = writing.errors(error.wrong, sent)
            sent.errors.update({field: words.wrong(detail) for field, detail in wrong.items()})
            return await self._page(request, visit, sent, found, status=422)
        status, why = refusal(error, words.say)
        field = "sites" if isinstance(error, Forbidden) and error.right == "write" else ""
        sent.errors[field] = why
        return await self._page(
            request, visit, sent, found, status=status, stale=error if isinstance(error, StaleRevision) else None
        )

    async def _page(
        self,
        request: web.Request,
        visit: Visit,
        sent: form.Form,
        found: Found | None = None,
        *,
        status: int = 200,
        focus: str = "",
        said: str = "",
        stale: StaleRevision | None = None,
    ) -> web.Response:
        desk, words = self._desk, self._desk.words(request)
        live = found is not None and found.status == "live"
        writable = desk.writable(visit)
        since: list[tuple[str, Any, Any]] = []
        revision = revision_of(sent)
        if stale is not None:
            found = await desk.find(stale.current.id, visit)
            since = differing(await desk.history(stale.current.id), stale, found)
            revision = stale.current.revision
        one: Announcement | None = found.announcement if found is not None else None
        rows = writing.rows(sent)
        context = {
            "words": words,
            "form": sent,
            "one": one,
            "live": live,
            "rows": rows,
            "sites": [*dict.fromkeys([*writable, *(one.sites if one else ())])],
            "writable": writable,
            "severities": SEVERITIES,
            "languages_known": phrasing.languages(words.language, [row.language for row in rows]),
            "lasting": [*dict.fromkeys([*_lasting(sent), *writing.LASTING])],
            "zones": {site: desk.sites[site].timezone for site in desk.sites},
            "zone": words.zone(sent.all("sites") or writable),
            "limits": _LIMITS,
            "samples": await desk.samples.list() if found is None else [],
            "sample": request.query.get("sample", ""),
            "key": fresh_key(),
            "revision": revision,
            "since": since,
            "focus": focus,
            "said": said,
            "site_languages": {site: desk.sites[site].language for site in desk.sites},
            "banner": previewing.said(sent, words, corrected=live),
        }
        return self._shell.render(request, "write.html", context, status=status, policy=previewing.FRAMED)


_LIMITS = {
    "title": MAX_TITLE,
    "body": MAX_BODY,
    "url": MAX_URL,
    "name": MAX_NAME,
    "sections": MAX_SECTIONS,
    "paths": MAX_PATHS,
    "glob": MAX_GLOB,
    "stars": MAX_STARS,
    "languages": MAX_LANGUAGES,
}


def _lasting(sent: form.Form) -> list[int]:
    """What the form says beyond the usual choices."""
    text = sent.get("lasting")
    return [int(text)] if text.isascii() and text.isdigit() and len(text) < 10 else []


def _key(sent: form.Form) -> str:
    fields = repr([pair for pair in writing.pairs(sent) if pair[0] not in {"key", "do", "typed"}])
    return f"{key_of(sent)}-{hashlib.sha256(fields.encode()).hexdigest()[:16]}"
