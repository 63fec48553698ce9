"""``GET /widget.js``: the rooms' browser halves, joined into the one file a portal's page embeds.

``GET /widget-<hash>.js`` is the same file under a name that says what is in it, for pages that pin it by an
``integrity`` attribute: it never changes and may be kept for ever. A page that was made for an earlier version names
that one's hash, so earlier versions are served as well, as long as the archive has them.

What few pages need is in a supplement, a file of the same kind, which the widget fetches when it finds itself in such a
page. The widget names it by its hash and says its ``integrity``: so a page that pins the one has pinned the other.

Joined, minified, hashed and compressed once, at start; a request costs a look-up. The file has no settings in it: which
site, and which server, it reads from the ``<script>`` element it was loaded by. Pages of any origin may load it, as any
script; who may *connect* is the gate's business.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TypeAlias

from aiohttp import hdrs, web

from gateway.browsers import has, written_hash
from gateway.problems import Problem
from gateway.shortening import shortened

# Finds the text of an earlier version by its name; None if there is none.
Archive: TypeAlias = Callable[[str], Awaitable[bytes | None]]

# So many hexadecimal digits of a digest name a version. Nobody can make another text for a name: 128 bits.
NAME_DIGITS = 32
# Earlier versions at hand; who asks for others makes us look them up again.
REMEMBERED = 8

MAX_AGE_SECONDS = 300
"""How long a browser may use its copy unasked: also how long old and new halves meet after an upgrade."""

_LATEST = f"public, max-age={MAX_AGE_SECONDS}"
_FOR_EVER = "public, max-age=31536000, immutable"
_HEADERS = {
    hdrs.VARY: hdrs.ACCEPT_ENCODING,
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


def half(room: str, name: str) -> str:
    """The text of ``<room>/browser/<name>.js``.

    Raises:
        FileNotFoundError: The room has no such half.
    """
    return resources.files(room).joinpath("browser", f"{name}.js").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Widget:
    """The file as it is sent.

    Attributes:
        script: The minified text, UTF-8.
        compressed: The same, gzip.
        digest: SHA-256 of `script`, in hexadecimal.
        supplement: What it fetches if need be.
    """

    script: bytes
    compressed: bytes
    digest: str
    supplement: Widget | None = None

    @property
    def files(self) -> tuple[Widget, ...]:
        """This and its supplement, if it has one."""
        return (self,) if self.supplement is None else (self, self.supplement)

    @property
    def name(self) -> str:
        """What names this version in an address."""
        return self.digest[:NAME_DIGITS]

    @property
    def integrity(self) -> str:
        """The value of an ``integrity`` attribute (W3C Subresource Integrity)."""
        return written_hash("sha384", self.script)


def join(halves: Sequence[str], supplement: Widget | None = None) -> Widget:
    """Makes one function of the halves: they see each other's names, and nobody else does.

    Args:
        halves: Their texts.
        supplement: What they may fetch; its address, relative to theirs, and its integrity are their ``SUPPLEMENT``.
    """
    named = ""
    if supplement is not None:
        # Shorter than the one of `integrity`, and no weaker where nobody else chooses the text.
        pair = [address(supplement).lstrip("/"), written_hash("sha256", supplement.script)]
        named = f"const SUPPLEMENT = {json.dumps(pair)};\n"
    text = "(() => {\n'use strict';\n" + named + "\n".join(halves) + "\n})();"
    # The only lines left are those of style sheets, which are read by people a rule a line.
    return made(shortened(text).replace("}\n", "}").encode(), supplement)


def made(script: bytes, supplement: Widget | None = None) -> Widget:
    """The widget whose text is `script`."""
    # Without a time in it the same text gives the same bytes on every worker.
    return Widget(script, gzip.compress(script, 9, mtime=0), hashlib.sha256(script).hexdigest(), supplement)


def routes(widget: Widget, archive: Archive) -> list[web.RouteDef]:
    """The routes of the widget.

    Args:
        widget: The present version.
        archive: Where earlier ones are.
    """
    present = {each.name: each for each in widget.files}
    remembered: OrderedDict[str, Widget] = OrderedDict()

    async def earlier(name: str) -> Widget:
        if name in remembered:
            remembered.move_to_end(name)
            return remembered[name]
        script = await archive(name)
        if script is None:
            raise Problem(
                404,
                "No such version",
                f"This service has no widget of that name. Take /widget.js, or pin the present one: {address(widget)}",
                # An upgrade under way may bring it.
                headers={hdrs.CACHE_CONTROL: "no-store", hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*"},
            )
        found = remembered[name] = made(script)
        if len(remembered) > REMEMBERED:
            remembered.popitem(last=False)
        return found

    async def latest(request: web.Request) -> web.Response:
        return _answer(request, widget, _LATEST)

    async def pinned(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return _answer(request, present.get(name) or await earlier(name), _FOR_EVER)

    return [
        web.get("/widget.js", latest),
        web.get(f"/widget-{{name:[0-9a-f]{{{NAME_DIGITS}}}}}.js", pinned),
    ]


def address(widget: Widget) -> str:
    """Where this version is, whatever the present one is."""
    return f"/widget-{widget.name}.js"


def _answer(request: web.Request, widget: Widget, cache_control: str) -> web.Response:
    encoded = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")
    # Two representations, so two tags (RFC 9110, section 8.8.3.3).
    tag = widget.name + ("-gzip" if encoded else "")
    headers = {**_HEADERS, hdrs.CACHE_CONTROL: cache_control, hdrs.ETAG: f'"{tag}"'}
    if has(request, tag):
        return web.Response(status=304, headers=headers)
    if encoded:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    body = widget.compressed if encoded else widget.script
    return web.Response(body=body, content_type="text/javascript", charset="utf-8", headers=headers)
