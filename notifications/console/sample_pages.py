"""The texts to begin with: looked through, begun from, and one's own removed."""

from __future__ import annotations

from aiohttp import web

from notifications.console.desk import Desk
from notifications.console.visit import Visit

PATH = "/console/templates"


class SamplePages:
    """The pages."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shell = desk.shell
        self._shell.add_entry(PATH, "Templates", "write", order=30)

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        signed_in = self._shell.signed_in
        return [
            web.get(PATH, signed_in(self._list, "write")),
            web.post(PATH + "/{sample}/remove", signed_in(self._remove, "write")),
        ]

    async def _list(self, request: web.Request, visit: Visit) -> web.Response:
        context = {"words": self._desk.words(request), "samples": await self._desk.samples.list()}
        return self._shell.render(request, "samples.html", context)

    async def _remove(self, request: web.Request, visit: Visit) -> web.Response:
        if not await self._desk.samples.forget(request.match_info["sample"], visit.actor):
            raise web.HTTPNotFound
        raise self._shell.redirect(PATH, self._shell.say(request, "The template is removed."))
