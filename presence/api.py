"""The numbers over HTTP: ``GET /api/v1/sites/{site}/presence``, for pages, badges and programs.

Anyone may read it; a page of another origin than the site's own only gets no CORS header, so its scripts cannot.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from gateway.handshake import page_path, page_section
from gateway.origins import Origins
from gateway.problems import Problem
from gateway.sites import Sites
from presence.bounds import Bounds
from presence.counter import Presence
from presence.description import PATH
from presence.enquiry import Enquiry
from presence.refusals import no_such_site

# A proxy or a browser may answer many by one, for as long as a count takes to change.
CACHE_CONTROL = "public, max-age=1"


class StatesAnswer(msgspec.Struct, frozen=True):
    """Readers by what they do, see :class:`presence.gauge.States`."""

    reading: int
    idle: int
    background: int


class SectionAnswer(msgspec.Struct, frozen=True):
    """Readers of a section; null if the store does not answer."""

    section: str
    online: int | None


class PageAnswer(msgspec.Struct, frozen=True):
    """Readers of a page; null if the store does not answer."""

    path: str
    online: int | None


class SitePresence(msgspec.Struct, frozen=True):
    """The answer.

    Attributes:
        site: Id of the site.
        online: Readers now; null until they have been counted once.
        as_of: When that was true, RFC 3339 in UTC; null as above.
        stale: The store has not answered since; `freshness_seconds` does not hold.
        states: The same readers by what they do; null until they have been counted once.
        freshness_seconds: Whatever happened longer ago than this is in the number; the worst of `bounds`.
        bounds: The same for each thing that can happen.
        section, page: Readers of the section and the page that were asked for.
    """

    site: str
    online: int | None
    as_of: str | None
    stale: bool
    states: StatesAnswer | None
    freshness_seconds: float
    bounds: Bounds
    section: SectionAnswer | UnsetType = UNSET
    page: PageAnswer | UnsetType = UNSET


def routes(presence: Presence, enquiry: Enquiry, sites: Sites) -> list[web.RouteDef]:
    """The routes of this room."""
    origins = {site: Origins(one.origins) for site, one in sites.items()}
    return [web.get(PATH, _presence(presence, enquiry, origins))]


def _presence(
    presence: Presence, enquiry: Enquiry, origins: Mapping[str, Origins]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def site_presence(request: web.Request) -> web.StreamResponse:
        """How many readers a site has now."""
        site = request.match_info["site"]
        if site not in origins:
            raise no_such_site()
        section = _wanted(request, "section", page_section, "letters, digits, - and _, at most 64")
        path = _wanted(request, "path", page_path, "a path from / on, at most 512 bytes, without control characters")
        in_section = await enquiry.readers(site, "section", section) if section else None
        on_page = await enquiry.readers(site, "page", path) if path else None
        count = presence.count(site)
        in_force = presence.bounds(site)
        body = msgspec.json.encode(
            SitePresence(
                site,
                count.online,
                count.as_of,
                count.stale,
                StatesAnswer(*count.states) if count.states is not None else None,
                in_force.freshness_seconds,
                in_force,
                SectionAnswer(section, in_section) if section else UNSET,
                PageAnswer(path, on_page) if path else UNSET,
            )
        )
        headers = {"Cache-Control": CACHE_CONTROL, "Vary": "Origin"}
        origin = request.headers.get("Origin", "")
        if origin and origins[site].allow(origin):
            headers["Access-Control-Allow-Origin"] = origin
        return web.Response(body=body, content_type="application/json", headers=headers)

    return site_presence


def _wanted(request: web.Request, name: str, kept: Callable[[str], str], form: str) -> str:
    """What the query says of a place, as it is kept; empty if it says nothing."""
    given = request.query.get(name, "")
    wanted = kept(given)
    if given and not wanted:
        raise Problem(400, "No such place", f"`{name}` must be {form}.")
    return wanted
