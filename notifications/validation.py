"""From a decoded JSON document to a Draft, a Change or a Recall; every wrong field is named, not only the first.

What is accepted is stored as it came out of here.

Pure: which sites exist, how long an announcement may last and what time it is are arguments.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from msgspec import UNSET, UnsetType

from gateway.sites import Sites
from notifications import instants
from notifications.announcement import MAX_REASON, MIN_EXPIRY_SECONDS, Change, Draft
from notifications.errors import Invalid, WrongField
from notifications.fields import MOST_SITES, Fields
from notifications.settings import NotificationsSettings

__all__ = ["MOST_SITES", "Beginning", "Bounds", "Recall", "Update", "draft", "recall", "update"]

#: What a new announcement begins as: sent at once, or the first step of another way.
Beginning: TypeAlias = Literal["live", "draft", "waiting", "scheduled"]
BEGINNINGS: tuple[Beginning, ...] = ("live", "draft", "waiting", "scheduled")

_ON_ITS_WAY_MS = 60_000
_TEXT = ("severity", "title", "body", "url", "language", "texts", "audience", "test")
_TIMES = ("expires_in", "expires_at", "starts_at")
DRAFT_FIELDS = ("sites", *_TEXT, *_TIMES, "status")
CHANGE_FIELDS = ("sites", *_TEXT, *_TIMES, "show_again", "revision")
RECALL_FIELDS = ("reason", "revision")
SCHEDULE_FIELDS = ("starts_at", "revision")


class Bounds(NamedTuple):
    """What the deployment allows.

    Attributes:
        sites: The ids of its sites.
        default_expiry_seconds, max_expiry_seconds: How long announcements last.
        zones: The time zone of each site, by its IANA name; a time without an offset is meant so.
        now_ms: The time; 0 where none is looked at.
    """

    sites: Collection[str]
    default_expiry_seconds: int
    max_expiry_seconds: int
    zones: Mapping[str, str] = {}
    now_ms: int = 0


def bounds(sites: Sites, settings: NotificationsSettings, now_ms: int) -> Bounds:
    """What a deployment with `sites` and `settings` allows now."""
    zones = {id: site.timezone for id, site in sites.items()}
    return Bounds(sites.keys(), settings.default_expiry_seconds, settings.max_expiry_seconds, zones, now_ms)


class New(NamedTuple):
    """What an editor wants written, and what it is to begin as."""

    draft: Draft
    then: Beginning


class Update(NamedTuple):
    """A change, and the revision it was made against, None if the editor did not say."""

    change: Change
    revision: int | None


class Recall(NamedTuple):
    """A recall: why, and against which revision, None if the editor did not say."""

    reason: str
    revision: int | None


def draft(document: object, bounds: Bounds) -> Draft:
    """What an editor wants published; see `new`."""
    return new(document, bounds).draft


def new(document: object, bounds: Bounds) -> New:
    """What an editor wants written or published.

    Raises:
        Invalid: With all that is wrong.
    """
    fields = Fields(document, DRAFT_FIELDS, required=("sites", "severity", "title"))
    sites = fields.sites(bounds.sites)
    status = fields.choice("status", BEGINNINGS)
    then: Beginning = "live" if isinstance(status, UnsetType) else status
    wanted = {"sites": sites, **_text(fields), **_times(fields, bounds, sites)}
    # Null says nothing; a time that is wrong has been refused.
    starts_ms = wanted["starts_ms"] if fields.has("starts_at") else 0
    if then == "scheduled" and starts_ms == 0:
        fields.refuse("starts_at", "is missing: say when it is to go live")
    elif then == "live" and starts_ms != 0:
        fields.refuse("starts_at", "goes with status scheduled, draft or waiting, not with one that is sent now")
    fields.finish()
    # Fields that are wrong or missing have raised by now; the optional ones that are unset keep their defaults.
    wanted = {name: value for name, value in wanted.items() if value is not UNSET}
    return New(Draft(**{"expires_in": bounds.default_expiry_seconds, **wanted}), then)


def update(document: object, bounds: Bounds, sites: Collection[str] = ()) -> Update:
    """What an editor wants different.

    Args:
        document: What was sent.
        bounds: What is allowed.
        sites: Those of the announcement, for times without an offset.

    Raises:
        Invalid: With all that is wrong; also if nothing is to be different.
    """
    fields = Fields(document, CHANGE_FIELDS)
    wanted_sites = fields.sites(bounds.sites)
    change = Change(
        sites=wanted_sites,
        **_text(fields),
        **_times(fields, bounds, sites if wanted_sites is UNSET else wanted_sites),
        show_again=fields.flag("show_again"),
    )
    revision = fields.revision()
    fields.finish()
    if change == Change():
        changeable = ", ".join(CHANGE_FIELDS[:-1])
        raise Invalid([WrongField("", "", f"nothing to change: give at least one of {changeable}")])
    return Update(change, revision)


def recall(document: object, *, why: bool = False) -> Recall:
    """Why something is taken back, sent back or given up.

    Args:
        document: What was sent.
        why: Whether a reason must be given.

    Raises:
        Invalid: With all that is wrong.
    """
    fields = Fields(document, RECALL_FIELDS, required=("reason",) if why else ())
    reason = fields.text("reason", MAX_REASON, line_breaks=True)
    if why and reason == "":
        fields.refuse("reason", "must not be empty")
    revision = fields.revision()
    fields.finish()
    return Recall(reason if isinstance(reason, str) else "", revision)


def schedule(document: object, bounds: Bounds, sites: Collection[str]) -> tuple[int, int | None]:
    """When something is to go live, in ms, and against which revision; `sites` for a time without an offset.

    Raises:
        Invalid: With all that is wrong.
    """
    fields = Fields(document, SCHEDULE_FIELDS, required=("starts_at",))
    starts_ms = _start(fields, bounds, sites)
    revision = fields.revision()
    fields.finish()
    return (starts_ms if isinstance(starts_ms, int) else 0), revision


def _text(fields: Fields) -> dict[str, Any]:
    return {
        "severity": fields.severity(),
        "title": fields.title(),
        "body": fields.body(),
        "url": fields.url(),
        "language": fields.language(),
        "texts": fields.texts(),
        "audience": fields.audience(),
        "test": fields.optional_flag("test"),
    }


def _times(fields: Fields, bounds: Bounds, sites: Collection[str] | UnsetType) -> dict[str, Any]:
    most, least = bounds.max_expiry_seconds, MIN_EXPIRY_SECONDS
    expires_in = fields.whole("expires_in", least, most, "seconds, a whole number")
    known = sites if not isinstance(sites, UnsetType) else ()
    starts_ms = _start(fields, bounds, known)
    ends_ms = _instant(fields, "expires_at", bounds, known)
    if fields.has("expires_in") and fields.has("expires_at"):
        fields.refuse("expires_at", "and expires_in say the same; give one of them")
    if isinstance(ends_ms, int) and ends_ms and bounds.now_ms:
        begins_ms = max(bounds.now_ms, starts_ms) if isinstance(starts_ms, int) else bounds.now_ms
        if not begins_ms + least * 1000 <= ends_ms <= begins_ms + most * 1000:
            fields.refuse("expires_at", f"must be {least} seconds to {most // 86_400} days after it goes live")
    return {"expires_in": expires_in, "ends_ms": ends_ms, "starts_ms": starts_ms}


def _start(fields: Fields, bounds: Bounds, sites: Collection[str]) -> int | UnsetType:
    """When it is to go live; what has passed nobody can mean, but the request may have been on its way for a while."""
    starts_ms = _instant(fields, "starts_at", bounds, sites)
    if isinstance(starts_ms, int) and 0 != starts_ms < bounds.now_ms - _ON_ITS_WAY_MS:
        fields.refuse("starts_at", "has passed; leave it out to send it now")
        return UNSET
    return starts_ms


def _instant(fields: Fields, field: str, bounds: Bounds, sites: Collection[str]) -> int | UnsetType:
    """A moment in ms of Unix time; 0 for none, an empty text or null."""
    value = fields.instant(field)
    if not isinstance(value, str):
        return value if value is UNSET else 0
    if not value:
        return 0
    zones = {bounds.zones[site] for site in sites if site in bounds.zones}
    try:
        moment_ms = instants.parsed(value, zones.pop() if len(zones) == 1 else None)
    except ValueError as error:
        fields.refuse(field, str(error))
        return UNSET
    if bounds.now_ms and moment_ms > bounds.now_ms + instants.FARTHEST_DAYS * 86_400_000:
        fields.refuse(field, f"must be within {instants.FARTHEST_DAYS} days")
        return UNSET
    return moment_ms
