"""To confirm: what exactly goes out, to whom, and how many read there right now; then send, schedule, or ask.

Only from here anything is sent. An emergency that is no test takes the site's name, typed: in Hawaii in 2018 a drill
and the real thing were two lines of one menu. Where gaps are left in its text it takes a tick that they are meant.
Nothing is sent by Enter in a text field, and what is sent twice acts once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from aiohttp import web
from msgspec import UNSET

from notifications.announcement import Announcement, Change
from notifications.console import form, history, previewing, writing
from notifications.console.announcement_page import differing
from notifications.console.desk import Desk, fresh_key, key_of, path_of, revision_of
from notifications.console.possible import Offer, offers
from notifications.console.refusals import refusal
from notifications.console.samples import gaps
from notifications.console.visit import Visit
from notifications.console.words import text
from notifications.errors import Invalid, NotificationsError, StaleRevision
from notifications.log import Found

_WAYS: tuple[Offer, ...] = ("schedule", "send", "submit")
# Fields that are asked here, not carried along.
_OF_THIS_PAGE = frozenset({"do", "key", "revision", "typed", "gaps"})


class Confirmed(NamedTuple):
    """What a page to confirm shows.

    Attributes:
        one: As it will be.
        ways: The buttons there are.
        before: As it is now, of a correction; None of what is new.
    """

    one: Announcement
    ways: Sequence[str]
    before: Found | None = None


class ConfirmPages:
    """The pages."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shell = desk.shell

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        signed_in = self._shell.signed_in
        return [
            web.get(path_of("{id}", "confirm"), signed_in(self._look, "see")),
            web.post(path_of("{id}", "confirm"), signed_in(self._go)),
        ]

    async def _look(self, request: web.Request, visit: Visit) -> web.Response:
        found = await self._desk.find(request.match_info["id"], visit)
        ways = self._ways(found, visit)
        if not ways:
            raise self._shell.redirect(path_of(found.announcement.id))
        return await self._page(request, visit, form.Form(), Confirmed(found.announcement, ways))

    async def _go(self, request: web.Request, visit: Visit) -> web.Response:
        sent = await form.read(request)
        found = await self._desk.find(request.match_info["id"], visit)
        one, say = found.announcement, self._desk.words(request).say
        do = sent.get("do")
        if do in {"send", "schedule"} and (wrong := self._unmeant(request, one, sent)):
            sent.errors.update(wrong)
            return await self._page(request, visit, sent, Confirmed(one, self._ways(found, visit)), status=422)
        further: dict[str, Any] = {"by": visit.by, "key": f"{key_of(sent)}-{do}", "expected": revision_of(sent)}
        editorial = self._desk.editorial
        try:
            if do == "send":
                await editorial.send(one.id, **further)
                done = say(text("Sent as a test.")) if one.test else say(text("Sent. It is live now."))
            elif do == "schedule":
                await editorial.schedule(one.id, **further)
                done = say(text("Scheduled. It goes live by itself."))
            elif do == "submit":
                await editorial.submit(one.id, **further)
                done = say(text("Others are asked to approve of it."))
            else:
                raise web.HTTPBadRequest
        except NotificationsError as error:
            return await self._refused(request, visit, sent, error, found)
        raise self._shell.redirect(path_of(one.id), done)

    async def correction(
        self, request: web.Request, visit: Visit, sent: form.Form, found: Found, change: Change
    ) -> web.Response | None:
        """The page that confirms a correction, whose form it carries along.

        Returns:
            None if it has been confirmed by this very form.
        """
        one = corrected(found.announcement, change, self._desk.store_ms())
        ways = ["correct"] if "correct" in self._offers(found, visit) else []
        if sent.get("do") != "publish":
            return await self._page(request, visit, sent, Confirmed(one, ways, found), status=200 if ways else 403)
        if wrong := self._unmeant(request, one, sent):
            sent.errors.update(wrong)
            return await self._page(request, visit, sent, Confirmed(one, ways, found), status=422)
        return None

    async def _refused(
        self, request: web.Request, visit: Visit, sent: form.Form, error: NotificationsError, found: Found
    ) -> web.Response:
        words = self._desk.words(request)
        status, why = refusal(error, words.say)
        # Of what is wrong with itself no field stands here.
        sent.errors[""] = words.wrong(error.wrong[0].detail) if isinstance(error, Invalid) else why
        now = await self._desk.find(found.announcement.id, visit)
        stale = error if isinstance(error, StaleRevision) else None
        confirmed = Confirmed(now.announcement, self._ways(now, visit))
        return await self._page(request, visit, sent, confirmed, status=status, stale=stale)

    def _ways(self, found: Found, visit: Visit) -> list[str]:
        possible = self._offers(found, visit)
        ways: list[str] = [way for way in _WAYS if way in possible]
        if not found.announcement.starts_ms and "schedule" in ways:
            ways.remove("schedule")
        return ways

    def _offers(self, found: Found, visit: Visit) -> list[Offer]:
        return offers(*found, visit.by, self._desk.needed(found.announcement))

    def _unmeant(self, request: web.Request, one: Announcement, sent: form.Form) -> dict[str, str]:
        """Why an emergency does not go out yet, by field: it may not be meant as it is."""
        if not _in_earnest(one):
            return {}
        wrong = {}
        # Brackets may be meant: this never refuses for good.
        if gaps(_written(one)) and not sent.has("gaps"):
            wrong["gaps"] = self._desk.words(request).say(text("Fill them, or tick that they are meant."))
        if unnamed := self._unnamed(request, one, sent):
            wrong["typed"] = unnamed
        return wrong

    def _unnamed(self, request: web.Request, one: Announcement, sent: form.Form) -> str:
        """That its site is not named, or not how many there are; empty if it is."""
        words = self._desk.words(request)
        site, many = one.sites[0], len(one.sites)
        typed = _plain(sent.get("typed"))
        if many > 1:
            # The name of one would say nothing of the others, which may have been ticked by mistake.
            return "" if typed == str(many) else words.say(text("Type how many sites it goes to: %(num)s"), num=many)
        if typed and typed in {_plain(words.site(site)), _plain(site)}:
            return ""
        return words.say(text("Type the site’s name to send an emergency: %(name)s"), name=words.site(site))

    async def _page(
        self,
        request: web.Request,
        visit: Visit,
        sent: form.Form,
        confirmed: Confirmed,
        *,
        status: int = 200,
        stale: StaleRevision | None = None,
    ) -> web.Response:
        desk, words = self._desk, self._desk.words(request)
        one, before = confirmed.one, confirmed.before
        since: list[tuple[str, Any, Any]] = []
        if stale is not None:
            since = differing(await desk.history(one.id), stale, Found(one, "draft"))
        needed = desk.needed(one)
        typed = _in_earnest(one) and bool({"send", "schedule", "correct"} & {*confirmed.ways})
        key, revision = sent.get("key"), sent.get("revision")
        context = {
            "words": words,
            "form": sent,
            "one": one,
            "ways": confirmed.ways,
            "before": before.announcement if before else None,
            "differences": history.differences(before.announcement, one) if before else [],
            "carried": _carried(sent) if before else [],
            "needed": needed,
            "typed": typed,
            "gaps": gaps(_written(one)),
            # Where it may have been carried out, the same key asks again; what was refused may be asked anew.
            "key": key if status == 503 and key else fresh_key(),
            "revision": revision if before else one.revision,
            "since": since,
            "banner": {**previewing.of(one, words), "corrected": before is not None, "at": 0},
            "query": audience_query(one),
        }
        return self._shell.render(request, "confirm.html", context, status=status, policy=previewing.FRAMED)


def corrected(one: Announcement, change: Change, now_ms: int) -> Announcement:
    """A live announcement as a correction leaves it, to be shown."""
    wanted = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    if wanted.pop("show_again"):
        wanted["again"] = one.revision + 1
    if "ends_ms" in wanted:
        wanted["expires_ms"] = wanted["ends_ms"]
    elif "expires_in" in wanted:
        wanted["expires_ms"] = now_ms + wanted["expires_in"] * 1000
    return msgspec.structs.replace(one, revision=one.revision + 1, **wanted)


def audience_query(one: Announcement) -> str:
    """How the API is asked how many readers it reaches now."""
    meant = one.audience
    pairs = [("site", site) for site in one.sites] + [("section", section) for section in meant.sections]
    pairs += [("path", path) for path in meant.paths] + [("language", language) for language in meant.languages]
    return urlencode([*pairs, ("visible", "1")] if meant.visible else pairs)


def _carried(sent: form.Form) -> list[tuple[str, str]]:
    """The form, for the page that confirms it."""
    return [pair for pair in writing.pairs(sent) if pair[0] not in _OF_THIS_PAGE]


def _in_earnest(one: Announcement) -> bool:
    return one.severity == "emergency" and not one.test


def _written(one: Announcement) -> list[str]:
    return [one.title, one.body, *(part for text in one.texts.values() for part in (text.title, text.body))]


def _plain(name: str) -> str:
    """As somebody in a hurry types it: without capitals and marks."""
    letters = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
