"""What browsers know a file or a text by: its hash, as pages and policies write it, and the tag they have it under."""

from __future__ import annotations

import base64
import hashlib

from aiohttp import web


def written_hash(algorithm: str, content: bytes) -> str:
    """A hash as ``integrity`` and content security policies write it (W3C Subresource Integrity), ``sha256-…``."""
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


def has(request: web.Request, tag: str) -> bool:
    """Whether the browser has what stands under this entity tag (RFC 9110, section 13.1.2), and need not be sent it."""
    return any(known.value in (tag, "*") for known in request.if_none_match or ())
