"""Addresses of web pages, as a person gives them on the command line."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def of_web(text: str) -> SplitResult | None:
    """`text` taken apart, if it is the address of something on the web, without a name to sign in with."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable and not parts.username else None
