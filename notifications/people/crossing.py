"""Whether a request that changes something comes from our own pages (CSRF), and whether a browser keeps our cookies.

A browser sends our cookies also with requests that another site's page makes it send. What tells them apart are two
headers that no page can set: ``Sec-Fetch-Site`` says where a request comes from, ``Origin`` which page's. Both must
agree with us where they are there, and one must be. A program that sends neither uses a token, not a cookie.

The cookies are ``__Host-`` ones: browsers keep them only over HTTPS, and over plain HTTP on this machine itself. On
plain HTTP anywhere else nobody could stay signed in and the password would be read on the way;
:meth:`Crossing.is_private` finds that out before there is a form to type one into.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import hdrs, web

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Crossing:
    """Knows where we are.

    Args:
        public_url: How we are called from outside, where a proxy does not pass the host's name on; may be empty.
    """

    def __init__(self, public_url: str = "") -> None:
        self._public = _place(public_url)
        self._public_is_https = public_url.startswith("https://")

    def refused(self, request: web.Request) -> str:
        """Why a request with a cookie must not be obeyed; empty if it may, as each that changes nothing."""
        if request.method in SAFE_METHODS:
            return ""
        fetch_site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get(hdrs.ORIGIN)
        if fetch_site is None and origin is None:
            return "It does not say which page it comes from (no Sec-Fetch-Site, no Origin)."
        if fetch_site not in (None, "same-origin"):
            return "It comes from a page of another site."
        if origin is not None and not self._ours(origin, request):
            return "It comes from a page of another origin."
        return ""

    def is_private(self, request: web.Request) -> bool:
        """Whether the browser that sent it reaches us by HTTPS, or on its own machine."""
        if request.secure or self._public_is_https or "Sec-Fetch-Site" in request.headers:
            # The last: browsers send it only there.
            return True
        place = _place(f"http://{request.host}")
        return place is not None and _is_loopback(place[0])

    def _ours(self, origin: str, request: web.Request) -> bool:
        there = _place(origin)
        if there is None:
            return False
        if self._public is not None and there == self._public:
            return True
        # The scheme is the page's own: behind a proxy that ends TLS we do not see it.
        scheme = origin.partition(":")[0]
        return there == _place(f"{scheme}://{request.host}")


def _place(url: str) -> tuple[str, int] | None:
    """Host and port of an address; None if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port else None


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
