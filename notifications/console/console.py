"""The console put together, for the roof."""

from __future__ import annotations

from aiohttp import web

from notifications.console.account import PATH as ACCOUNT
from notifications.console.account import Account
from notifications.console.entrance import Entrance
from notifications.console.parts import Parts
from notifications.console.people_pages import People
from notifications.console.shell import HOME
from notifications.console.token_pages import TokenPages
from notifications.console.trail_pages import TrailPages
from notifications.console.visit import Visit


def add_routes(app: web.Application, parts: Parts) -> None:
    """Adds the console's frame and its pages about people to `app`."""
    shell = parts.shell

    async def home(request: web.Request, visit: Visit) -> web.StreamResponse:
        raise shell.redirect(shell.first(visit, ACCOUNT))

    async def nothing(request: web.Request, visit: Visit) -> web.StreamResponse:
        raise web.HTTPNotFound

    app.add_routes([web.get(HOME, shell.signed_in(home)), shell.assets.route()])
    for pages in (Entrance(parts), Account(parts), People(parts), TokenPages(parts), TrailPages(parts)):
        app.add_routes(pages.routes())
    # Whatever else is asked for; a path that somebody adds later comes first all the same, being the longer one.
    app.add_routes([web.get(HOME + "{nothing:.*}", shell.signed_in(nothing))])
