"""What a portal's page lets the widget do: its Content-Security-Policy, and where its lines are in the page. Pure.

Source: CSP Level 3, sections 2.2 (a page may have several policies, each of which must allow), 6.7.2 (matching of
source expressions) and 6.8.3 (fallback to ``default-src``). Of what decides by nonces, hashes and ``strict-dynamic``,
only whether the page's own tag has a nonce that is listed is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_KEPT_DIRECTIVES = 64
_KEPT_TAGS = 2000


class Tag(NamedTuple):
    """The widget's script tag: its address, site, nonce and ``integrity``."""

    src: str
    site: str
    nonce: str
    integrity: str


class Page(NamedTuple):
    """What is in a page.

    Attributes:
        tags: Scripts that may be ours.
        elements: The names of our elements.
        policies: Those of its ``<meta>``.
        pictures: Addresses of badges.
        frames: Addresses of frames that show the counter.
    """

    tags: list[Tag]
    elements: list[str]
    policies: list[str]
    pictures: list[str]
    frames: list[str]


class Need(NamedTuple):
    """What the widget needs of a page's policy: a `directive`, the `source` it has to allow, and what for."""

    directive: str
    source: str
    purpose: str


def read(html: str, base: str) -> Page:
    """What is in the page at `base`."""
    parser = _Parser(base)
    parser.feed(html)
    return Page(parser.tags, parser.elements, parser.policies, parser.pictures, parser.frames)


class _Parser(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[Tag] = []
        self.elements: list[str] = []
        self.policies: list[str] = []
        self.pictures: list[str] = []
        self.frames: list[str] = []
        self._base = base

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See :class:`html.parser.HTMLParser`."""
        values = {name: value or "" for name, value in reversed(attrs)}
        if tag == "script" and "data-site" in values and "src" in values and len(self.tags) < _KEPT_TAGS:
            address = _joined(self._base, values["src"])
            self.tags.append(Tag(address, values["data-site"], values.get("nonce", ""), values.get("integrity", "")))
        elif tag.startswith("loa-") and len(self.elements) < _KEPT_TAGS:
            self.elements.append(tag)
        elif tag in {"img", "iframe"} and "src" in values:
            kept, mark = (self.pictures, "/badge/") if tag == "img" else (self.frames, "/embed/")
            address = _joined(self._base, values["src"])
            if mark in address and len(kept) < _KEPT_TAGS:
                kept.append(address)
        elif tag == "meta" and values.get("http-equiv", "").strip().lower() == "content-security-policy":
            self.policies.append(values.get("content", ""))


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address.strip())
    except ValueError:
        return address


def policies(headers: Iterable[str], metas: Iterable[str]) -> list[Mapping[str, list[str]]]:
    """Every policy of a page, as directive → sources; the values of its header lines may hold several each."""
    texts = [part for header in headers for part in header.split(",")] + list(metas)
    return [parsed for parsed in map(_parsed, texts) if parsed]


def _parsed(text: str) -> dict[str, list[str]]:
    directives: dict[str, list[str]] = {}
    for part in text.split(";")[:_KEPT_DIRECTIVES]:
        words = part.split()
        # The first of a name counts.
        if words:
            directives.setdefault(words[0].lower(), words[1:])
    return directives


def needs(widget: str, page: Page) -> list[Need]:
    """What the widget from the script `widget` needs on `page`. Of ``style-src`` it needs nothing."""
    own = origin(widget)
    socket = own.replace("http", "ws", 1)
    found = [
        Need("script-src", own, "to load the widget"),
        Need("connect-src", socket, "to connect by WebSocket"),
        Need("connect-src", own, "to follow over HTTP where no WebSocket opens"),
    ]
    found += [Need("img-src", origin(address), "to show badges") for address in page.pictures[:1]]
    found += [Need("frame-src", origin(address), "to show the counter in a frame") for address in page.frames[:1]]
    return found


def origin(address: str) -> str:
    """The origin of an address (RFC 6454), as far as it has one."""
    parts = split(address)
    return f"{parts.scheme}://{parts.netloc}"


def split(address: str) -> SplitResult:
    """The parts of an address; of what is none, as a page of others may have, empty ones."""
    try:
        parts = urlsplit(address)
        # Looked at only when it is asked for.
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


def missing(found: Iterable[Mapping[str, list[str]]], page: str, wanted: Iterable[Need], tag: Tag) -> list[Need]:
    """Those of `wanted` that some of the policies `found` does not allow on the page at address `page`."""
    policies = list(found)
    return [need for need in wanted if not all(_allowed(policy, page, need, tag) for policy in policies)]


def _allowed(policy: Mapping[str, list[str]], page: str, need: Need, tag: Tag) -> bool:
    chain: tuple[str, ...] = (need.directive,)
    if need.directive == "script-src":
        chain = ("script-src-elem", "script-src")
    elif need.directive == "frame-src":
        chain = ("frame-src", "child-src")
    sources = next((policy[name] for name in (*chain, "default-src") if name in policy), None)
    if sources is None:
        return True
    if need.directive == "script-src":
        if tag.nonce and f"'nonce-{tag.nonce}'" in sources:
            return True
        if tag.integrity and f"'{tag.integrity}'" in sources:
            return True
        if "'strict-dynamic'" in [source.lower() for source in sources]:
            # Lists of hosts are then passed over.
            return False
    return any(_matches(source, page, need, tag) for source in sources)


def _matches(expression: str, page: str, need: Need, tag: Tag) -> bool:
    target, own = split(need.source), split(page)
    lowered = expression.lower()
    if lowered == "*":
        return target.scheme in _PORTS
    if lowered.startswith("'"):
        same = (target.hostname, _port(target)) == (own.hostname, _port(own))
        return lowered == "'self'" and same and (own.scheme == "http" or target.scheme in {"https", "wss"})
    if lowered.endswith(":") and lowered[:-1].isalpha():
        return _scheme_matches(lowered[:-1], target.scheme)
    scheme, has_scheme, rest = lowered.rpartition("://")
    authority, _, path = rest.partition("/")
    host, _, port = authority.partition(":")
    in_path = not path or need.directive != "script-src" or _path_matches(f"/{path}", split(tag.src).path)
    return (
        in_path
        and _scheme_matches(scheme if has_scheme else own.scheme, target.scheme)
        and _host_matches(host, target.hostname or "")
        and _port_matches(port, target)
    )


def _scheme_matches(allowed: str, wanted: str) -> bool:
    """Whether `allowed` covers `wanted`, which may be its secure form.

    The specification lets some schemes cover a WebSocket or be covered by one; browsers differ, so nothing is built on
    it: both are to be named.
    """
    return wanted == allowed or (allowed, wanted) in {("http", "https"), ("ws", "wss")}


def _path_matches(allowed: str, path: str) -> bool:
    """A path with a slash at its end stands for all below it."""
    return path.lower().startswith(allowed) if allowed.endswith("/") else path.lower() == allowed


def _host_matches(pattern: str, host: str) -> bool:
    return pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _port_matches(port: str, target: SplitResult) -> bool:
    wanted = _port(target)
    if port.isdigit() and len(port) <= 5:
        return int(port) == wanted
    return port == "*" or (not port and wanted in {80, 443})


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
