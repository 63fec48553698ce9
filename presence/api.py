"""The numbers over HTTP: ``GET /api/v1/sites/{site}/presence``, for pages, badges and programs.

Anyone may read it; a page of another origin than the site's own only gets no CORS header, so its scripts cannot.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from gateway.origins import Origins
from gateway.sites import OfEach, Sites
from presence.bounds import Bounds
from presence.counter import Presence
from presence.description import PATH
from presence.enquiry import Enquiry
from presence.parameters import Refused, ours
from presence.refusals import no_such_site, refusal
from presence.scope_query import path as path_of
from presence.scope_query import section as section_of

# A proxy or a browser may answer many by one, for as long as a count takes to change.
CACHE_CONTROL = "public, max-age=1"


class StatesAnswer(msgspec.Struct, frozen=True):
    """Readers by what they do, see :class:`presence.gauge.States`."""

    reading: int
    idle: int
    background: int


class ApartAnswer(msgspec.Struct, frozen=True):
    """Sessions that are no readers, see :class:`presence.apart.Apart`."""

    robots: int
    hidden: int
    prerendered: int
    unanswered: int


class SectionAnswer(msgspec.Struct, frozen=True):
    """Readers of a section; null if the store does not answer or has just lost what it held."""

    section: str
    online: int | None


class PageAnswer(msgspec.Struct, frozen=True):
    """Readers of a page; null if the store does not answer or has just lost what it held."""

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
        raw: These readers and all open sessions that are none; null until they have been counted once.
        apart: The latter, by why they are no readers.
        small: Numbers below this are to be shown as "fewer than" it; missing where all are shown as they are.
        freshness_seconds: Whatever happened longer ago than this is in the number; the worst of `bounds`.
        bounds: The same for each thing that can happen.
        section, page: Readers of the section and the page that were asked for.
    """

    site: str
    online: int | None
    as_of: str | None
    stale: bool
    states: StatesAnswer | None
    raw: int | None
    apart: ApartAnswer
    freshness_seconds: float
    bounds: Bounds
    section: SectionAnswer | UnsetType = UNSET
    page: PageAnswer | UnsetType = UNSET
    small: int | UnsetType = UNSET


def routes(presence: Presence, enquiry: Enquiry, sites: Sites) -> list[web.RouteDef]:
    """The routes of this room."""
    origins = OfEach(sites, lambda _, one: Origins(one.origins))
    return [web.get(PATH, _presence(presence, enquiry, sites, origins))]


def _presence(
    presence: Presence, enquiry: Enquiry, sites: Sites, origins: Mapping[str, Origins]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def site_presence(request: web.Request) -> web.StreamResponse:
        """How many readers a site has now."""
        site = request.match_info["site"]
        if site not in origins:
            raise no_such_site()
        try:
            given = ours(request.query.items(), ("section", "path"))
            section, path = section_of(given), path_of(given)
        except Refused as refused:
            raise refusal(refused) from None
        # Before anything is awaited: a number of a place that was known while all was stale must not be called fresh.
        count, epoch = presence.count(site), presence.epoch
        in_section = await enquiry.readers(site, "section", section, epoch) if section else None
        on_page = await enquiry.readers(site, "page", path, epoch) if path else None
        in_force = presence.bounds(site)
        body = msgspec.json.encode(
            SitePresence(
                site,
                count.online,
                count.as_of,
                count.stale,
                StatesAnswer(*count.states) if count.states is not None else None,
                count.raw,
                ApartAnswer(*count.apart),
                in_force.freshness_seconds,
                in_force,
                SectionAnswer(section, in_section) if section else UNSET,
                PageAnswer(path, on_page) if path else UNSET,
                sites[site].small_counts or UNSET,
            )
        )
        headers = {"Cache-Control": CACHE_CONTROL, "Vary": "Origin"}
        origin = request.headers.get("Origin", "")
        if origin and origins[site].allow(origin):
            headers["Access-Control-Allow-Origin"] = origin
        return web.Response(body=body, content_type="application/json", headers=headers)

    return site_presence
