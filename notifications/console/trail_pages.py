"""The audit trail, for admins: the newest first, some at a time, each entry with what it changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from notifications.audit import Act, Entry, Line
from notifications.console.parts import Parts
from notifications.console.visit import Visit
from notifications.console.words import text
from notifications.people.rights import ANY_SITE
from store.errors import NOT_UNDERSTOOD

PATH = "/console/trail"

# What is written after the name of whoever did it.
ACTS: Mapping[Act, str] = {
    "draft": text("wrote a draft of"),
    "submit": text("asked for approval of"),
    "schedule": text("scheduled"),
    "publish": text("published"),
    "edit": text("edited"),
    "endorse": text("approved, as one of several,"),
    "approve": text("approved"),
    "return": text("sent back"),
    "reject": text("rejected"),
    "hold": text("held back"),
    "unschedule": text("took off the schedule"),
    "send": text("sent"),
    "start": text("started, being due,"),
    "miss": text("missed, being down,"),
    "update": text("updated"),
    "recall": text("recalled"),
    "expire": text("let expire"),
    "discard": text("discarded"),
    "approve.refused": text("was refused the approval of"),
    "token.create": text("made the token"),
    "token.revoke": text("revoked the token"),
    "webhook.add": text("added the webhook"),
    "webhook.remove": text("removed the webhook"),
    "webhook.rotate": text("gave a new secret to the webhook"),
    "webhook.enable": text("switched on again the webhook"),
    "webhook.test": text("tried the webhook"),
    "webhook.retry": text("tried again a delivery to the webhook"),
    "webhook.drop": text("gave up a delivery to the webhook"),
    "hook.add": text("let post the system"),
    "hook.remove": text("no longer lets post the system"),
    "hook.rotate": text("gave a new secret to the system"),
    "user.add": text("added the person"),
    "user.change": text("changed the person"),
    "user.disable": text("disabled the person"),
    "user.enable": text("let in again the person"),
    "user.password": text("set the password of"),
    "user.remove": text("removed the person"),
    "user.sign_in": text("signed in as"),
    "template.keep": text("kept the template"),
    "template.remove": text("removed the template"),
    "store.restore": text("restored a backup"),
}
PAGE = 50
_BEFORE = re.compile(r"[0-9]{1,20}-[0-9]{1,20}", re.ASCII)


# What every act changes, and what is for programs.
_UNTOLD = {"id", "revision", "version", "updated_ms", "author", "generation", "digest", "secrets", "maker"}


class Difference(NamedTuple):
    """A member that an act changed; None: there was, or is, none."""

    name: str
    before: Any
    after: Any


class TrailPages:
    """The page."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._shell = parts.shell
        self._shell.add_entry(PATH, "Audit trail", "administer", order=90)

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [web.get(PATH, self._shell.signed_in(self._show, "administer"))]

    async def _show(self, request: web.Request, visit: Visit) -> web.Response:
        if not visit.may("administer", ANY_SITE):
            raise web.HTTPForbidden
        before = request.query.get("before", "")
        if before and _BEFORE.fullmatch(before) is None:
            raise web.HTTPBadRequest
        lines, older = await self._parts.trail.page(before, PAGE)
        words = self._parts.words(request)
        context = {
            "entries_shown": [_read(line) for line in lines],
            "older": older,
            "first": not before,
            "acts": ACTS,
            "words": words,
        }
        return self._shell.render(request, "trail.html", context)


def _read(line: Line) -> tuple[Entry | None, list[Difference]]:
    """An entry and what it changed; None where it cannot be read, which ``loa audit verify`` looks into."""
    try:
        entry = msgspec.json.decode(line.entry, type=Entry)
    except NOT_UNDERSTOOD:
        return None, []
    return entry, differences(entry.before, entry.after)


def differences(before: Any, after: Any) -> list[Difference]:
    """The members in which two documents differ, as far as people are told of them."""
    old, new = _members(before), _members(after)
    names = [name for name in dict.fromkeys([*old, *new]) if name not in _UNTOLD]
    return [
        Difference(name, _said(old.get(name)), _said(new.get(name)))
        for name in names
        if _said(old.get(name)) != _said(new.get(name))
    ]


def _members(document: Any) -> dict[str, Any]:
    return document if isinstance(document, dict) else {} if document is None else {"": document}


def _said(value: Any) -> Any:
    """`value`, or None where it says nothing: an empty text, no moment, nobody's audience."""
    return value if value or value is False else None
