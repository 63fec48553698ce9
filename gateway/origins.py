"""Which pages may connect: a site's list of allowed origins (RFC 6454), compiled once.

A pattern is an origin whose host may begin with ``*.`` (any subdomain, not the domain itself) and whose port may be
``*`` (any port, none included). ``null`` (a sandboxed frame, a local file) is never on a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

PATTERN = re.compile(
    r"(?P<scheme>https?)://(?P<host>(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?P<port>:(?:\d{1,5}|\*))?",
    re.ASCII,
)


class Origins:
    """The allowed origins of one site."""

    __slots__ = ("_matches",)

    def __init__(self, patterns: Iterable[str]) -> None:
        """Compiles `patterns`.

        Raises:
            ValueError: One is not a pattern.
        """
        alternatives = [_expression(pattern) for pattern in patterns]
        self._matches = re.compile("|".join(alternatives) or r"(?!)", re.ASCII | re.IGNORECASE).fullmatch

    def allow(self, origin: str) -> bool:
        """Whether a page of this origin may connect; `origin` is the header as sent."""
        return self._matches(origin) is not None


def _expression(pattern: str) -> str:
    parts = PATTERN.fullmatch(pattern)
    if parts is None:
        raise ValueError(f"{pattern!r} is not an origin pattern")
    host = re.escape(parts["host"])
    if parts["host"].startswith("*."):
        host = r"(?:[a-z0-9_-]+\.)+" + re.escape(parts["host"][2:])
    port = parts["port"] or ""
    port = r"(?::\d{1,5})?" if port == ":*" else re.escape(port)
    return f"{parts['scheme']}://{host}{port}"
