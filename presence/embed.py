"""``GET /embed/{site}``: a page with nothing but the counter, for an ``<iframe>`` where no script may be pasted.

Framed by the site's own pages only (``frame-ancestors``). The connection from within it has our own origin, which every
site lets in (:func:`gateway.sites.with_own_pages`), so who reads a page with the frame in it is counted as by the
script. Where the reader is the frame cannot see: the query says it.

Its background is the page's as long as both have the same colour scheme; browsers lay an opaque one between two that
differ (CSS Color Adjustment Level 1, section 2.2), which keeps the text readable.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from aiohttp import hdrs, web

from gateway.browsers import written_hash
from gateway.handshake import page_path, page_section
from gateway.sites import Sites, SiteSettings
from gateway.templates import environment
from presence.parameters import Refused, one_of, ours
from presence.refusals import no_such_site, refusal

Scope: TypeAlias = Literal["site", "section", "page"]
Theme: TypeAlias = Literal["auto", "light", "dark"]

MAX_AGE_SECONDS = 300

STYLE = (
    "html{color-scheme:light dark;color:#1c1d21;font:14px/20px system-ui,sans-serif}"
    "html.light{color-scheme:light}"
    "html.dark{color-scheme:dark;color:#ecedf0}"
    "@media(prefers-color-scheme:dark){html.auto{color:#ecedf0}}"
    "body{margin:0;overflow:hidden;white-space:nowrap}"
    "loa-counter,img{display:inline-block;min-height:20px;vertical-align:top}"
)
_STYLE_SOURCE = f"'{written_hash('sha256', STYLE.encode())}'"

_WORDS = {"vi": "Số người đang online", "en": "Readers online"}

_TEMPLATES = environment("presence")


class Frame(NamedTuple):
    """What is asked for.

    Attributes:
        language: Of the words.
        scope: Whose readers are shown.
        theme: For a light or a dark page, or as the browser prefers.
        path: Of the page around the frame.
        section: It belongs to; empty for none.
    """

    language: Literal["vi", "en"]
    scope: Scope
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
    given = ours(pairs, {"lang", "scope", "theme", "path", "section"})
    wanted = Frame(
        language=one_of("lang", given.get("lang", usual), ("vi", "en")),
        scope=one_of("scope", given.get("scope", "site"), ("site", "section", "page")),
        theme=one_of("theme", given.get("theme", "auto"), ("auto", "light", "dark")),
        path=page_path(given.get("path", "/")),
        section=page_section(given.get("section", "")),
    )
    if wanted.path != given.get("path", "/"):
        raise Refused("path", "It begins with / and has at most 512 bytes and no control characters.")
    if wanted.section != given.get("section", ""):
        raise Refused("section", "It has letters, digits, - and _, at most 64.")
    if wanted.scope == "page" and "path" not in given:
        raise Refused("path", "The readers of a page are asked for, so say of which.")
    if wanted.scope == "section" and not wanted.section:
        raise Refused("section", "The readers of a section are asked for, so say of which.")
    return wanted


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
    policies = {id: policy(site) for id, site in sites.items()}

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
        text = template.render(site=site, frame=wanted, words=_WORDS[wanted.language], style=STYLE)
        return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)

    return [web.get("/embed/{site}", page)]
