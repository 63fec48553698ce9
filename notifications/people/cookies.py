"""The console's cookies: what they are called, and how they are set.

``__Host-`` makes browsers see to it that no other host, no subdomain and no plain HTTP can set or read them. All are
kept from scripts. The session's is ``Lax``: a link in a mail leads to a page and not to the sign-in; it is no CSRF
defence, ``crossing.py`` is.
"""

from __future__ import annotations

from aiohttp import web

SESSION = "__Host-loa-session"
DEVICE = "__Host-loa-device"
LANGUAGE = "__Host-loa-language"
NOTICE = "__Host-loa-notice"


def put(response: web.StreamResponse, name: str, value: str, seconds: int) -> None:
    """Sets a cookie for so many seconds."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="Lax")


def drop(response: web.StreamResponse, name: str) -> None:
    """Takes a cookie back."""
    response.del_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")
