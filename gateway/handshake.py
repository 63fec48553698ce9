"""The opening handshake of a WebSocket (RFC 6455 section 4), without I/O.

Bytes go in, an :class:`Upgrade` or a :class:`~gateway.errors.Refusal` comes out.

Both ways in use it: the gate with the bytes of a fresh connection, the compatibility route with a request that
aiohttp has parsed. So both accept and refuse the same. Stricter than HTTP asks: exactly one ``Host``, no body, no
transfer coding, HTTP/1.1 and no other version, since an upgrade that differs is either broken or an attempt at request
smuggling.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote_plus

import httptools

from gateway.errors import Refusal
from gateway.robots import Robots

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
_KEY = re.compile(rb"[A-Za-z0-9+/]{21}[AQgw]==")  # 16 bytes in base64
# RFC 9112 section 3.2: a name, also with the underscores that HTTP has no word against, or an address; and a port.
_HOST = re.compile(rb"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SECTION = re.compile(r"[\w-]{1,64}")

_PATH_BYTES = 512
TOKEN_CHARACTERS = 128
_WORDS_CHARACTERS = 64

# Header lines that are read here: those that may stand once, and those whose repetitions are one list.
_ONCE = frozenset(
    {b"host", b"origin", b"content-length", b"sec-websocket-key", b"sec-websocket-version", b"last-event-id"}
)
_JOINED = frozenset({b"connection", b"upgrade", b"transfer-encoding", b"x-forwarded-for", b"user-agent"})

_APART = frozenset({"robot", "hidden", "prerender"})
_ROBOTS = Robots()

# Readers crowd on few pages. Bounded, so that made-up ones cannot fill the memory, as they would with `sys.intern`:
# early releases of Python 3.12 keep for ever what was interned once (CPython #113993).
_REMEMBERED_PAGES = 2048

UPGRADE_REQUIRED = (("Upgrade", "websocket"), ("Connection", "Upgrade"))


class Upgrade:
    """A request to become a WebSocket, checked for form; whether it may is for the desk to say.

    Attributes:
        key: ``Sec-WebSocket-Key``.
        origin: ``Origin`` as sent, empty if none.
        forwarded_for: ``X-Forwarded-For``, lines joined by commas.
        site, path, section, visitor, since, show, state, again, watching, tests: the query, see ``docs/protocol.md``.
        apart: Why it is no reader, as the query says or because it is known for a robot; empty if it is one.
    """

    __slots__ = (
        "again",
        "apart",
        "forwarded_for",
        "key",
        "origin",
        "path",
        "section",
        "show",
        "since",
        "site",
        "state",
        "tests",
        "visitor",
        "watching",
    )

    def __init__(self, key: bytes, origin: str, forwarded_for: str, query: bytes, user_agent: str = "") -> None:
        self.key = key
        self.origin = origin
        self.forwarded_for = forwarded_for
        wanted = query_of(query)
        self.site = _unquoted(wanted.get("site", ""))
        self.path = _page_of(wanted.get("path", "/"))
        self.section = page_section(_unquoted(wanted.get("section", "")))
        self.visitor = _unquoted(wanted.get("visitor", ""))[:TOKEN_CHARACTERS]
        self.since = _unquoted(wanted.get("since", ""))[:TOKEN_CHARACTERS]
        self.show = _unquoted(wanted.get("show", ""))[:_WORDS_CHARACTERS]
        self.state = wanted.get("state", "")[:_WORDS_CHARACTERS]
        self.again = wanted.get("again") == "1"
        self.watching = wanted.get("watch") == "1"
        self.tests = wanted.get("tests") == "1"
        apart = wanted.get("apart", "")
        self.apart = "robot" if _ROBOTS.knows(user_agent) else apart if apart in _APART else ""


class _Head:
    """What `httptools` calls back with."""

    __slots__ = ("complete", "headers", "target")

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.complete = True


def read(head: bytes, header_lines: int) -> Upgrade:
    """Parses and checks one request head.

    Args:
        head: The bytes up to and including the empty line.
        header_lines: The most header lines to accept.

    Raises:
        Refusal: It is not a proper upgrade request.
    """
    return check(*parsed(head), header_lines)


def parsed(head: bytes) -> tuple[bytes, str, bytes, list[tuple[bytes, bytes]]]:
    """Method, version of HTTP, query and header lines of one request head.

    Raises:
        Refusal: It is not well-formed.
    """
    request = _Head()
    parser = httptools.HttpRequestParser(request)
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError:
        raise Refusal(400, "malformed", "The request is not well-formed HTTP/1.1.") from None
    if not request.complete:
        raise Refusal(400, "malformed", "The request is not well-formed HTTP/1.1.")
    return parser.get_method(), parser.get_http_version(), request.target.partition(b"?")[2], request.headers


def check(
    method: bytes, version: str, query: bytes, headers: Iterable[tuple[bytes, bytes]], header_lines: int
) -> Upgrade:
    """Checks a parsed request.

    Args:
        method: The request method.
        version: Of HTTP, such as ``1.1``.
        query: What stands behind the question mark.
        headers: All header lines in order, repeated ones included.
        header_lines: The most header lines to accept.

    Raises:
        Refusal: It is not a proper upgrade request.
    """
    found = singled_out(headers, header_lines)
    if method != b"GET":
        raise Refusal(405, "method", "A WebSocket handshake is a GET.", (("Allow", "GET"),))
    if version != "1.1":
        raise Refusal(400, "malformed", "A WebSocket handshake is HTTP/1.1.")
    # A list of protocols would be in order (RFC 9110 section 7.8). But no browser sends one, and only this very word
    # makes a request an upgrade to aiohttp: behind any other, it would lose frames that come in the same packet.
    if not has_token(found.get(b"connection", b""), b"upgrade") or found.get(b"upgrade", b"").lower() != b"websocket":
        raise Refusal(426, "no-upgrade", "This address speaks WebSocket only.", UPGRADE_REQUIRED)
    if found.get(b"sec-websocket-version", b"").strip() != b"13":
        raise Refusal(
            426,
            "version",
            "Only version 13 of WebSocket is spoken.",
            (*UPGRADE_REQUIRED, ("Sec-WebSocket-Version", "13")),
        )
    key = found.get(b"sec-websocket-key", b"").strip()
    if _KEY.fullmatch(key) is None:
        raise Refusal(400, "key", "Sec-WebSocket-Key must be 16 bytes in base64.")
    return Upgrade(
        key,
        found.get(b"origin", b"").decode("latin-1"),
        found.get(b"x-forwarded-for", b"").decode("latin-1"),
        query,
        found.get(b"user-agent", b"").decode("latin-1"),
    )


def singled_out(headers: Iterable[tuple[bytes, bytes]], header_lines: int) -> dict[bytes, bytes]:
    """The header lines that are read here, by name in lower case.

    Args:
        headers: All header lines in order, repeated ones included.
        header_lines: The most header lines to accept.

    Raises:
        Refusal: They are not those of a proper request without a body.
    """
    found: dict[bytes, bytes] = {}
    lines = 0
    for name, value in headers:
        lines += 1
        lowered = name.lower()
        # Most lines of a browser are none of ours, and cost no more than this look.
        if lowered in _ONCE:
            if lowered in found:
                raise Refusal(400, "malformed", f"There is more than one {lowered.decode()} line.")
            found[lowered] = value
        elif lowered in _JOINED:
            found[lowered] = found[lowered] + b"," + value if lowered in found else value
    if lines > header_lines:
        raise Refusal(431, "headers", f"A request may have {header_lines} header lines.")
    if _HOST.fullmatch(found.get(b"host", b"").strip()) is None:
        raise Refusal(400, "malformed", "There must be exactly one Host line, and a host in it.")
    if b"transfer-encoding" in found or found.get(b"content-length", b"0").strip() != b"0":
        raise Refusal(400, "malformed", "This request has no body.")
    return found


def accept(key: bytes) -> bytes:
    """The answer that opens the connection, ``101 Switching Protocols``."""
    digest = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + digest
        + b"\r\n\r\n"
    )


def page_path(text: str) -> str:
    """A page's path as it is kept: begins with ``/``, at most 512 bytes, no control characters; else none."""
    if not text.startswith("/") or len(text.encode("utf-8", "replace")) > _PATH_BYTES or _CONTROL.search(text):
        return ""
    return _shared(text)


def page_section(text: str) -> str:
    """A section's name as it is kept: letters, digits, ``-`` and ``_``, at most 64; else none."""
    return _shared(text) if _SECTION.fullmatch(text) else ""


@lru_cache(2 * _REMEMBERED_PAGES)
def _shared(text: str) -> str:
    """One string for all sessions that are at the same place."""
    return text


def query_of(query: bytes) -> dict[str, str]:
    """The query's parameters as they are written; the first of a name counts."""
    wanted: dict[str, str] = {}
    for pair in query.decode("latin-1").split("&"):
        name, _, value = pair.partition("=")
        if name not in wanted:
            wanted[name] = value
    return wanted


def _unquoted(value: str) -> str:
    return unquote_plus(value) if "%" in value or "+" in value else value


@lru_cache(_REMEMBERED_PAGES)
def _page_of(value: str) -> str:
    return page_path(_unquoted(value))


def has_token(value: bytes, token: bytes) -> bool:
    return value.lower() == token or any(part.strip().lower() == token for part in value.split(b","))
