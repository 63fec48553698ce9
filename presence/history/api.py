"""History over HTTP: ``GET /api/v1/sites/{site}/stats``, ``…/history`` and ``…/pages``.

Anyone may read the first two, as they may the number now; a page of another origin than the site's own gets no CORS
header. Which pages are read is for editors: it takes a token, and no other website's page can ask for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import hdrs, web
from redis.exceptions import RedisError

from gateway.browsers import has
from gateway.origins import Origins
from gateway.problems import Problem
from gateway.sites import OfEach, Sites
from presence.counter import Presence
from presence.history.answers import as_csv, as_json, top_pages
from presence.history.chronicle import Chronicle
from presence.history.description import HISTORY, PAGES, STATS
from presence.history.pages import TopPages
from presence.history.reading import Reader
from presence.history.series import Resolution
from presence.history.stats import stats, unknown
from presence.history.window import window
from presence.parameters import Refused, one_of, ours
from presence.refusals import no_such_site, refusal

# The block asks once a minute; many readers' blocks are one request to us behind a proxy.
STATS_CACHE_CONTROL = "public, max-age=5"
HISTORY_CACHE_CONTROL = "public, max-age=30"

# Level 1 takes a third of the time of the usual 6. With 16 added to the window, zlib writes the header of gzip.
_GZIP_LEVEL, _GZIP_FORMAT = 1, 31

_HISTORY_PARAMETERS = ("resolution", "from", "to", "format")

Authorize: TypeAlias = Callable[[web.Request, str], Awaitable[object]]
Answer: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """The handlers.

    Args:
        presence: The number now.
        chronicle: History in Redis, over a connection that may be shared.
        reader: The numbers of days.
        top: The most read pages.
        sites: The portals.
        authorize: Lets the request of an editor of the site pass; raises a Problem if it is none.
        store_ms: An estimate of Redis's clock, in milliseconds since the epoch.
    """

    def __init__(
        self,
        presence: Presence,
        chronicle: Chronicle,
        reader: Reader,
        top: TopPages,
        sites: Sites,
        *,
        authorize: Authorize,
        store_ms: Callable[[], int],
    ) -> None:
        self._presence = presence
        self._chronicle = chronicle
        self._reader = reader
        self._top = top
        self._sites = sites
        self._authorize = authorize
        self._store_ms = store_ms
        self._origins = OfEach(sites, lambda _, one: Origins(one.origins))
        self._zones = OfEach(sites, lambda _, one: ZoneInfo(one.timezone))

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application behind the gate, under the problems middleware."""
        return [
            web.get(STATS, self._stats),
            web.get(HISTORY, self._history),
            web.get(PAGES, self._pages),
        ]

    async def _stats(self, request: web.Request) -> web.StreamResponse:
        """Visits and page views of a site, and the record."""
        site = self._site(request)
        reading = await self._reader.read(site)
        count = self._presence.count(site)
        timezone = self._sites[site].timezone
        answer = (
            unknown(site, timezone, count)
            if reading is None
            else stats(site, timezone, count, reading.periods, reading.books, stale=reading.stale)
        )
        headers = {"Cache-Control": STATS_CACHE_CONTROL, **self._cors(request, site)}
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json", headers=headers)

    async def _history(self, request: web.Request) -> web.StreamResponse:
        """Readers by minute or by hour."""
        site = self._site(request)
        zone = self._zones[site]
        try:
            given = ours(request.query.items(), _HISTORY_PARAMETERS)
            resolution: Resolution = one_of("resolution", given.get("resolution", "minute"), ("minute", "hour"))
            form = one_of("format", given.get("format", "json"), ("json", "csv"))
            wanted = window(resolution, given.get("from", ""), given.get("to", ""), zone, self._store_ms())
        except Refused as refused:
            raise refusal(refused) from None
        try:
            strings = await self._chronicle.strings(site, *wanted)
        except (RedisError, OSError) as error:
            raise unavailable() from error
        if form == "csv":
            content_type, parts = "text/csv", as_csv(wanted, strings)
        else:
            content_type, parts = "application/json", as_json(site, zone.key, wanted, strings)
        packed = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")
        body, tag = await _written(parts, packed=packed)
        headers = {"Cache-Control": HISTORY_CACHE_CONTROL, hdrs.ETAG: f'"{tag}"', **self._cors(request, site)}
        headers[hdrs.VARY] += ", Accept-Encoding"
        if has(request, tag):
            return web.Response(status=304, headers=headers)
        if packed:
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)

    async def _pages(self, request: web.Request) -> web.StreamResponse:
        """The most read pages."""
        site = self._site(request)
        await self._authorize(request, site)
        try:
            found = await self._top.read(site)
        except (RedisError, OSError) as error:
            raise unavailable() from error
        body = msgspec.json.encode(top_pages(site, found))
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    def _site(self, request: web.Request) -> str:
        site = request.match_info["site"]
        if site not in self._origins:
            raise no_such_site()
        return site

    def _cors(self, request: web.Request, site: str) -> dict[str, str]:
        origin = request.headers.get("Origin", "")
        allowed = origin and self._origins[site].allow(origin)
        return {"Vary": "Origin", **({"Access-Control-Allow-Origin": origin} if allowed else {})}


async def _written(parts: Iterable[bytes], *, packed: bool) -> tuple[bytes, str]:
    """All parts, compressed if that is wanted, and what they are known by.

    Two weeks of minutes are a megabyte of much the same, and compress to a small part of it.
    """
    body, digest = bytearray(), hashlib.blake2b(b"gzip" if packed else b"", digest_size=16)
    squeeze = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_FORMAT) if packed else None
    for part in parts:
        digest.update(part)
        body += squeeze.compress(part) if squeeze is not None else part
        # Weeks of minutes take longer than others should wait for the loop.
        await asyncio.sleep(0)
    if squeeze is not None:
        body += squeeze.flush()
    return bytes(body), digest.hexdigest()


def unavailable() -> Problem:
    """The store does not answer."""
    detail = "The store does not answer; what was measured is not lost."
    return Problem(503, "Store unavailable", detail, headers={"Retry-After": "2"})
