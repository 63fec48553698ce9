"""Announcements as CAP 1.2 messages, and a site's messages as an Atom feed that alert hubs read.

Each revision that readers were told is a message of its own: the first an Alert, the next an Update, a recall a Cancel.
Later ones name in `references` all that came before, as far as this worker has heard of them, and always the first: a
hub that holds any of them finds what supersedes it. An identifier is made of site, id and revision alone, so all
workers write the same, and the first of all has no revision in it, so that it can be named by who has not seen it.

What a message it came by said of it (``Announcement.cap``) is said again; the words for urgency, severity and
certainty as long as they still mean our severity. Whatever is kept is held against the rules of CAP once more: it may
have come by another way than CAP.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple
from xml.etree import ElementTree

from gateway.instants import rfc3339
from notifications.announcement import TOLD, Announcement, Cap, Text
from notifications.cap import schema, values
from notifications.cap.making import PATH, SECTION
from notifications.cap.urgency import Words, theirs
from notifications.cap.values import Identity, written
from notifications.syndication import ATOM, Channel, item

CAP_TYPE = "application/cap+xml"
ATOM_TYPE = "application/atom+xml"

# Besides the first: more are no longer held by anybody.
MOST_REFERENCES = 50

# What XML 1.0 cannot hold (section 2.2, "Char").
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LANGUAGE = re.compile(r"[a-z]{1,8}", re.ASCII)


class Told(NamedTuple):
    """An announcement, and the earlier revisions of it that readers were told, the oldest first."""

    announcement: Announcement
    earlier: tuple[Announcement, ...] = ()

    @property
    def kind(self) -> Literal["Alert", "Update", "Cancel"]:
        """Which type of message it is."""
        if self.announcement.status == "recalled":
            return "Cancel"
        first = self.announcement.updated_ms == self.announcement.published_ms and not self.earlier
        return "Alert" if first else "Update"


def told(announcement: Announcement, revisions: Iterable[Announcement]) -> Told:
    """`announcement` and those of its `revisions` that were told before it."""
    before = [one for one in revisions if one.status in TOLD and one.revision < announcement.revision]
    return Told(announcement, tuple(sorted(before, key=lambda one: one.revision)))


def identity(told: Told, sender: str, site: str) -> Identity:
    """What names the message."""
    one = told.announcement
    name = f"loa.{site}.{one.id}"
    return Identity(sender, name if told.kind == "Alert" else f"{name}.{one.revision}", written(one.updated_ms))


def message(told: Told, channel: Channel, sender: str) -> bytes:
    """The CAP message that tells of an announcement's newest revision.

    Args:
        told: Which.
        channel: The site it is shown on.
        sender: Who sends it, by ``notifications.cap_sender``.
    """
    one, cap = told.announcement, told.announcement.cap
    named = identity(told, sender, channel.site)
    alert = ElementTree.Element("alert", {"xmlns": schema.NAMESPACE})
    _add(alert, "identifier", named.identifier)
    _add(alert, "sender", named.sender)
    _add(alert, "sent", named.sent)
    _add(alert, "status", "Test" if one.test else "Actual")
    _add(alert, "msgType", told.kind)
    if cap is not None:
        _add(alert, "source", cap.sender)
    _add(alert, "scope", "Public")
    if cap is not None:
        _add(alert, "note", cap.note)
    if told.kind != "Alert":
        _add(alert, "references", " ".join(map(str, _references(told, sender, channel.site))))
    if cap is not None and not values.quoted_words(cap.incidents):
        _add(alert, "incidents", cap.incidents)
    if told.kind == "Cancel":
        withdrawn = item(channel, one)
        _info(alert, one, channel, channel.language, Text(title=withdrawn.title, body=withdrawn.text))
    else:
        main = one.language or channel.language
        _info(alert, one, channel, main, Text(title=one.title, body=one.body, url=one.url))
        for language, text in one.texts.items():
            if language != main:
                _info(alert, one, channel, language, text)
    return _written(alert)


def feed(channel: Channel, sender: str, all_told: Sequence[Told], address_of: dict[str, str]) -> bytes:
    """The site's messages as an Atom feed (RFC 4287), an entry for each.

    Args:
        channel: The site.
        sender: See `message`.
        all_told: Of what it tells, the newest change first.
        address_of: Where each one's message is, by its id.
    """
    root = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": channel.language})
    _add(root, "id", channel.address)
    _add(root, "title", channel.title)
    _add(root, "updated", rfc3339(max((one.announcement.updated_ms for one in all_told), default=0)))
    ElementTree.SubElement(root, "link", {"rel": "self", "href": channel.address, "type": ATOM_TYPE})
    author = ElementTree.SubElement(root, "author")
    _add(author, "name", channel.name)
    for one in all_told:
        shown, address = item(channel, one.announcement), address_of[one.announcement.id]
        entry = ElementTree.SubElement(root, "entry")
        _add(entry, "id", f"{address}#{identity(one, sender, channel.site).identifier}")
        _add(entry, "title", shown.title)
        _add(entry, "published", rfc3339(one.announcement.published_ms))
        _add(entry, "updated", rfc3339(one.announcement.updated_ms))
        ElementTree.SubElement(entry, "category", {"term": shown.term, "label": shown.category})
        ElementTree.SubElement(entry, "link", {"rel": "alternate", "type": CAP_TYPE, "href": address})
        _add(entry, "summary", shown.text or shown.title)
    return _written(root)


def _references(told: Told, sender: str, site: str) -> list[Identity]:
    one = told.announcement
    first = Identity(sender, f"loa.{site}.{one.id}", written(one.published_ms))
    named = [identity(Told(before, told.earlier[:place]), sender, site) for place, before in enumerate(told.earlier)]
    return list(dict.fromkeys([first, *named[-MOST_REFERENCES:]]))


def _info(alert: ElementTree.Element, one: Announcement, channel: Channel, language: str, text: Text) -> None:
    cap = one.cap or Cap(identifier="", sender="", sent="")
    words = theirs(one.severity, Words(cap.urgency, cap.severity, cap.certainty) if one.cap is not None else None)
    info = ElementTree.SubElement(alert, "info")
    _add(info, "language", language if _LANGUAGE.fullmatch(language) else "und")
    for category in [each for each in cap.categories if each in schema.CATEGORIES] or ["Other"]:
        _add(info, "category", category)
    _add(info, "event", cap.event if cap.event.strip() else _event(channel, one, language))
    # What is taken back is over, whatever it was.
    _add(info, "urgency", "Past" if one.status == "recalled" else words.urgency)
    _add(info, "severity", words.severity)
    _add(info, "certainty", words.certainty)
    _add(info, "expires", written(one.expires_ms))
    _add(info, "senderName", channel.name)
    _add(info, "headline", text.title)
    _add(info, "description", text.body)
    _add(info, "web", text.url)
    for name, chosen in ((SECTION, one.audience.sections), (PATH, one.audience.paths)):
        for value in chosen:
            parameter = ElementTree.SubElement(info, "parameter")
            _add(parameter, "valueName", name)
            _add(parameter, "value", value)
    for described in cap.areas:
        _add(ElementTree.SubElement(info, "area"), "areaDesc", described)


def _event(channel: Channel, one: Announcement, language: str) -> str:
    return item(channel._replace(language="vi" if language == "vi" else "en"), one).category


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    if text:
        ElementTree.SubElement(parent, name).text = _xml(text)


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _written(root: ElementTree.Element) -> bytes:
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document
