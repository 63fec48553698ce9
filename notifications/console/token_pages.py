"""Tokens, for admins: made (the text is shown once), listed with their last use, revoked."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from gateway.problems import Problem
from notifications.console import form
from notifications.console.parts import Parts
from notifications.console.shell import Handler, Page
from notifications.console.visit import Visit
from notifications.console.words import text
from notifications.people.rights import ANY_SITE, ROLES
from notifications.tokens import MAX_DAYS, MAX_NAME

PATH = "/console/tokens"
_DAYS = re.compile(r"[0-9]{1,5}", re.ASCII)
_NAME = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{MAX_NAME}}}")


class TokenPages:
    """The pages."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._shell = parts.shell
        self._shell.add_entry(PATH, "Tokens", "administer", order=82)

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.get(PATH, self._for_admins(self._list)),
            web.post(PATH, self._for_admins(self._make)),
            web.get(PATH + "/{id}/revoke", self._for_admins(self._confirm)),
            web.post(PATH + "/{id}/revoke", self._for_admins(self._revoke)),
        ]

    def _for_admins(self, page: Page) -> Handler:
        async def checked(request: web.Request, visit: Visit) -> web.StreamResponse:
            if not visit.may("administer", ANY_SITE):
                raise Problem(403, detail=text("It takes the role admin on all sites to look after tokens."))
            return await page(request, visit)

        return self._shell.signed_in(checked, "administer")

    async def _list(self, request: web.Request, visit: Visit) -> web.Response:
        return await self._page(request, form.Form([("role", "editor"), ("sites", ANY_SITE), ("days", "365")]))

    async def _make(self, request: web.Request, visit: Visit) -> web.Response:
        sent = await form.read(request)
        say = self._shell.say
        name, days, chosen = sent.get("name").strip(), sent.get("days").strip(), sent.all("sites")
        role = next((each for each in ROLES if each == sent.get("role")), None)
        sites = [ANY_SITE] if ANY_SITE in chosen else [site for site in self._parts.sites if site in chosen]
        if _NAME.fullmatch(name) is None:
            sent.errors["name"] = say(request, "takes 1 to 60 characters, no control characters")
        if role is None:
            sent.errors["role"] = say(request, "Choose at least one role.")
        if not sites:
            sent.errors["sites"] = say(request, "Choose at least one site.")
        if days and (_DAYS.fullmatch(days) is None or not 1 <= int(days) <= MAX_DAYS):
            sent.errors["days"] = say(request, "takes a number of days from 1 to 3650, or nothing")
        if sent.errors or role is None:
            return await self._page(request, sent, status=422)
        seconds = int(days) * 86_400 if days else None
        new = await self._parts.tokens.create(name, role, seconds, sites=sites, by=visit.actor)
        # Not by a redirect: the text is in this one answer and nowhere else.
        return self._shell.render(
            request,
            "token_made.html",
            {"words": self._parts.words(request), "token": new.token, "text": new.text},
            status=201,
        )

    async def _confirm(self, request: web.Request, visit: Visit) -> web.Response:
        id = request.match_info["id"]
        token = next((token for token in await self._parts.tokens.list() if token.id == id), None)
        if token is None:
            raise web.HTTPNotFound
        return self._shell.render(request, "token_confirm.html", {"token": token})

    async def _revoke(self, request: web.Request, visit: Visit) -> web.Response:
        if not await self._parts.tokens.revoke(request.match_info["id"], visit.actor):
            raise web.HTTPNotFound
        raise self._shell.redirect(PATH, self._shell.say(request, "The token is revoked. It does not work any more."))

    async def _page(self, request: web.Request, sent: form.Form, *, status: int = 200) -> web.Response:
        tokens = await self._parts.tokens.list()
        used = await self._parts.tokens.used()
        context: dict[str, Any] = {
            "words": self._parts.words(request),
            "form": sent,
            "tokens": [*reversed(tokens)],
            "used": used,
            "roles": ROLES,
            "sites": [*self._parts.sites],
            "max_name": MAX_NAME,
        }
        return self._shell.render(request, "tokens.html", context, status=status)
