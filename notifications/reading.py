"""Reads what a client of the API sent: body, headers and query, with a problem for whatever cannot be used.

The body is bounded in length and in time, and is JSON, or it is refused before anything looks at it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from typing import NamedTuple

import msgspec
from aiohttp import web

from gateway.problems import FieldError, Problem
from notifications.announcement import STATUSES
from notifications.wire import KEY, MAX_KEY

MAX_BODY_BYTES = 64 * 1024
MAX_PAGE = 200
MAX_TEXT = 120
PAGE = 50

_BODY_SECONDS = 10.0
ID = re.compile(r"[0-9a-hjkmnp-tv-z]{26}", re.ASCII)
_ETAG = re.compile(r'"([1-9][0-9]{0,15})"', re.ASCII)


class Query(NamedTuple):
    """Which announcements are listed."""

    site: str
    status: str
    before: str
    limit: int
    text: str


async def document(request: web.Request, *, optional: bool = False) -> object:
    """The decoded body; an empty object if there is none and it is `optional`.

    Raises:
        Problem: 400, 408, 413 or 415.
    """
    body = await unpacked(request)
    return {} if not body and optional else decoded(request, body)


def decoded(request: web.Request, body: bytes) -> object:
    """What `body`, that of `request`, says.

    Raises:
        Problem: 400 or 415.
    """
    kind = request.content_type.lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, detail="Send the body as JSON, with Content-Type: application/json.")
    try:
        return msgspec.json.decode(body)
    except UnicodeDecodeError:
        raise Problem(400, detail="The body is not UTF-8 text.") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Problem(400, detail=f"The body is not JSON: {error}") from None


async def unpacked(request: web.Request, most_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The body as it is, at most so many bytes.

    Raises:
        Problem: 400, 408, 413 or 415.
    """
    if any(coding.lower() not in {"identity", ""} for coding in request.headers.getall("Content-Encoding", [])):
        # RFC 9110, 15.5.16. A body so short gains nothing, and what it grows to cannot be told from its length.
        detail = "Send the body as it is, without Content-Encoding."
        raise Problem(415, detail=detail, headers={"Accept-Encoding": "identity"})
    too_long = Problem(413, detail=f"The body is longer than {most_bytes} bytes.")
    if (request.content_length or 0) > most_bytes:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > most_bytes:
                    raise too_long
    except TimeoutError:
        raise Problem(408, detail="The body did not come in time.") from None
    except (web.RequestPayloadError, ConnectionError):
        # Garbled on its way, or cut off by a client that will not read this either.
        raise Problem(400, detail="The body did not come whole.") from None
    return bytes(body)


def idempotency_key(request: web.Request) -> str:
    """The header Idempotency-Key; empty if there is none.

    Raises:
        Problem: 400, it is not 1 to 200 visible ASCII characters, or it is there twice.
    """
    keys = request.headers.getall("Idempotency-Key", [])
    if not keys:
        return ""
    if len(keys) > 1 or KEY.fullmatch(keys[0]) is None:
        detail = f"Idempotency-Key takes 1 to {MAX_KEY} visible ASCII characters, once."
        wrong = FieldError(field="Idempotency-Key", pointer="", detail=detail)
        raise Problem(400, detail=detail, errors=[wrong])
    return keys[0]


def if_match(request: web.Request) -> int | None:
    """The revision that the header If-Match expects; None if it expects none in particular.

    Raises:
        Problem: 400, it is not an entity tag as this API gives them.
    """
    header = request.headers.get("If-Match", "*").strip()
    if header == "*":
        return None
    found = _ETAG.fullmatch(header)
    if found is None:
        raise Problem(400, detail='If-Match takes the ETag of an earlier answer, such as "2".')
    return int(found[1])


def announcement_id(request: web.Request) -> str:
    """The id in the path.

    Raises:
        Problem: 404, it can be nobody's.
    """
    id = request.match_info["id"]
    if ID.fullmatch(id) is None:
        raise Problem(404, detail="There is no announcement of this id.")
    return id


def query(request: web.Request, sites: Collection[str]) -> Query:
    """Which announcements are asked for.

    Raises:
        Problem: 422, with every parameter that is wrong.
    """
    given = request.query
    wrong: list[FieldError] = []

    def refuse(field: str, detail: str) -> None:
        wrong.append(FieldError(field=field, pointer="", detail=detail))

    for name in given:
        if name not in Query._fields:
            refuse(name[:40], f"is not known here; there are: {', '.join(Query._fields)}")
    site, status, before = given.get("site", ""), given.get("status", ""), given.get("before", "")
    limit = given.get("limit", str(PAGE))
    if site and site not in sites:
        refuse("site", "there is no such site")
    if status and status not in STATUSES:
        refuse("status", f"must be one of {', '.join(STATUSES)}")
    if before and ID.fullmatch(before) is None:
        refuse("before", "must be the id of an announcement")
    if not (limit.isascii() and limit.isdigit() and len(limit) < 5 and 1 <= int(limit) <= MAX_PAGE):
        refuse("limit", f"must be a number from 1 to {MAX_PAGE}")
    text = given.get("text", "")
    if len(text) > MAX_TEXT:
        refuse("text", f"has {len(text)} characters; at most {MAX_TEXT} are allowed")
    if wrong:
        raise Problem(422, detail="The query cannot be used.", errors=wrong)
    return Query(site, status, before, int(limit), text)
