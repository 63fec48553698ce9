"""``GET /embed/{site}``: a page with nothing but the counter, or the block of figures, for an ``<iframe>``.

For places where no script may be pasted. Framed by the site's own pages only (``frame-ancestors``). The connection from
within it has our own origin, which every site lets in (:func:`gateway.sites.with_own_pages`), so who reads a page with
the frame in it is counted as by the script. Where the reader is the frame cannot see: the query says it.

Its background is the page's as long as both have the same colour scheme; browsers lay an opaque one between two that
differ (CSS Color Adjustment Level 1, section 2.2), which keeps the text readable.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import urlencode

from aiohttp import hdrs, web

from gateway.browsers import written_hash
from gateway.sites import OfEach, Sites, SiteSettings
from gateway.templates import environment
from presence.description_embedding import EMBED_PATH
from presence.parameters import Refused, one_of, ours
from presence.refusals import no_such_site, refusal
from presence.scope_query import PARAMETERS, SCOPES, Scope, scoped

State: TypeAlias = Literal["reading", "idle", "background"]
Block: TypeAlias = Literal["counter", "stats"]
Metric: TypeAlias = Literal["visits", "views"]
Theme: TypeAlias = Literal["auto", "light", "dark"]

MAX_AGE_SECONDS = 300

STYLE = (
    "html{color-scheme:light dark;color:#1c1d21;font:14px/20px system-ui,sans-serif}"
    "html.light{color-scheme:light}"
    "html.dark{color-scheme:dark;color:#ecedf0}"
    "@media(prefers-color-scheme:dark){html.auto{color:#ecedf0}}"
    "body{margin:0;overflow:hidden;white-space:nowrap}"
    "loa-counter,img{display:inline-block;min-height:20px;vertical-align:top}"
    # Seven rows of a line and its padding: nothing moves when they come.
    "loa-stats{display:block;min-height:180px}"
)
_STYLE_SOURCE = f"'{written_hash('sha256', STYLE.encode())}'"

_WORDS = {"vi": "Số người đang online", "en": "Readers online"}
_STATES: tuple[State, ...] = ("reading", "idle", "background")
_SCOPES: tuple[Scope | State, ...] = (*SCOPES, *_STATES)

_TEMPLATES = environment("presence")


class Frame(NamedTuple):
    """What is asked for.

    Attributes:
        language: Of the words.
        block: What is shown.
        metric: What the block of figures counts.
        scope: Whose readers a counter shows.
        theme: For a light or a dark page, or as the browser prefers.
        path: Of the page around the frame.
        section: It belongs to; empty for none.
    """

    language: Literal["vi", "en"]
    block: Block
    metric: Metric
    scope: Scope | State
    theme: Theme
    path: str
    section: str


def frame(pairs: Iterable[tuple[str, str]], usual: Literal["vi", "en"]) -> Frame:
    """Reads a query.

    Args:
        pairs: Its parameters, decoded.
        usual: The site's language.

    Raises:
        Refused: A parameter is wrong.
    """
    given = ours(pairs, {"lang", "block", "metric", "theme", *PARAMETERS})
    scope = one_of("scope", given.get("scope", "site"), _SCOPES)
    asked = scoped({**given, "scope": scope if scope in SCOPES else "site"})
    return Frame(
        language=one_of("lang", given.get("lang", usual), ("vi", "en")),
        block=one_of("block", given.get("block", "counter"), ("counter", "stats")),
        metric=one_of("metric", given.get("metric", "visits"), ("visits", "views")),
        scope=scope,
        theme=one_of("theme", given.get("theme", "auto"), ("auto", "light", "dark")),
        path=asked.path or "/",
        section=asked.section,
    )


def policy(site: SiteSettings) -> str:
    """The content security policy of the page: only what it needs, in the frames of the site's own pages."""
    # An address of IPv6, or a name with an underscore, is an origin, but no source of a policy (CSP Level 3, 2.3.1).
    ancestors = [origin for origin in site.origins if "[" not in origin and "_" not in origin]
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src {_STYLE_SOURCE}",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            " ".join(["frame-ancestors", "'self'", *ancestors]),
        )
    )


def routes(sites: Sites) -> list[web.RouteDef]:
    """The route of the page."""
    template = _TEMPLATES.get_template("embed.html")
    policies = OfEach(sites, lambda _, site: policy(site))

    async def page(request: web.Request) -> web.StreamResponse:
        """The counter of a site as a page."""
        site = request.match_info["site"]
        if site not in sites:
            raise no_such_site()
        try:
            wanted = frame(request.query.items(), sites[site].language)
        except Refused as refused:
            raise refusal(refused) from None
        headers = {
            "Content-Security-Policy": policies[site],
            "Referrer-Policy": "strict-origin-when-cross-origin",
            "X-Content-Type-Options": "nosniff",
            hdrs.CACHE_CONTROL: f"public, max-age={MAX_AGE_SECONDS}",
        }
        text = template.render(
            site=site, frame=wanted, words=_WORDS[wanted.language], style=STYLE, picture=_picture(wanted)
        )
        return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)

    return [web.get(EMBED_PATH, page)]


def _picture(wanted: Frame) -> str | None:
    """What the query of the badge says of the scope, for browsers without scripts; None if there is no such badge."""
    if wanted.block == "stats" or wanted.scope in _STATES:
        return None
    if wanted.scope == "site":
        return ""
    place = ("path", wanted.path) if wanted.scope == "page" else ("section", wanted.section)
    return f"&{urlencode([('scope', wanted.scope), place])}"
