"""``GET /feeds/{site}.atom``, ``.rss`` and ``.json``: what a site's readers are told now, for feed readers and others.

Anyone may fetch them: they say what every visitor of the portal is shown. They are made from what this worker has heard
in the log, so they ask nothing of the store and are there also while it is away. A document is made once for all who
ask, until something changes or runs out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from aiohttp import hdrs, web

from gateway.browsers import has
from gateway.problems import Problem
from gateway.sites import Sites
from notifications.announcement import Announcement
from notifications.audience import on_site
from notifications.feed import Feed
from notifications.syndication import FORMATS, Channel

PATH = "/feeds/{site}.{format}"
KEEP_SECONDS = 15

# For the description of the API.
DESCRIBED: Mapping[str, Any] = {
    PATH: {
        "get": {
            "tags": ["announcements"],
            "operationId": "readFeed",
            "summary": "What the readers of a site are told now, as Atom, RSS or JSON Feed",
            "description": (
                "Needs no token. What was recalled stays until it would have expired, under the same id and with its "
                "text replaced by the word that it was."
            ),
            "security": [],
            "parameters": [
                {
                    "name": "site",
                    "in": "path",
                    "required": True,
                    "description": "Id of the site.",
                    "schema": {"type": "string"},
                },
                {
                    "name": "format",
                    "in": "path",
                    "required": True,
                    "description": "In which format.",
                    "schema": {"enum": [*FORMATS]},
                },
            ],
            "responses": {
                "200": {
                    "description": "The announcements, the newest change first.",
                    "content": {
                        kind: {"schema": {"type": "object" if kind.endswith("json") else "string"}}
                        for kind, _ in FORMATS.values()
                    },
                },
                "304": {"description": "What you have (`If-None-Match`) is what there is."},
                "404": {
                    "description": "There is no such site, or no such format.",
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                },
            },
        }
    }
}


class _Made(NamedTuple):
    """A document, and of what it was made."""

    announcements: list[Announcement]
    body: bytes
    tag: str


class Feeds:
    """Serves the documents of all sites.

    Args:
        feed: This worker's ear on the log.
        sites: The portals.
        public_url: How browsers reach the service, without a slash at the end; part of the documents' ids.
    """

    def __init__(self, feed: Feed, sites: Sites, public_url: str) -> None:
        self._feed = feed
        self._sites = sites
        self._base = public_url
        # At most one for each site and format.
        self._made: dict[tuple[str, str], _Made] = {}

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application behind the gate, under the problems middleware."""
        return [web.get(PATH, self._serve)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        site, format = request.match_info["site"], request.match_info["format"]
        if site not in self._sites:
            raise Problem(404, detail="There is no such site here.")
        if format not in FORMATS:
            raise Problem(404, detail=f"There is no such feed; there are {', '.join(FORMATS)}.")
        made = self._make(site, format)
        headers = {
            hdrs.ETAG: f'"{made.tag}"',
            hdrs.CACHE_CONTROL: f"public, max-age={KEEP_SECONDS}",
            "X-Content-Type-Options": "nosniff",
        }
        if has(request, made.tag):
            return web.Response(status=304, headers=headers)
        return web.Response(body=made.body, content_type=FORMATS[format][0], charset="utf-8", headers=headers)

    def _make(self, site: str, format: str) -> _Made:
        announcements = on_site(self._feed.current(), site)
        made = self._made.get((site, format))
        if made is None or made.announcements != announcements:
            settings = self._sites[site]
            address = f"{self._base}/feeds/{site}.{format}"
            channel = Channel(settings.name or site, settings.language, self._base, address, site)
            body = FORMATS[format][1](channel, announcements)
            tag = hashlib.sha256(body).hexdigest()[:16]
            made = self._made[site, format] = _Made(announcements, body, tag)
        return made
