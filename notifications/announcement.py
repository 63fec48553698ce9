"""What an announcement is: the editor's wish, the published thing, and how browsers and editors see it.

Three structs, each frozen: a :class:`Draft` is what an editor wants published, a :class:`Change` what an editor wants
different, an :class:`Announcement` what the store holds. All text in them has passed ``notifications/validation.py``.
Times are milliseconds of Unix time by the store's clock inside the house, RFC 3339 in UTC outside.

Pure: no clock, no I/O.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, TypedDict

from msgspec import UNSET, Struct, UnsetType

Severity = Literal["info", "notice", "breaking", "emergency"]
SEVERITIES: tuple[Severity, ...] = ("info", "notice", "breaking", "emergency")

# What the store holds. That one has expired is never written, since nobody has to do anything for it to be true.
Stored = Literal["live", "recalled"]
Status = Literal["live", "recalled", "expired"]
STATUSES: tuple[Status, ...] = ("live", "recalled", "expired")

MAX_TITLE = 120
MAX_BODY = 1_000
MAX_URL = 2_048
MAX_REASON = 500
MIN_EXPIRY_SECONDS = 10

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Draft(Struct, frozen=True, kw_only=True):
    """What an editor wants published.

    Attributes:
        sites: Ids of the sites whose readers are to see it, at least one, each once.
        severity: How urgent it is.
        title: One line of plain text, 1 to 120 characters.
        body: Plain text, at most 1,000 characters; may have line breaks; may be empty.
        url: Where to read on, an http or https link; may be empty.
        expires_in: For how many seconds it is to be shown.
    """

    sites: tuple[str, ...]
    severity: Severity
    title: str
    body: str = ""
    url: str = ""
    expires_in: int = 3600


class Change(Struct, frozen=True, kw_only=True):
    """What an editor wants different; what is unset stays.

    Attributes:
        severity: See :class:`Draft`; so for `title`, `body` and `url`.
        expires_in: For how many seconds from now it is to be shown.
        show_again: Show it also to those who dismissed an earlier revision.
    """

    severity: Severity | UnsetType = UNSET
    title: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    expires_in: int | UnsetType = UNSET
    show_again: bool = False


class Announcement(Struct, frozen=True, kw_only=True):
    """A published announcement, as the store holds it.

    Attributes:
        id: 26 lower-case characters in order of time (48 bits of milliseconds, 80 random bits, Crockford's base 32).
        revision: 1 when published, one more with every update and with the recall.
        version: The version of the log that wrote this revision.
        status: `live` or `recalled`; whether it has expired is a matter of `expires_ms`.
        published_ms: When the first revision was written.
        updated_ms: When this one was.
        expires_ms: From when on nobody shows it.
        again: The newest revision that asks to be shown to those who dismissed an earlier one.
        sites: Where it is shown.
        reason: Why it was recalled; for editors only.
    """

    id: str
    revision: int
    version: int
    status: Stored
    published_ms: int
    updated_ms: int
    expires_ms: int
    again: int
    sites: tuple[str, ...]
    severity: Severity
    title: str
    body: str = ""
    url: str = ""
    reason: str = ""

    @property
    def name(self) -> str:
        """Names this revision, in whichever history it was written: versions begin anew when the store is lost."""
        return f"{self.id}/{self.revision}"


class ForBrowsers(TypedDict):
    """An announcement in a frame; ``docs/protocol.md`` says what each member means."""

    id: str
    revision: int
    status: Stored
    severity: Severity
    title: str
    body: str
    url: str
    published_at: str
    updated_at: str
    expires_at: str
    again: int


class ForEditors(Struct, frozen=True, kw_only=True):
    """An announcement in an answer of the API."""

    id: str
    revision: int
    status: Status
    sites: tuple[str, ...]
    severity: Severity
    title: str
    body: str
    url: str
    published_at: str
    updated_at: str
    expires_at: str
    again: int
    reason: str
    version: int


def for_browsers(announcement: Announcement) -> ForBrowsers:
    """What browsers are told of it; the sites and the reason of a recall are not their business."""
    return {
        "id": announcement.id,
        "revision": announcement.revision,
        "status": announcement.status,
        "severity": announcement.severity,
        "title": announcement.title,
        "body": announcement.body,
        "url": announcement.url,
        "published_at": instant(announcement.published_ms),
        "updated_at": instant(announcement.updated_ms),
        "expires_at": instant(announcement.expires_ms),
        "again": announcement.again,
    }


def for_editors(announcement: Announcement, status: Status) -> ForEditors:
    """What editors are told of it; `status` as ``lifecycle.state_at`` says."""
    return ForEditors(
        id=announcement.id,
        revision=announcement.revision,
        status=status,
        sites=announcement.sites,
        severity=announcement.severity,
        title=announcement.title,
        body=announcement.body,
        url=announcement.url,
        published_at=instant(announcement.published_ms),
        updated_at=instant(announcement.updated_ms),
        expires_at=instant(announcement.expires_ms),
        again=announcement.again,
        reason=announcement.reason,
        version=announcement.version,
    )


def instant(milliseconds: int) -> str:
    """Unix time in milliseconds as RFC 3339 in UTC, ``2026-11-23T04:25:16.120Z``."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
