"""People, for admins: who there is, added, given roles, disabled, let in again, given a password, removed.

Whoever looks after people on all sites sees this; who is admin of some sites only looks after nobody: they could give
themselves the rest.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.problems import Problem
from notifications.console import form
from notifications.console.parts import Parts
from notifications.console.shell import Handler, Page
from notifications.console.visit import Visit
from notifications.console.words import text
from notifications.people.errors import ChangedMeanwhile, LastAdmin, NameTaken, TooManyHashes
from notifications.people.rights import ANY_SITE, ROLES, Role
from notifications.people.user import (
    MAX_FULL_NAME,
    MAX_NAME,
    MAX_PASSWORD,
    MIN_PASSWORD,
    User,
    typed_name,
    wrong_full_name,
    wrong_name,
    wrong_password,
)

PATH = "/console/people"
# What a page of confirmation may be about.
_ACTS = ("disable", "enable", "remove")


class People:
    """The pages."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._shell = parts.shell
        self._shell.add_entry(PATH, "People", "administer", order=80)

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        one = PATH + "/{name}"
        return [
            web.get(PATH, self._for_admins(self._list)),
            web.get(PATH + "/add", self._for_admins(self._ask)),
            web.post(PATH + "/add", self._for_admins(self._add)),
            web.get(one, self._for_admins(self._show)),
            web.post(one, self._for_admins(self._change)),
            web.post(one + "/password", self._for_admins(self._set_password)),
            web.get(one + "/{act}", self._for_admins(self._confirm)),
            web.post(one + "/{act}", self._for_admins(self._act)),
        ]

    def _for_admins(self, page: Page) -> Handler:
        async def checked(request: web.Request, visit: Visit) -> web.StreamResponse:
            if not visit.may("administer", ANY_SITE):
                raise Problem(403, detail=text("It takes the role admin on all sites to look after people."))
            return await page(request, visit)

        return self._shell.signed_in(checked, "administer")

    async def _list(self, request: web.Request, visit: Visit) -> web.Response:
        users = await self._parts.people.register.list()
        return self._shell.render(request, "people.html", {"users": users, "words": self._parts.words(request)})

    async def _ask(self, request: web.Request, visit: Visit) -> web.Response:
        return self._adding(request, form.Form([(f"role:{ANY_SITE}", "editor")]))

    async def _add(self, request: web.Request, visit: Visit) -> web.Response:
        sent = await form.read(request)
        name, password = typed_name(sent.get("name")), sent.get("password")
        say = self._shell.say
        roles = self._check(request, sent)
        if wrong := wrong_name(name):
            sent.errors["name"] = say(request, wrong)
        if name == "add":
            sent.errors["name"] = say(request, "This name is taken.")
        if wrong := wrong_password(password, name):
            sent.errors["password"] = say(request, wrong)
        if sent.errors:
            return self._adding(request, sent, status=422)
        user = User(
            name=name, full_name=sent.get("full_name").strip(), roles=roles, language=self._shell.language(request)
        )
        try:
            await self._parts.people.register.add(user, await self._parts.people.hasher.hash(password), visit.actor)
        except NameTaken:
            sent.errors["name"] = say(request, "This name is taken.")
            return self._adding(request, sent, status=409)
        except TooManyHashes:
            sent.errors["password"] = say(request, "Too many people sign in at this moment. Try again in a moment.")
            return self._adding(request, sent, status=503)
        raise self._shell.redirect(PATH, say(request, "%(name)s is added.", name=user.full_name))

    async def _show(self, request: web.Request, visit: Visit) -> web.Response:
        user = await self._user(request)
        fields = [("full_name", user.full_name), *[(f"role:{site}", role) for site, role in user.roles.items()]]
        return self._one(request, visit, user, form.Form(fields))

    async def _change(self, request: web.Request, visit: Visit) -> web.Response:
        user = await self._user(request)
        sent = await form.read(request)
        roles = self._check(request, sent)
        if sent.errors:
            return self._one(request, visit, user, sent, status=422)
        try:
            full_name = sent.get("full_name").strip()
            await self._parts.people.register.change(user.name, visit.actor, full_name=full_name, roles=roles)
        except LastAdmin:
            sent.errors["roles"] = self._last(request)
            return self._one(request, visit, user, sent, status=409)
        except ChangedMeanwhile:
            sent.errors["full_name"] = self._meanwhile(request)
            return self._one(request, visit, user, sent, status=409)
        raise self._shell.redirect(PATH, self._shell.say(request, "%(name)s is changed.", name=full_name))

    async def _set_password(self, request: web.Request, visit: Visit) -> web.Response:
        user = await self._user(request)
        sent = await form.read(request)
        password = sent.get("password")
        say = self._shell.say
        filled = form.Form([("full_name", user.full_name), *[(f"role:{s}", r) for s, r in user.roles.items()]])
        if wrong := wrong_password(password, user.name):
            filled.errors["password"] = say(request, wrong)
            return self._one(request, visit, user, filled, status=422)
        try:
            hashed = await self._parts.people.hasher.hash(password)
        except TooManyHashes:
            filled.errors["password"] = say(request, "Too many people sign in at this moment. Try again in a moment.")
            return self._one(request, visit, user, filled, status=503)
        await self._parts.people.register.set_password(user.name, hashed, visit.actor)
        done = text("%(name)s has a new password, and is signed out everywhere.")
        raise self._shell.redirect(PATH, say(request, done, name=user.full_name))

    async def _confirm(self, request: web.Request, visit: Visit) -> web.Response:
        user, act = await self._user(request), self._wanted(request)
        return self._shell.render(request, "person_confirm.html", {"user": user, "act": act, "error": ""})

    async def _act(self, request: web.Request, visit: Visit) -> web.Response:
        user, act = await self._user(request), self._wanted(request)
        register = self._parts.people.register
        error = ""
        if user.name == visit.user.name and act != "enable":
            error = self._shell.say(request, "You cannot do this to yourself; another admin can.")
        else:
            try:
                if act == "remove":
                    await register.remove(user.name, visit.actor)
                else:
                    await register.change(user.name, visit.actor, disabled=act == "disable")
            except LastAdmin:
                error = self._last(request)
            except ChangedMeanwhile:
                error = self._meanwhile(request)
        if error:
            context = {"user": user, "act": act, "error": error}
            return self._shell.render(request, "person_confirm.html", context, status=409)
        done = {
            "disable": text("%(name)s is disabled and signed out everywhere."),
            "enable": text("%(name)s may sign in again."),
            "remove": text("%(name)s is removed."),
        }[act]
        raise self._shell.redirect(PATH, self._shell.say(request, done, name=user.full_name))

    async def _user(self, request: web.Request) -> User:
        user = await self._parts.people.register.find(request.match_info["name"])
        if user is None:
            raise web.HTTPNotFound
        return user

    def _wanted(self, request: web.Request) -> str:
        if (act := request.match_info["act"]) not in _ACTS:
            raise web.HTTPNotFound
        return act

    def _check(self, request: web.Request, sent: form.Form) -> dict[str, Role]:
        """The roles of a form; what is wrong with them and the full name is in its errors."""
        roles: dict[str, Role] = {}
        for site in (ANY_SITE, *self._parts.sites):
            chosen = sent.get(f"role:{site}")
            role = next((each for each in ROLES if each == chosen), None)
            if role is not None:
                roles[site] = role
        if not roles:
            sent.errors["roles"] = self._shell.say(request, "Choose at least one role.")
        if wrong := wrong_full_name(sent.get("full_name").strip()):
            sent.errors["full_name"] = self._shell.say(request, wrong)
        return roles

    def _adding(self, request: web.Request, sent: form.Form, *, status: int = 200) -> web.Response:
        return self._shell.render(request, "person_add.html", self._context(request, sent), status=status)

    def _one(
        self, request: web.Request, visit: Visit, user: User, sent: form.Form, *, status: int = 200
    ) -> web.Response:
        context = {**self._context(request, sent), "user": user, "myself": user.name == visit.user.name}
        return self._shell.render(request, "person.html", context, status=status)

    def _context(self, request: web.Request, sent: form.Form) -> dict[str, Any]:
        return {
            "words": self._parts.words(request),
            "form": sent,
            "sites": [*self._parts.sites],
            "roles": ROLES,
            "max_name": MAX_NAME,
            "max_full_name": MAX_FULL_NAME,
            "least": MIN_PASSWORD,
            "most": MAX_PASSWORD,
        }

    def _last(self, request: web.Request) -> str:
        last = text("Nobody would be left to look after people. Give another the role admin on all sites first.")
        return self._shell.say(request, last)

    def _meanwhile(self, request: web.Request) -> str:
        return self._shell.say(request, "Somebody else changed this person meanwhile. Look again, and repeat it.")
