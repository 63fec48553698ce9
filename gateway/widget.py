"""``GET /widget.js``: the rooms' browser halves, joined into the one file a portal's page embeds.

Joined, minified, hashed and compressed once, at start; a request costs a look-up. The file has no settings in it: which
site, and which server, it reads from the ``<script>`` element it was loaded by. Pages of any origin may load it, as any
script; who may *connect* is the gate's business.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import rjsmin
from aiohttp import hdrs, web

MAX_AGE_SECONDS = 300
"""How long a browser may use its copy unasked: also how long old and new halves meet after an upgrade."""

_HEADERS = {
    hdrs.CACHE_CONTROL: f"public, max-age={MAX_AGE_SECONDS}",
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
    """

    script: bytes
    compressed: bytes
    digest: str


def join(halves: Sequence[str]) -> Widget:
    """Makes one function of the halves: they see each other's names, and nobody else does."""
    text = "(() => {\n'use strict';\n" + "\n".join(halves) + "\n})();"
    script = rjsmin.jsmin(text).encode()
    # Without a time in it the same halves give the same bytes on every worker.
    return Widget(script, gzip.compress(script, 9, mtime=0), hashlib.sha256(script).hexdigest())


def routes(halves: Sequence[str]) -> list[web.RouteDef]:
    """The route of the widget.

    Args:
        halves: The texts of the browser halves, the gateway's first.
    """
    widget = join(halves)

    async def answer(request: web.Request) -> web.Response:
        encoded = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")
        # Two representations, so two tags (RFC 9110, section 8.8.3.3).
        tag = widget.digest[:32] + ("-gzip" if encoded else "")
        headers = {**_HEADERS, hdrs.ETAG: f'"{tag}"'}
        known = request.if_none_match or ()
        if any(etag.value in (tag, "*") for etag in known):
            return web.Response(status=304, headers=headers)
        if encoded:
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        body = widget.compressed if encoded else widget.script
        return web.Response(body=body, content_type="text/javascript", charset="utf-8", headers=headers)

    return [web.get("/widget.js", answer)]
