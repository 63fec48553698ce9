"""``GET /badge/{site}.svg`` and ``.png``: the number as a picture, for ``<noscript>`` and mails.

It is that of the site, of a section or of a page, and anyone may show it. It is at most five seconds old where it is
made and may be kept for five more by caches; a number that is not the present one is muted, and one that is not known
is a dash. It counts nobody: who fetches a picture is no reader.

Letters and languages are read at start. A drawing is written on the event loop, in a fraction of a millisecond; a
picture is painted by a thread of its own, for which no more than a few may wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from aiohttp import hdrs, web
from babel.dates import format_time
from babel.numbers import format_decimal

from gateway.browsers import has
from gateway.problems import Problem
from gateway.sites import Sites, SiteSettings
from presence.badge_drawing import Drawing, TooWide, draw
from presence.badge_png import png
from presence.badge_query import STYLES, WORDS, Look, look
from presence.badge_shelf import Made, Shelf
from presence.badge_svg import POLICY, svg
from presence.counter import Presence
from presence.description_embedding import DRAWING_PATH, PICTURE_PATH
from presence.enquiry import Enquiry
from presence.gauge import Count
from presence.parameters import Refused
from presence.refusals import no_such_site, refusal

KEEP_SECONDS = 5
SHELF_BYTES = 4 * 1024 * 1024
# A picture takes a few milliseconds; who would wait for more than these is told to come again.
QUEUE = 64

_FEWER = {"vi": "dưới #", "en": "fewer than #"}
_AS_OF = {"vi": "{said} (số liệu lúc {time})", "en": "{said} (as of {time})"}
_UNKNOWN = {"vi": "{said} (chưa có số liệu)", "en": "{said} (not known yet)"}
_HEADERS = {
    hdrs.CACHE_CONTROL: f"public, max-age={KEEP_SECONDS}",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


def routes(
    presence: Presence, enquiry: Enquiry, sites: Sites, clock: Callable[[], float] = time.monotonic
) -> list[web.RouteDef]:
    """The routes of badges."""
    badges = _Badges(presence, enquiry, sites, clock)
    return [
        web.get(DRAWING_PATH, badges.drawing),
        web.get(PICTURE_PATH, badges.picture),
    ]


class _Badges:
    def __init__(self, presence: Presence, enquiry: Enquiry, sites: Sites, clock: Callable[[], float]) -> None:
        self._presence = presence
        self._enquiry = enquiry
        self._sites = sites
        self._shelf = Shelf(KEEP_SECONDS, SHELF_BYTES, clock)
        self._waiting = 0
        # A thread begins with its first picture.
        self._painter = ThreadPoolExecutor(1, "badges")
        # The first of each takes tens of milliseconds, in which the loop would stand still.
        for language in WORDS:
            now = Count(1, datetime.now(UTC).isoformat(), True)
            for style in STYLES:
                wanted = look([("style", style), ("lang", language)], language, pixels=False)
                drawn = draw(wanted, wanted.words("one"), "1", stale=True)
                svg(drawn, "", language)
                png(drawn, 1)
            _label("#", format_decimal(1, locale=language), now, wanted, SiteSettings())

    async def drawing(self, request: web.Request) -> web.StreamResponse:
        """A site's number as SVG."""
        site, wanted = self._asked(request, pixels=False)

        async def make() -> Made:
            drawn, label = self._draw(site, wanted, await self._count(site, wanted))
            return Made.of(svg(drawn, label, wanted.language))

        made = await self._shelf.get((site, "svg", wanted), make)
        return _answer(request, made, "image/svg+xml", {"Content-Security-Policy": POLICY})

    async def picture(self, request: web.Request) -> web.StreamResponse:
        """A site's number as PNG."""
        site, wanted = self._asked(request, pixels=True)

        async def make() -> Made:
            drawn, _ = self._draw(site, wanted, await self._count(site, wanted))
            if self._waiting >= QUEUE:
                raise Problem(503, "Busy", "Too many pictures are being made.", headers={"Retry-After": "1"})
            self._waiting += 1
            try:
                paint = partial(png, drawn, wanted.scale)
                return Made.of(await asyncio.get_running_loop().run_in_executor(self._painter, paint))
            finally:
                self._waiting -= 1

        made = await self._shelf.get((site, "png", wanted), make)
        return _answer(request, made, "image/png", {})

    def _asked(self, request: web.Request, *, pixels: bool) -> tuple[str, Look]:
        site = request.match_info["site"]
        if site not in self._sites:
            raise no_such_site()
        try:
            return site, look(request.query.items(), self._sites[site].language, pixels=pixels)
        except Refused as refused:
            raise refusal(refused) from None

    async def _count(self, site: str, wanted: Look) -> Count:
        """The number; that of a place has the time of the site's, with which it is counted."""
        count = self._presence.count(site)
        if wanted.scope == "site":
            return count
        return count._replace(online=await self._enquiry.readers(site, wanted.scope, wanted.place), states=None)

    def _draw(self, site: str, wanted: Look, count: Count) -> tuple[Drawing, str]:
        small = self._sites[site].small_counts
        number = None if count.online is None else _number(count.online, small, wanted)
        # "fewer than 10 readers", also where there is one.
        words = wanted.words("one" if count.online == 1 and small <= 1 else "other")
        try:
            drawn = draw(wanted, words, number, stale=count.stale)
        except TooWide:
            raise refusal(Refused("text", "It is too wide for a badge.")) from None
        return drawn, _label(words, number, count, wanted, self._sites[site])


def _number(online: int, small: int, wanted: Look) -> str:
    """The number as it is written, or that it is below `small`."""
    if online >= small:
        return str(format_decimal(online, locale=wanted.language))
    # A field for each digit has none for a word.
    words = "<#" if wanted.style == "counter" else _FEWER[wanted.language]
    return words.replace("#", str(format_decimal(small, locale=wanted.language)))


def _label(words: str, number: str | None, count: Count, wanted: Look, site: SiteSettings) -> str:
    """What a badge says in words, with what its looks say of the number."""
    said = words.replace("#", "–" if number is None else number).strip()
    if count.as_of is None or number is None:
        return _UNKNOWN[wanted.language].format(said=said)
    if not count.stale:
        return said
    moment = datetime.fromisoformat(count.as_of).astimezone(ZoneInfo(site.timezone))
    return _AS_OF[wanted.language].format(said=said, time=format_time(moment, "HH:mm", locale=wanted.language))


def _answer(request: web.Request, made: Made, kind: str, headers: dict[str, str]) -> web.Response:
    headers = {**_HEADERS, **headers, hdrs.ETAG: f'"{made.tag}"'}
    if has(request, made.tag):
        return web.Response(status=304, headers=headers)
    charset = "utf-8" if kind.endswith("xml") else None
    return web.Response(body=made.body, content_type=kind, charset=charset, headers=headers)
