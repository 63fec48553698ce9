"""How history is written in answers and files: JSON and CSV, in parts of a day or a month each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import islice

import msgspec
from msgspec import Struct

from gateway.instants import EPOCH, rfc3339
from presence.history.ranking import Top, before
from presence.history.series import Point, points
from presence.history.window import Window

# A millisecond or two of work.
_PART = 500


class Page(Struct, frozen=True):
    """A page, its readers now and ten minutes ago, and the difference; null where it is not known."""

    path: str
    readers: int
    before: int | None
    change: int | None


class PagesAnswer(Struct, frozen=True):
    """The most read pages.

    Attributes:
        site: Id of the site.
        as_of: When they were counted.
        complete: No page with more readers than the last of these is missing.
        pages: Most readers first.
    """

    site: str
    as_of: str
    complete: bool
    pages: list[Page]


def as_json(site: str, timezone: str, window: Window, strings: Mapping[str, bytes]) -> Iterator[bytes]:
    """The answer of ``/history``."""
    yield b'{"site":%b,"timezone":%b,"resolution":"%b","from":"%b","to":"%b","points":[' % (
        msgspec.json.encode(site),
        msgspec.json.encode(timezone),
        window.resolution.encode(),
        _when(window.from_ms),
        _when(window.to_ms),
    )
    glue = b""
    for part in _parts(window, strings):
        yield glue + b",".join(
            [b'{"at":"%b","peak":%b,"mean":%b}' % (_when(one.at_ms), *_values(one, b"null")) for one in part]
        )
        glue = b","
    yield b"]}"


def as_csv(window: Window, strings: Mapping[str, bytes]) -> Iterator[bytes]:
    """The same as RFC 4180 has it."""
    yield b"at,peak,mean\r\n"
    for part in _parts(window, strings):
        yield b"".join([b"%b,%b,%b\r\n" % (_when(one.at_ms), *_values(one, b"")) for one in part])


def top_pages(site: str, top: Top) -> PagesAnswer:
    """The answer of ``/pages``."""
    pages = []
    for path, readers in top.now.pages.items():
        then = before(path, top.then)
        pages.append(Page(path, readers, then, readers - then if then is not None else None))
    return PagesAnswer(site, rfc3339(top.at_ms), top.now.complete, pages)


def _parts(window: Window, strings: Mapping[str, bytes]) -> Iterator[list[Point]]:
    every = points(window.resolution, strings, window.from_ms, window.to_ms)
    while part := list(islice(every, _PART)):
        yield part


def _values(point: Point, gap: bytes) -> tuple[bytes, bytes]:
    if point.peak is None or point.mean is None:
        return gap, gap
    # At most two digits after the point, and none that say nothing.
    return b"%d" % point.peak, f"{point.mean:.2f}".rstrip("0").rstrip(".").encode()


def _when(at_ms: int) -> bytes:
    # Whole seconds: minutes and hours begin with one.
    return (EPOCH + timedelta(milliseconds=at_ms)).isoformat()[:19].encode() + b"Z"
