"""What an announcement is: the editor's wish, the published thing, and how browsers and editors see it.

Three structs, each frozen: a :class:`Draft` is what an editor wants written or published, a :class:`Change` what an
editor wants different, an :class:`Announcement` what the store holds. What they consist of are :class:`Text`,
:class:`Audience` and, where it came by the Common Alerting Protocol, :class:`Cap`. All text in them has passed
``notifications/validation.py``. Times are milliseconds of Unix time by the store's clock inside the house, RFC 3339 in
UTC outside.

Pure: no clock, no I/O.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from msgspec import UNSET, Struct, UnsetType

from gateway.instants import rfc3339
from notifications.audience import Conditions, conditions

Severity = Literal["info", "notice", "breaking", "emergency"]
SEVERITIES: tuple[Severity, ...] = ("info", "notice", "breaking", "emergency")

# What the store holds. That one has expired is never written, since nobody has to do anything for it to be true; but a
# start that was missed until the end had passed is.
Stored = Literal[
    "draft", "waiting", "approved", "returned", "rejected", "discarded", "scheduled", "live", "recalled", "missed"
]
Status = Literal[
    "draft", "waiting", "approved", "returned", "rejected", "discarded", "scheduled", "live", "recalled", "missed",
    "expired",
]  # fmt: skip
STATUSES: tuple[Status, ...] = (
    "draft", "waiting", "approved", "returned", "rejected", "discarded", "scheduled", "live", "recalled", "missed",
    "expired",
)  # fmt: skip
# What browsers are ever told of.
TOLD: frozenset[Stored] = frozenset({"live", "recalled"})

MAX_TITLE = 120
MAX_BODY = 1_000
MAX_URL = 2_048
MAX_REASON = 500
MIN_EXPIRY_SECONDS = 10
MAX_LANGUAGES = 8
MAX_SECTIONS = 50
MAX_PATHS = 50
MAX_GLOB = 512
# Runs of stars: each becomes a group of the regular expression that every page is sent.
MAX_STARS = 8
# In bytes, well below what a session that reads slowly may have waiting (gateway.slow_bytes).
MAX_FRAME = 48 * 1024


class Text(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An announcement's text in one more language; limits as for that of :class:`Draft`."""

    title: str
    body: str = ""
    url: str = ""


class Audience(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which pages of the sites are meant; a page has to meet every condition that is set.

    Attributes:
        sections: It is in one of these sections; empty: in whichever.
        paths: Its path matches one of these globs: ``*`` is any text without a slash, ``**`` any text at all.
        languages: It is in one of these languages, primary subtags of BCP 47 such as ``vi``.
        visible: Only where it is looked at; one in the background shows it when it comes to the front.
    """

    sections: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    visible: bool = False


class Cap(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a message of the Common Alerting Protocol 1.2 said and we have no word for; kept to be said again.

    Attributes:
        identifier, sender, sent: Name the message among all of the world (CAP 1.2, section 3.2.1), as they came.
        references: The earlier messages it updates or cancels, as they came.
        urgency, severity, certainty: As they came; ours is in :attr:`Draft.severity`.
        categories, event: What it is about.
        areas: The descriptions of its areas.
        incidents, note: Further words, as they came.
    """

    identifier: str
    sender: str
    sent: str
    references: str = ""
    urgency: str = "Unknown"
    severity: str = "Unknown"
    certainty: str = "Unknown"
    categories: tuple[str, ...] = ("Other",)
    event: str = ""
    areas: tuple[str, ...] = ()
    incidents: str = ""
    note: str = ""


class Approval(Struct, frozen=True, kw_only=True):
    """Who has approved of what is to be sent, and when."""

    owner: str
    name: str
    at_ms: int


EVERYBODY = Audience()


class Draft(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an editor wants published.

    Attributes:
        sites: Ids of the sites whose readers are to see it, at least one, each once.
        severity: How urgent it is.
        title: One line of plain text, 1 to 120 characters.
        body: Plain text, at most 1,000 characters; may have line breaks; may be empty.
        url: Where to read on, an http or https link; may be empty.
        language: Of these three, a primary subtag of BCP 47; empty: the language of each site.
        texts: The same in further languages, by their primary subtags.
        audience: Which pages of the sites.
        test: It is a test, told only to browsers that have asked for tests.
        expires_in: For how many seconds it is to be shown, from when it goes live, or was to.
        ends_ms: When it is over, whenever it went live; 0: as `expires_in` says.
        starts_ms: When it is to go live by itself; 0: when somebody sends it.
        cap: What a CAP message it came by said besides.
    """

    sites: tuple[str, ...]
    severity: Severity
    title: str
    body: str = ""
    url: str = ""
    language: str = ""
    texts: dict[str, Text] = {}
    audience: Audience = EVERYBODY
    test: bool = False
    expires_in: int = 3600
    ends_ms: int = 0
    starts_ms: int = 0
    cap: Cap | None = None


class Change(Struct, frozen=True, kw_only=True):
    """What an editor wants different; what is unset stays.

    Attributes:
        sites: See :class:`Draft`; only of what is not live. So for `test` and `starts_ms`.
        severity: See :class:`Draft`; so for `title`, `body`, `url`, `language`, `texts`, `audience` and `cap`.
        expires_in: For how many seconds it is to be shown: of what is live, from now.
        ends_ms: When it is over; of this and `expires_in` the one that is given replaces the other.
        show_again: Show it also to those who dismissed an earlier revision.
    """

    sites: tuple[str, ...] | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    title: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    language: str | UnsetType = UNSET
    texts: dict[str, Text] | UnsetType = UNSET
    audience: Audience | UnsetType = UNSET
    test: bool | UnsetType = UNSET
    expires_in: int | UnsetType = UNSET
    ends_ms: int | UnsetType = UNSET
    starts_ms: int | UnsetType = UNSET
    cap: Cap | UnsetType = UNSET
    show_again: bool = False


class Announcement(Struct, frozen=True, kw_only=True):
    """An announcement as the store holds it, from its first draft on.

    Attributes:
        id: 26 lower-case characters in order of time (48 bits of milliseconds, 80 random bits, Crockford's base 32).
        revision: 1 when first written, one more with every act.
        version: The version of the log that told browsers of it last; 0 if none has.
        status: See ``lifecycle.TABLE``; whether it has expired is a matter of `expires_ms`.
        published_ms: When it went live; 0 if it has not.
        updated_ms: When this revision was written.
        expires_ms: From when on nobody shows it; 0 while it has not been live.
        again: The newest revision that asks to be shown to those who dismissed an earlier one.
        sites: Where it is shown; `severity` to `cap` as in :class:`Draft`.
        reason: Why it was recalled, returned, rejected or discarded; for editors only.
        author, author_name: Who wrote its text last, see :class:`~notifications.actor.Actor`.
        approvals: Of this text, in their order.
        late_ms: How much later than `starts_ms` it went live; 0 if it was on time, or sent by somebody.
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
    language: str = ""
    texts: dict[str, Text] = {}
    audience: Audience = EVERYBODY
    test: bool = False
    expires_in: int = 0
    ends_ms: int = 0
    starts_ms: int = 0
    cap: Cap | None = None
    reason: str = ""
    author: str = ""
    author_name: str = ""
    approvals: tuple[Approval, ...] = ()
    late_ms: int = 0

    @property
    def name(self) -> str:
        """Names this revision, in whichever history it was written: versions begin anew when the store is lost."""
        return f"{self.id}/{self.revision}"


class ForBrowsers(TypedDict):
    """An announcement in a frame; ``docs/protocol.md`` says what each member means, present or missing."""

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
    language: NotRequired[str]
    texts: NotRequired[dict[str, Text]]
    audience: NotRequired[Conditions]
    test: NotRequired[bool]


class ForEditors(Struct, frozen=True, kw_only=True):
    """An announcement in an answer of the API; moments are null where there is none."""

    id: str
    revision: int
    status: Status
    sites: tuple[str, ...]
    severity: Severity
    title: str
    body: str
    url: str
    language: str
    texts: dict[str, Text]
    audience: Audience
    test: bool
    starts_at: str | None
    published_at: str | None
    updated_at: str
    expires_at: str | None
    expires_in: int
    again: int
    reason: str
    author: str
    author_name: str
    approvals: list[ApprovalForEditors]
    late_seconds: float
    cap: Cap | None
    version: int


class ApprovalForEditors(Struct, frozen=True, kw_only=True):
    """An approval in an answer of the API."""

    owner: str
    name: str
    at: str


def for_browsers(announcement: Announcement) -> ForBrowsers:
    """What browsers are told of it; the sites and the reason of a recall are not their business."""
    told: ForBrowsers = {
        "id": announcement.id,
        "revision": announcement.revision,
        "status": announcement.status,
        "severity": announcement.severity,
        "title": announcement.title,
        "body": announcement.body,
        "url": announcement.url,
        "published_at": rfc3339(announcement.published_ms),
        "updated_at": rfc3339(announcement.updated_ms),
        "expires_at": rfc3339(announcement.expires_ms),
        "again": announcement.again,
    }
    # Most have none of these.
    if announcement.language:
        told["language"] = announcement.language
    if announcement.texts:
        told["texts"] = announcement.texts
    if meant := conditions(announcement.audience):
        told["audience"] = meant
    if announcement.test:
        told["test"] = True
    return told


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
        language=announcement.language,
        texts=announcement.texts,
        audience=announcement.audience,
        test=announcement.test,
        starts_at=_moment(announcement.starts_ms),
        published_at=_moment(announcement.published_ms),
        updated_at=rfc3339(announcement.updated_ms),
        expires_at=_moment(announcement.expires_ms or announcement.ends_ms),
        expires_in=announcement.expires_in,
        again=announcement.again,
        reason=announcement.reason,
        author=announcement.author,
        author_name=announcement.author_name,
        approvals=[
            ApprovalForEditors(owner=one.owner, name=one.name, at=rfc3339(one.at_ms)) for one in announcement.approvals
        ],
        late_seconds=announcement.late_ms / 1000,
        cap=announcement.cap,
        version=announcement.version,
    )


def _moment(milliseconds: int) -> str | None:
    return rfc3339(milliseconds) if milliseconds else None
