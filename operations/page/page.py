"""``/console/ops``, for those with the right ``operate``: the node that answers, now and in the last hour.

What it shows lives in the supervisor and is asked over the intercom at every look. The page asks for its live part
again every ten seconds, until somebody pauses it; without JavaScript it is a page to be loaded again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from notifications.console.shell import Shell
from notifications.console.visit import Visit
from notifications.people.rights import sites_with
from operations.hour import Node
from operations.page.panels import Panels

PATH = "/console/ops"
_ANSWER_SECONDS = 3.0
_DECODER = msgspec.json.Decoder(Node)


class OpsPage:
    """The page.

    Args:
        shell: The console's frame.
        ask: Asks the supervisor for the node.
    """

    def __init__(self, shell: Shell, ask: Callable[[], asyncio.Future[str | None]]) -> None:
        self._shell = shell
        self._ask = ask
        shell.add_entry(PATH, "Operations", "operate", order=70)

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.get(PATH, self._shell.signed_in(self._page, "operate")),
            web.get(f"{PATH}/live", self._shell.signed_in(self._live, "operate", used=False)),
        ]

    async def _page(self, request: web.Request, visit: Visit) -> web.Response:
        return self._shell.render(request, "ops.html", await self._context(request, visit))

    async def _live(self, request: web.Request, visit: Visit) -> web.Response:
        return self._shell.render(request, "ops_live.html", await self._context(request, visit))

    async def _context(self, request: web.Request, visit: Visit) -> dict[str, Any]:
        node = await self._node()
        panels = Panels(self._shell.language(request), self._shell.zone)
        if node is None:
            return {"node": None}
        sites = sites_with(visit.by.roles, "operate", node.now.sites)
        return {
            "node": node,
            "panels": panels.of_node(node),
            "sites": panels.of_sites(node, sites),
            "written": panels.written,
        }

    async def _node(self) -> Node | None:
        """None where the supervisor does not say, as in the first moments."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                said = await self._ask()
        except TimeoutError:
            return None
        return _DECODER.decode(said) if said else None
