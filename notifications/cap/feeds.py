"""``GET /feeds/{site}.cap``: an Atom feed of CAP messages for alert hubs, and ``/feeds/{site}/{id}.cap``, one message.

As the other feeds of a site (``notifications/feeds.py``) they are made from what this worker has heard in the log, ask
nothing of the store, and tell everybody what every visitor is shown. Tests are left out unless they are asked for,
since a hub passes on what it finds.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from gateway.browsers import has
from gateway.problems import Problem
from gateway.sites import Sites
from notifications.announcement import TOLD, Announcement
from notifications.audience import includes
from notifications.cap import writing
from notifications.feed import Feed
from notifications.feeds import KEEP_SECONDS
from notifications.syndication import Channel

FEED_PATH = "/feeds/{site}.cap"
MESSAGE_PATH = "/feeds/{site}/{id}.cap"
_TESTS = "tests"


class _Made(NamedTuple):
    """A feed, and of what it was made."""

    announcements: list[Announcement]
    body: bytes


class CapFeeds:
    """Serves the messages of all sites.

    Args:
        feed: This worker's ear on the log.
        sites: The portals.
        public_url: How browsers reach the service, without a slash at the end.
        sender: ``notifications.cap_sender``; empty: made of the host.
    """

    def __init__(self, feed: Feed, sites: Sites, public_url: str, sender: str) -> None:
        self._feed = feed
        self._sites = sites
        self._base = public_url
        self._sender = sender or f"loa@{urlsplit(public_url).hostname or 'localhost'}"
        # At most two for each site.
        self._made: dict[tuple[str, bool], _Made] = {}

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application behind the gate, before the other feeds, whose addresses are less narrow."""
        return [web.get(FEED_PATH, self._all), web.get(MESSAGE_PATH, self._one)]

    async def _all(self, request: web.Request) -> web.StreamResponse:
        site = self._site(request)
        tests = _asks_for_tests(request)
        announcements = self._current(site, tests=tests)
        made = self._made.get((site, tests))
        if made is None or made.announcements != announcements:
            query = f"?{_TESTS}=1" if tests else ""
            channel = self._channel(site, f"{self._base}/feeds/{site}.cap{query}")
            addresses = {one.id: f"{self._base}/feeds/{site}/{one.id}.cap{query}" for one in announcements}
            revisions = self._feed.revisions()
            all_told = [writing.told(one, revisions.get(one.id, ())) for one in announcements]
            body = writing.feed(channel, self._sender, all_told, addresses)
            made = self._made[site, tests] = _Made(announcements, body)
        return _answer(request, made.body, writing.ATOM_TYPE)

    async def _one(self, request: web.Request) -> web.StreamResponse:
        site, id = self._site(request), request.match_info["id"]
        found = next((one for one in self._current(site, tests=_asks_for_tests(request)) if one.id == id), None)
        if found is None:
            raise Problem(404, detail="There is no such announcement, or it has expired.")
        told = writing.told(found, self._feed.revisions().get(id, ()))
        channel = self._channel(site, f"{self._base}{request.path}")
        return _answer(request, writing.message(told, channel, self._sender), writing.CAP_TYPE)

    def _site(self, request: web.Request) -> str:
        site = request.match_info["site"]
        if site not in self._sites:
            raise Problem(404, detail="There is no such site here.")
        return site

    def _current(self, site: str, *, tests: bool) -> list[Announcement]:
        told = (one for one in self._feed.current() if one.status in TOLD and (tests or not one.test))
        return [one for one in told if includes(one, site)]

    def _channel(self, site: str, address: str) -> Channel:
        settings = self._sites[site]
        return Channel(settings.name or site, settings.language, self._base, address, site)


def _asks_for_tests(request: web.Request) -> bool:
    return request.query.get(_TESTS, "") == "1"


def _answer(request: web.Request, body: bytes, kind: str) -> web.Response:
    tag = hashlib.sha256(body).hexdigest()[:16]
    headers = {
        hdrs.ETAG: f'"{tag}"',
        hdrs.CACHE_CONTROL: f"public, max-age={KEEP_SECONDS}",
        "X-Content-Type-Options": "nosniff",
    }
    if has(request, tag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)
