"""Goes where browsers go: to the widget, the WebSocket, the health of the service, and the pages of portals.

What comes from there is a stranger's: sizes and times are bounded, only ``http`` and ``https`` are followed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import aiohttp
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

from notifications.client import unverified
from operations.doctor import certificate
from operations.doctor.checks import Reached
from operations.doctor.page_checks import Fetched
from store.errors import NOT_UNDERSTOOD, reason

_SECONDS = 10.0
_PAGE_BYTES = 2 << 20
_HOPS = 5
_AGENT = {"User-Agent": "loa-doctor"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


async def reach(url: str, site: str, *, local: bool) -> Reached:
    """Fetches the widget from `url` and opens a WebSocket there, which is not counted as a reader.

    Args:
        url: Without a slash at the end.
        site: Any that is configured.
        local: On this machine, where a certificate is made out to another name.
    """
    script, failure = await _status(f"{url}/widget.js", local=local)
    upgraded, why = await _upgraded(url, site, local=local)
    days = await asyncio.to_thread(_certificate_days, url) if url.startswith("https://") and not local else None
    return Reached(url=url, script=script, socket=upgraded, failure=failure or why, certificate_days=days)


async def readiness(ops_url: str) -> tuple[list[str] | None, str]:
    """The reasons of ``/readyz``, None where it does not answer, and why not."""
    if not ops_url:
        return None, "there is no ops listener"
    try:
        async with _client(local=True) as http, http.get(f"{ops_url}/readyz") as answer:
            document = msgspec.json.decode(await answer.content.read(_PAGE_BYTES))
            return [str(reason) for reason in document["reasons"]], ""
    except (aiohttp.ClientError, OSError, TimeoutError, *NOT_UNDERSTOOD, KeyError, TypeError) as error:
        return None, _why(error)


async def fetch(url: str) -> Fetched:
    """A page of a portal, after at most five redirects."""
    try:
        async with _client(local=False) as http:
            for _ in range(_HOPS + 1):
                if urlsplit(url).scheme not in {"http", "https"}:
                    return Fetched(url=url, failure="it leads to an address that is neither http nor https")
                async with http.get(url, allow_redirects=False) as answer:
                    target = answer.headers.get("Location", "")
                    if answer.status in _REDIRECTS and target:
                        url = urljoin(url, target)
                        continue
                    body = await _read(answer)
                    return Fetched(
                        url=url,
                        status=answer.status,
                        headers=answer.headers.getall("Content-Security-Policy", []),
                        html=body.decode(_charset(answer), "replace"),
                    )
            return Fetched(url=url, failure=f"it leads on more than {_HOPS} times")
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, LookupError) as error:
        return Fetched(url=url, failure=_why(error))


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The body, as far as it is looked at; unpacked, so that a small one cannot become a huge one."""
    body = bytearray()
    async for piece in answer.content.iter_chunked(1 << 16):
        body += piece
        if len(body) >= _PAGE_BYTES:
            break
    return bytes(body[:_PAGE_BYTES])


def _charset(answer: aiohttp.ClientResponse) -> str:
    name = answer.charset or "utf-8"
    with contextlib.suppress(LookupError):
        "".encode(name)
        return name
    return "utf-8"


async def _status(url: str, *, local: bool) -> tuple[int, str]:
    try:
        async with _client(local=local) as http, http.get(url, allow_redirects=False) as answer:
            return answer.status, ""
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        return 0, _why(error)


async def _upgraded(url: str, site: str, *, local: bool) -> tuple[int, str]:
    address = f"ws{url.removeprefix('http')}/ws?{urlencode({'site': site, 'path': '/', 'watch': '1'})}"
    options: dict[str, Any] = {"ssl": unverified()} if local and address.startswith("wss") else {}
    try:
        async with connect(address, open_timeout=_SECONDS, close_timeout=1, proxy=None, compression=None, **options):
            return 101, ""
    except InvalidStatus as error:
        return error.response.status_code, ""
    except (InvalidHandshake, InvalidURI, OSError, TimeoutError) as error:
        return 0, _why(error)


def _certificate_days(url: str) -> float | None:
    """Until the certificate at `url` ends; one that nobody would trust is read as well."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        with (
            socket.create_connection((host, parts.port or 443), timeout=_SECONDS) as plain,
            unverified().wrap_socket(plain, server_hostname=host) as spoken,
        ):
            ends = certificate.end_of(spoken.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError):
        return None
    return (ends - datetime.now(UTC)) / timedelta(days=1)


def _client(*, local: bool) -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    return aiohttp.ClientSession(timeout=timeout, headers=_AGENT, connector=aiohttp.TCPConnector(ssl=not local))


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_SECONDS:.0f} s"
    return reason(error)
