"""A site's announcements as documents that feed readers and other programs take: Atom, RSS and JSON Feed.

What was recalled stays until it would have run out, under its old id and with its text replaced, so that a program that
has fetched it before takes it back instead of keeping it.

Pure: who calls says what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal, NamedTuple, TypeAlias
from xml.etree import ElementTree

import msgspec

from gateway.instants import rfc3339
from notifications.announcement import Announcement, Severity

ATOM = "http://www.w3.org/2005/Atom"

_RECALLED = {"vi": "Đã thu hồi: {}", "en": "Withdrawn: {}"}
_WITHDRAWN = {"vi": "Thông báo này đã được thu hồi.", "en": "This announcement has been withdrawn."}
_SEVERITIES: Mapping[str, Mapping[Severity, str]] = {
    "vi": {"info": "Thông tin", "notice": "Thông báo", "breaking": "Tin khẩn", "emergency": "Khẩn cấp"},
    "en": {"info": "Information", "notice": "Notice", "breaking": "Breaking", "emergency": "Emergency"},
}
_CHANNEL = {"vi": "Thông báo của {}", "en": "Announcements of {}"}

# As an element needs them to be written under the names people know them by.
ElementTree.register_namespace("atom", ATOM)


class Channel(NamedTuple):
    """What a document says of itself.

    Attributes:
        name: Of the site, as people call it.
        language: In which the document's own words are.
        base: How browsers reach this service, without a slash at the end.
        address: Where this document is.
        site: Id of the site.
    """

    name: str
    language: Literal["vi", "en"]
    base: str
    address: str
    site: str

    @property
    def title(self) -> str:
        """One line for the reader's list of feeds."""
        return _CHANNEL[self.language].format(self.name)


class Item(NamedTuple):
    """One announcement as documents tell it.

    Attributes:
        id: Stays the same over revisions.
        title, text: What it says, or that it was withdrawn.
        link: Where to read on; empty if it does not say.
        category, term: Its severity, for people and for programs.
    """

    id: str
    title: str
    text: str
    link: str
    category: str
    term: str
    published_ms: int
    updated_ms: int


Writer: TypeAlias = Callable[[Channel, Iterable[Announcement]], bytes]


def item(channel: Channel, one: Announcement) -> Item:
    """What documents tell of an announcement."""
    live = one.status == "live"
    return Item(
        id=f"{channel.base}/feeds/{channel.site}#{one.id}",
        title=one.title if live else _RECALLED[channel.language].format(one.title),
        text=one.body if live else _WITHDRAWN[channel.language],
        link=one.url if live else "",
        category=_SEVERITIES[channel.language][one.severity],
        term=one.severity,
        published_ms=one.published_ms,
        updated_ms=one.updated_ms,
    )


def atom(channel: Channel, announcements: Iterable[Announcement]) -> bytes:
    """As an Atom feed (RFC 4287)."""
    items = [item(channel, one) for one in announcements]
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": channel.language})
    _add(feed, "id", channel.address)
    _add(feed, "title", channel.title)
    _add(feed, "updated", rfc3339(max((one.updated_ms for one in items), default=0)))
    _add(feed, "link", rel="self", href=channel.address)
    author = ElementTree.SubElement(feed, "author")
    _add(author, "name", channel.name)
    for one in items:
        entry = ElementTree.SubElement(feed, "entry")
        _add(entry, "id", one.id)
        _add(entry, "title", one.title)
        _add(entry, "published", rfc3339(one.published_ms))
        _add(entry, "updated", rfc3339(one.updated_ms))
        _add(entry, "category", term=one.term, label=one.category)
        if one.link:
            _add(entry, "link", rel="alternate", href=one.link)
        _add(entry, "content", one.text or one.title, type="text")
    return _written(feed)


def rss(channel: Channel, announcements: Iterable[Announcement]) -> bytes:
    """As RSS 2.0."""
    items = [item(channel, one) for one in announcements]
    document = ElementTree.Element("rss", {"version": "2.0"})
    head = ElementTree.SubElement(document, "channel")
    _add(head, "title", channel.title)
    _add(head, "link", channel.base + "/")
    _add(head, "description", channel.title)
    _add(head, "language", channel.language)
    _add(head, f"{{{ATOM}}}link", rel="self", href=channel.address, type="application/rss+xml")
    for one in items:
        told = ElementTree.SubElement(head, "item")
        _add(told, "title", one.title)
        if one.link:
            _add(told, "link", one.link)
        _add(told, "description", one.text or one.title)
        _add(told, "category", one.category)
        _add(told, "guid", one.id, isPermaLink="false")
        _add(told, "pubDate", format_datetime(datetime.fromtimestamp(one.updated_ms / 1000, UTC), usegmt=True))
    return _written(document)


def json_feed(channel: Channel, announcements: Iterable[Announcement]) -> bytes:
    """As JSON Feed 1.1."""
    told = []
    for one in (item(channel, one) for one in announcements):
        members = {
            "id": one.id,
            "title": one.title,
            "content_text": one.text or one.title,
            "date_published": rfc3339(one.published_ms),
            "date_modified": rfc3339(one.updated_ms),
            "tags": [one.term],
        }
        told.append({**members, "url": one.link} if one.link else members)
    return msgspec.json.encode(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": channel.title,
            "language": channel.language,
            "feed_url": channel.address,
            "authors": [{"name": channel.name}],
            "items": told,
        }
    )


# By the end of the address: what it is called on the wire, and who writes it.
FORMATS: Mapping[str, tuple[str, Writer]] = {
    "atom": ("application/atom+xml", atom),
    "rss": ("application/rss+xml", rss),
    "json": ("application/feed+json", json_feed),
}


def _add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> None:
    element = ElementTree.SubElement(parent, name, attributes)
    if text:
        element.text = text


def _written(root: ElementTree.Element) -> bytes:
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
