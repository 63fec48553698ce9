"""The number over HTTP: ``GET /api/v1/sites/{site}/presence``, for pages, badges and programs.

Anyone may read it; a page of another origin than the site's own only gets no CORS header, so its scripts cannot.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web

from gateway.origins import Origins
from gateway.problems import Problem
from gateway.sites import Sites
from presence.bounds import Bounds
from presence.counter import Presence
from presence.description import PATH

# A proxy or a browser may answer many by one, for as long as a count takes to change.
CACHE_CONTROL = "public, max-age=1"


class SitePresence(msgspec.Struct, frozen=True):
    """The answer.

    Attributes:
        site: Id of the site.
        online: Readers now; null until they have been counted once.
        as_of: When that was true, RFC 3339 in UTC; null as above.
        stale: The store has not answered since; `freshness_seconds` does not hold.
        freshness_seconds: Whatever happened longer ago than this is in the number; the worst of `bounds`.
        bounds: The same for each thing that can happen.
    """

    site: str
    online: int | None
    as_of: str | None
    stale: bool
    freshness_seconds: float
    bounds: Bounds


def routes(presence: Presence, sites: Sites) -> list[web.RouteDef]:
    """The routes of this room."""
    origins = {site: Origins(one.origins) for site, one in sites.items()}
    return [web.get(PATH, _presence(presence, origins))]


def _presence(
    presence: Presence, origins: Mapping[str, Origins]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def site_presence(request: web.Request) -> web.StreamResponse:
        """How many readers a site has now."""
        site = request.match_info["site"]
        if site not in origins:
            raise Problem(404, "No such site", "There is no such site here; the settings name them under [sites].")
        count = presence.count(site)
        in_force = presence.bounds(site)
        body = msgspec.json.encode(
            SitePresence(site, count.online, count.as_of, count.stale, in_force.freshness_seconds, in_force)
        )
        headers = {"Cache-Control": CACHE_CONTROL, "Vary": "Origin"}
        origin = request.headers.get("Origin", "")
        if origin and origins[site].allow(origin):
            headers["Access-Control-Allow-Origin"] = origin
        return web.Response(body=body, content_type="application/json", headers=headers)

    return site_presence
