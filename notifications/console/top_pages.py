"""The most read pages now, for editors: asked of the API by the page itself, every few seconds until it is paused.

How many read where is the other room's to know; from here it is an address.
"""

from __future__ import annotations

from aiohttp import web

from notifications.console.desk import Desk
from notifications.console.visit import Visit
from notifications.people.rights import sites_with

PATH = "/console/pages"


class TopPages:
    """The page."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        desk.shell.add_entry(PATH, "Top pages", "see", order=20)

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [web.get(PATH, self._desk.shell.signed_in(self._show, "see"))]

    async def _show(self, request: web.Request, visit: Visit) -> web.Response:
        sites = sites_with(visit.by.roles, "see", self._desk.sites)
        wanted = request.query.get("site", "")
        site = wanted if wanted in sites else next(iter(sites), "")
        context = {"words": self._desk.words(request), "sites": sites, "site": site}
        return self._desk.shell.render(request, "top_pages.html", context)
