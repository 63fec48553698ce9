"""What lets a page of another origin read an answer (WHATWG Fetch, section 3.3): header lines, for allowed ones only.

Nothing is ever allowed with credentials: there are no cookies here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Lines: TypeAlias = tuple[tuple[str, str], ...]

# For as long as a browser may remember it; it keeps its own limits.
_PREFLIGHT_SECONDS = "86400"


def readable(origin: str, allowed: bool) -> Lines:
    """The lines for an answer.

    Args:
        origin: The header ``Origin`` as sent, empty if none.
        allowed: Whether a page of that origin may read the answer.
    """
    if not origin or not allowed:
        return (("Vary", "Origin"),)
    return (
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Expose-Headers", "Retry-After"),
        ("Vary", "Origin"),
    )


def preflight(origin: str, allowed: bool, methods: str) -> Mapping[str, str]:
    """The lines that answer ``OPTIONS``, where `methods` are allowed."""
    lines = dict(readable(origin, allowed))
    if "Access-Control-Allow-Origin" in lines:
        del lines["Access-Control-Expose-Headers"]
        lines["Access-Control-Allow-Methods"] = methods
        lines["Access-Control-Allow-Headers"] = "Cache-Control, Content-Type, Last-Event-ID"
        lines["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
    return lines
