"""In and out: the sign-in, the sign-out, the language, and what an open page asks to learn that its time is over."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from aiohttp import web

from notifications.console import form
from notifications.console.parts import Parts
from notifications.console.shell import HOME, SIGN_IN
from notifications.console.visit import Visit, inner
from notifications.people.cookies import LANGUAGE, SESSION, drop, put
from notifications.people.errors import MustWait, TooManyHashes, WrongPassword
from notifications.people.user import LANGUAGES, Language

_LANGUAGE_SECONDS = 365 * 86_400
# In the query of the sign-in: the name and the password were right a moment ago.
_ENTERED = "entered"


class Entrance:
    """The pages."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._shell = parts.shell

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        shell = self._shell
        return [
            web.get("/console", self._to_home),
            web.get(SIGN_IN, shell.open(self._ask)),
            web.post(SIGN_IN, shell.open(self._enter)),
            web.post("/console/sign-out", shell.signed_in(self._leave)),
            web.post("/console/language", shell.open(self._speak)),
            web.get("/console/session", shell.open(self._still)),
        ]

    async def _to_home(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPPermanentRedirect(HOME)

    async def _ask(self, request: web.Request) -> web.Response:
        if not self._parts.people.crossing.is_private(request):
            return self._unsafe(request)
        back = inner(request.query.get("next", ""))
        if await self._shell.visit(request) is not None:
            raise self._shell.redirect(back)
        if request.query.get(_ENTERED):
            return self._shell.render(request, "forgetful.html", {"next": back}, status=403)
        return await self._page(request, form.Form(), back)

    async def _enter(self, request: web.Request) -> web.Response:
        if not self._parts.people.crossing.is_private(request):
            return self._unsafe(request)
        sent = await form.read(request)
        back = inner(sent.get("next"))
        say = self._shell.say
        origin = self._parts.origin(request)
        try:
            entered = await self._parts.people.sign_in.enter(sent.get("name"), sent.get("password"), origin)
        except WrongPassword:
            sent.errors["password"] = say(request, "The name or the password is wrong.")
            return await self._page(request, sent, back, status=403)
        except (MustWait, TooManyHashes) as error:
            away = self._parts.turned_away(request, error)
            sent.errors["password"] = away.text
            return await self._page(request, sent, back, status=away.status, retry_seconds=away.retry_seconds)
        before = await self._shell.visit(request, used=False)
        if before is not None:
            # The browser forgets its cookie now; nobody else shall find a use for it.
            await self._parts.people.sessions.end(before.session)
        # By way of the page that it comes from: a browser that does not keep the cookie would be led back there from
        # any other, only to fill in the form once more.
        answer = self._shell.redirect(f"{SIGN_IN}?{_ENTERED}=1&next={quote(back, safe='')}")
        self._parts.let_in(answer, entered)
        raise answer

    async def _leave(self, request: web.Request, visit: Visit) -> web.StreamResponse:
        await self._parts.people.sessions.end(visit.session)
        answer = self._shell.redirect(SIGN_IN, self._shell.say(request, "You are signed out."))
        drop(answer, SESSION)
        raise answer

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        sent = await form.read(request)
        language = _language(sent.get("language"))
        if language is None:
            raise web.HTTPBadRequest
        visit = await self._shell.visit(request)
        if visit is not None:
            await self._parts.people.register.speak(visit.user.name, language)
        answer = self._shell.redirect(inner(sent.get("back")))
        put(answer, LANGUAGE, language, _LANGUAGE_SECONDS)
        raise answer

    async def _still(self, request: web.Request) -> web.Response:
        """``same``, ``changed`` or ``over``: what became of the rights an open page was made with.

        A page asks as long as it lies open; it says so when somebody has typed or pointed since it asked last.
        """
        visit = await self._shell.visit(request, used=request.query.get("attended") == "1")
        state = "over" if visit is None else "same"
        if visit is not None and visit.fingerprint != request.query.get("as"):
            state = "changed"
        return web.json_response({"state": state}, headers={"Cache-Control": "no-store"})

    async def _page(
        self, request: web.Request, sent: form.Form, back: str, *, status: int = 200, retry_seconds: int = 0
    ) -> web.Response:
        context: dict[str, Any] = {"form": sent, "next": back, "nobody": await self._parts.people.register.empty()}
        headers = {"Retry-After": str(retry_seconds)} if retry_seconds else {}
        return self._shell.render(request, "sign_in.html", context, status=status, headers=headers)

    def _unsafe(self, request: web.Request) -> web.Response:
        return self._shell.render(request, "unsafe.html", status=403)


def _language(text: str) -> Language | None:
    return next((language for language in LANGUAGES if language == text), None)
