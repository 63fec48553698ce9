"""The list: what is live, what waits for me, what is being written, what is scheduled, and everything there was."""

from __future__ import annotations

import asyncio
from typing import NamedTuple
from urllib.parse import urlencode

from aiohttp import web

from notifications import reading
from notifications.announcement import STATUSES
from notifications.console.desk import PATH, Desk
from notifications.console.possible import waits_for
from notifications.console.visit import Visit
from notifications.log import Found, Page
from notifications.people.rights import sites_with

# Whatever of these there is must be seen, however old it is.
_MOST_OPEN = 100
_WRITTEN = ("draft", "returned", "approved")
_RECENT = 100
_PAGE = 30


class Search(NamedTuple):
    """What is looked for in the history."""

    text: str
    site: str
    status: str
    before: str

    @property
    def narrow(self) -> bool:
        """Something is looked for, or an older page."""
        return any(self)

    def older(self, before: str) -> str:
        """The query of the next page."""
        return urlencode({name: value for name, value in self._replace(before=before)._asdict().items() if value})


class AnnouncementList:
    """The page."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        desk.shell.add_entry(PATH, "Announcements", "see", order=10)

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [web.get(PATH, self._desk.shell.signed_in(self._show, "see"))]

    async def _show(self, request: web.Request, visit: Visit) -> web.Response:
        sites = sites_with(visit.by.roles, "see", self._desk.sites)
        search = searched(request, sites)
        ask = self._desk.editorial.page
        context = {
            "words": self._desk.words(request),
            "search": search,
            "sites": sites,
            "statuses": STATUSES,
            "may_write": bool(self._desk.writable(visit)),
            "max_text": reading.MAX_TEXT,
        }
        if search.narrow:
            found = await ask(by=visit.by, limit=_PAGE, **search._asdict())
            return self._desk.shell.render(request, "announcements.html", {**context, "groups": {}, "found": found})
        live, waiting, scheduled, recent = await asyncio.gather(
            *(ask(by=visit.by, status=status, limit=_MOST_OPEN) for status in ("live", "waiting", "scheduled")),
            ask(by=visit.by, limit=_RECENT),
        )
        mine = [one for one in waiting.found if waits_for(*one, visit.by)]
        groups = {
            "mine": mine,
            "live": live.found,
            "waiting": [one for one in waiting.found if one not in mine],
            "written": [one for one in recent.found if one.status in _WRITTEN],
            "scheduled": sorted(scheduled.found, key=lambda one: one.announcement.starts_ms),
        }
        context |= {"groups": groups, "found": _past(recent)}
        return self._desk.shell.render(request, "announcements.html", context)


def searched(request: web.Request, sites: list[str]) -> Search:
    """What the query asks for; what can be nothing is left out, since it was not typed by anybody."""
    query = request.query
    site, status, before = query.get("site", ""), query.get("status", ""), query.get("before", "")
    return Search(
        text=query.get("text", "").strip()[: reading.MAX_TEXT],
        site=site if site in sites else "",
        status=status if status in STATUSES else "",
        before=before if reading.ID.fullmatch(before) else "",
    )


def _past(recent: Page) -> Page:
    """The newest that are over; where to go on from there."""
    over: list[Found] = [
        one for one in recent.found if one.status in {"expired", "recalled", "rejected", "discarded", "missed"}
    ]
    shown = over[:_PAGE]
    if len(over) > _PAGE:
        return Page(shown, shown[-1].announcement.id)
    return Page(shown, recent.before)
