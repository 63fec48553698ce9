"""My account: the password, the language, where I am signed in."""

from __future__ import annotations

from aiohttp import web

from notifications.console import form
from notifications.console.parts import Parts
from notifications.console.shell import SIGN_IN
from notifications.console.visit import Visit
from notifications.console.words import text
from notifications.people.cookies import SESSION, drop
from notifications.people.errors import MustWait, TooManyHashes, WrongPassword
from notifications.people.user import MAX_PASSWORD, MIN_PASSWORD, wrong_password

PATH = "/console/account"


class Account:
    """The pages."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._shell = parts.shell

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        signed_in = self._shell.signed_in
        return [
            web.get(PATH, signed_in(self._show)),
            web.post(PATH + "/password", signed_in(self._change_password)),
            web.post(PATH + "/sessions/end", signed_in(self._end_one)),
            web.post(PATH + "/sessions/end-all", signed_in(self._end_all)),
        ]

    async def _show(self, request: web.Request, visit: Visit) -> web.Response:
        return await self._page(request, visit, form.Form())

    async def _change_password(self, request: web.Request, visit: Visit) -> web.Response:
        sent = await form.read(request)
        current, new = sent.get("current"), sent.get("new")
        say = self._shell.say
        if wrong := wrong_password(new, visit.user.name):
            sent.errors["new"] = say(request, wrong)
        elif new != sent.get("again"):
            sent.errors["again"] = say(request, "The two new passwords differ.")
        if not current:
            sent.errors["current"] = say(request, "Type your present password.")
        if sent.errors:
            return await self._page(request, visit, sent, status=422)
        try:
            entered = await self._parts.people.sign_in.change_password(
                visit.user, current, new, self._parts.origin(request)
            )
        except WrongPassword:
            sent.errors["current"] = say(request, "This is not your present password.")
            return await self._page(request, visit, sent, status=422)
        except (MustWait, TooManyHashes) as error:
            away = self._parts.turned_away(request, error)
            sent.errors["current"] = away.text
            return await self._page(request, visit, sent, status=away.status)
        done = text("Your password is changed. Everywhere else you are signed out.")
        answer = self._shell.redirect(PATH, say(request, done))
        self._parts.let_in(answer, entered)
        raise answer

    async def _end_one(self, request: web.Request, visit: Visit) -> web.Response:
        wanted = (await form.read(request)).get("id")
        for session in await self._parts.people.sessions.list(visit.user):
            if session.id == wanted and session.digest != visit.session.digest:
                await self._parts.people.sessions.end(session)
        raise self._shell.redirect(PATH, self._shell.say(request, "That session is ended."))

    async def _end_all(self, request: web.Request, visit: Visit) -> web.Response:
        await self._parts.people.register.end_sessions(visit.user.name)
        answer = self._shell.redirect(SIGN_IN, self._shell.say(request, "You are signed out everywhere."))
        drop(answer, SESSION)
        raise answer

    async def _page(self, request: web.Request, visit: Visit, sent: form.Form, *, status: int = 200) -> web.Response:
        context = {
            "words": self._parts.words(request),
            "form": sent,
            "sessions": await self._parts.people.sessions.list(visit.user),
            "least": MIN_PASSWORD,
            "most": MAX_PASSWORD,
        }
        return self._shell.render(request, "account.html", context, status=status)
