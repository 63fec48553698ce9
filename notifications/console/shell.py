"""What all pages of the console stand in: who may see them, their language, their frame, and what a page says of what
was just done. ``notifications/console/__init__.py`` tells how to add a page.

Every page is rendered here, answers included that say what went wrong; nothing is kept by browsers or proxies, and no
script or style runs that is not a file of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote
from zoneinfo import ZoneInfo

import jinja2
import structlog
from aiohttp import web
from babel.dates import format_datetime
from markupsafe import Markup

from gateway.problems import Problem
from gateway.templates import options
from notifications.console.assets import Assets
from notifications.console.visit import Notice, NoticeKind, Visit, inner, packed, unpacked
from notifications.console.words import DEFAULT, NAMES, PACKAGE, accepted, text, translations
from notifications.errors import NotificationsError, StoreAway
from notifications.people.cookies import LANGUAGE, NOTICE, SESSION, drop, put
from notifications.people.crossing import SAFE_METHODS, Crossing
from notifications.people.rights import Right
from notifications.people.sessions import Sessions
from notifications.people.signin import principal
from notifications.people.user import LANGUAGES, Language

log = structlog.get_logger(__name__)

HOME = "/console/"
SIGN_IN = "/console/sign-in"

POLICY: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: a browser would then say "null" for the Origin of our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_NOTICE_SECONDS = 60
_VISIT = web.RequestKey("visit", Visit)

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Page: TypeAlias = Callable[[web.Request, Visit], Awaitable[web.StreamResponse]]


class Entry(NamedTuple):
    """A place in the navigation.

    Attributes:
        path: Where it leads; pages below it belong to it.
        label: In English, as in the catalogs.
        right: Who has it anywhere sees the entry.
        order: The smaller, the earlier.
    """

    path: str
    label: str
    right: Right
    order: int = 50


class Shell:
    """The frame of the console.

    Args:
        sessions: Who is signed in.
        crossing: Which pages are ours.
        client_of: The address a request came from.
        timezone: In which times are shown, an IANA name.
        packages: Those of other rooms that have pages here: their ``templates``, ``static`` and ``words``.
    """

    def __init__(
        self,
        sessions: Sessions,
        crossing: Crossing,
        client_of: Callable[[web.Request], str],
        timezone: str,
        packages: Sequence[str] = (),
    ) -> None:
        self._sessions = sessions
        self._crossing = crossing
        self._client_of = client_of
        self.zone = ZoneInfo(timezone)
        self.assets = Assets(*packages)
        self._translations = translations(*packages)
        self._loaders = [jinja2.PackageLoader(package) for package in (PACKAGE, *packages)]
        self._environments = {language: self._environment(language) for language in LANGUAGES}
        self._entries: list[Entry] = []

    def add_entry(self, path: str, label: str, right: Right, order: int = 50) -> None:
        """Adds a place to the navigation."""
        self._entries = sorted([*self._entries, Entry(path, label, right, order)], key=lambda entry: entry.order)

    def first(self, visit: Visit, otherwise: str) -> str:
        """Where somebody's navigation begins; `otherwise` where it is empty."""
        return next((entry.path for entry in self._entries if visit.may(entry.right)), otherwise)

    def signed_in(self, page: Page, right: Right | None = None, *, used: bool = True) -> Handler:
        """`page` for people who are signed in, and have `right` anywhere; on which site is for the page to ask.

        `used` is False for what a page asks by itself, which must not keep a session alive.

        Whoever is not signed in is led to the sign-in and back. A request that changes something must come from our
        own pages. Errors of the room become pages.
        """

        async def guarded(request: web.Request) -> web.StreamResponse:
            visit = await self.visit(request, used=used)
            if visit is None:
                raise self._to_sign_in(request)
            request[_VISIT] = visit
            if right is not None and not visit.may(right):
                raise Problem(403, detail=text("Your role does not allow this."))
            return await page(request, visit)

        return self.open(guarded)

    def open(self, handler: Handler) -> Handler:
        """`handler` for anybody; with the same defence and the same error pages as `signed_in`."""

        async def explained(request: web.Request) -> web.StreamResponse:
            try:
                if self._crossing.refused(request):
                    raise Problem(403, detail=text("This request did not come from a page of the console."))
                return await handler(request)
            except Problem as problem:
                return self._problem(request, problem.status, problem.detail, problem.headers)
            except StoreAway as error:
                log.warning("console: the store does not answer", why=error.why)
                detail = text("The store does not answer. Nothing was changed by asking; try again in a moment.")
                return self._problem(request, 503, detail, {"Retry-After": "2"})
            except NotificationsError as error:
                return self._problem(request, 409, str(error))
            except web.HTTPException as error:
                if error.status < HTTPStatus.BAD_REQUEST:
                    raise
                return self._problem(request, error.status)

        return explained

    async def visit(self, request: web.Request, *, used: bool = True) -> Visit | None:
        """Who asks; None if nobody is signed in. Looked up in the store each time.

        Args:
            request: What came.
            used: Whether a person does it; what a page asks by itself must not keep a session alive.
        """
        found = await self._sessions.find(request.cookies.get(SESSION, ""), used=used)
        if found is None:
            return None
        return Visit(user=found.user, session=found.session, by=principal(found.user, self._client_of(request)))

    def language(self, request: web.Request) -> Language:
        """In which language a page is to be: that of the user, of the cookie, of the browser, in this order."""
        visit: Visit | None = request.get(_VISIT)
        if visit is not None:
            return visit.user.language
        for language in LANGUAGES:
            if request.cookies.get(LANGUAGE) == language:
                return language
        return accepted(request.headers.get("Accept-Language", ""))

    def say(self, request: web.Request, english: str, **values: object) -> str:
        """`english` in the page's language; ``%(name)s`` in it stands for `values`."""
        said = self._translations[self.language(request)].gettext(english)
        return said % values if values else said

    def render(
        self,
        request: web.Request,
        template: str,
        context: Mapping[str, Any] | None = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        policy: Mapping[str, str] | None = None,
    ) -> web.Response:
        """A page.

        Args:
            request: What it answers.
            template: Its name in ``templates``; it extends ``base.html``.
            context: What it shows.
            status: The answer's.
            headers: More of the answer's.
            policy: Directives of the content security policy that this page needs otherwise, such as ``frame-src``.
        """
        visit = request.get(_VISIT)
        notice = unpacked(request.cookies[NOTICE]) if NOTICE in request.cookies else None
        frame = {
            "language": self.language(request),
            "languages": NAMES,
            "visit": visit,
            # Field → what people know it by, filled as fields are written: what is wrong is said above them with these.
            "labels": dict[str, str](),
            "here": request.path,
            "back": inner(request.path_qs) if request.method in SAFE_METHODS else inner(request.path),
            "entries": [entry for entry in self._entries if visit is not None and visit.may(entry.right)],
            "notice": notice,
        }
        body = self._environments[self.language(request)].get_template(template).render({**frame, **(context or {})})
        response = web.Response(
            status=status, text=body, content_type="text/html", headers={**_HEADERS, **(headers or {})}
        )
        directives = {**POLICY, **(policy or {})}
        response.headers["Content-Security-Policy"] = "; ".join(f"{name} {value}" for name, value in directives.items())
        response.headers["Content-Language"] = self.language(request)
        if NOTICE in request.cookies:
            drop(response, NOTICE)
        return response

    def redirect(self, path: str, notice: str = "", kind: NoticeKind = "done") -> web.HTTPSeeOther:
        """To be raised when a form was obeyed: leads to `path`, where the page says `notice`, already translated."""
        answer = web.HTTPSeeOther(path, headers=_HEADERS)
        if notice:
            put(answer, NOTICE, packed(Notice(kind, notice)), _NOTICE_SECONDS)
        return answer

    def _to_sign_in(self, request: web.Request) -> web.HTTPException:
        back = inner(request.path_qs) if request.method in SAFE_METHODS else HOME
        return web.HTTPSeeOther(SIGN_IN if back == HOME else f"{SIGN_IN}?next={quote(back, safe='')}", headers=_HEADERS)

    def _problem(
        self, request: web.Request, status: int, detail: str = "", headers: Mapping[str, str] | None = None
    ) -> web.Response:
        return self.render(
            request, "problem.html", {"status": status, "detail": detail}, status=status, headers=headers
        )

    def _environment(self, language: Language) -> jinja2.Environment:
        told = {**options(PACKAGE), "loader": jinja2.ChoiceLoader(self._loaders)}
        made = jinja2.Environment(**told, extensions=["jinja2.ext.i18n", "jinja2.ext.do"])  # noqa: S701  it escapes
        made.install_gettext_translations(self._translations[language], newstyle=True)  # type: ignore[attr-defined]
        made.globals.update(asset=self.assets.url, home=HOME)
        made.filters["moment"] = lambda ms, form="medium": self.moment(ms, language, form)
        return made

    def moment(self, milliseconds: int, language: Language = DEFAULT, form: str = "medium") -> Markup:
        """A point in time, Unix time in ms, as people of `language` write it; ``HH:mm dd/MM`` stays in their order."""
        at = datetime.fromtimestamp(milliseconds / 1000, UTC)
        pattern = {"medium": "d/M/y HH:mm" if language == "vi" else "d MMM y, HH:mm", "second": "HH:mm:ss"}[form]
        shown = format_datetime(at, pattern, tzinfo=self.zone, locale=language)
        return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="milliseconds"), shown)
