"""From a decoded JSON document to a Draft, a Change or a Recall; every wrong field is named, not only the first.

Text is put into Unicode's NFC form and trimmed before it is measured, in characters, so that Vietnamese typed with
combining marks is as long as it looks. What is accepted is stored as it came out of here.

Pure: which sites exist and how long an announcement may last are arguments.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from typing import NamedTuple, TypeVar

from msgspec import UNSET, UnsetType

from notifications.announcement import (
    MAX_BODY,
    MAX_REASON,
    MAX_TITLE,
    MIN_EXPIRY_SECONDS,
    SEVERITIES,
    Change,
    Draft,
    Severity,
)
from notifications.characters import forbidden, visible
from notifications.errors import Invalid, WrongField
from notifications.links import fault

T = TypeVar("T")

DRAFT_FIELDS = ("sites", "severity", "title", "body", "url", "expires_in")
CHANGE_FIELDS = ("severity", "title", "body", "url", "expires_in", "show_again", "revision")
RECALL_FIELDS = ("reason", "revision")
MOST_SITES = 1_000
_SHOWN = 40


class Bounds(NamedTuple):
    """What the deployment allows: the ids of its sites, and how long announcements last, in seconds."""

    sites: Collection[str]
    default_expiry_seconds: int
    max_expiry_seconds: int


class Update(NamedTuple):
    """A change, and the revision it was made against, None if the editor did not say."""

    change: Change
    revision: int | None


class Recall(NamedTuple):
    """A recall: why, and against which revision, None if the editor did not say."""

    reason: str
    revision: int | None


def draft(document: object, bounds: Bounds) -> Draft:
    """What an editor wants published.

    Raises:
        Invalid: With all that is wrong.
    """
    fields = _Fields(document, DRAFT_FIELDS, required=("sites", "severity", "title"))
    wanted = {
        "sites": fields.sites(bounds.sites),
        "severity": fields.severity(),
        "title": fields.title(),
        "body": fields.body(),
        "url": fields.url(),
        "expires_in": fields.expires_in(bounds),
    }
    fields.finish()
    if wanted["expires_in"] is UNSET:
        wanted["expires_in"] = bounds.default_expiry_seconds
    # Fields that are wrong or missing have raised by now; the optional ones that are unset keep their defaults.
    return Draft(**{name: value for name, value in wanted.items() if value is not UNSET})  # type: ignore[arg-type]


def update(document: object, bounds: Bounds) -> Update:
    """What an editor wants different.

    Raises:
        Invalid: With all that is wrong; also if nothing is to be different.
    """
    fields = _Fields(document, CHANGE_FIELDS)
    change = Change(
        severity=fields.severity(),
        title=fields.title(),
        body=fields.body(),
        url=fields.url(),
        expires_in=fields.expires_in(bounds),
        show_again=fields.flag("show_again"),
    )
    revision = fields.revision()
    fields.finish()
    if change == Change():
        changeable = ", ".join(CHANGE_FIELDS[:-1])
        raise Invalid([WrongField("", "", f"nothing to change: give at least one of {changeable}")])
    return Update(change, revision)


def recall(document: object) -> Recall:
    """Why something is taken back.

    Raises:
        Invalid: With all that is wrong.
    """
    fields = _Fields(document, RECALL_FIELDS)
    reason = fields.text("reason", MAX_REASON, line_breaks=True)
    revision = fields.revision()
    fields.finish()
    return Recall(reason if isinstance(reason, str) else "", revision)


class _Fields:
    """Takes a document apart and remembers what was wrong. A wrong field is returned as if it were unset."""

    def __init__(self, document: object, known: Collection[str], required: Collection[str] = ()) -> None:
        self.wrong: list[WrongField] = []
        if not isinstance(document, Mapping):
            raise Invalid([WrongField("", "", "must be a JSON object")])
        self._document: Mapping[str, object] = document
        for name in document:
            if name not in known:
                shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
                self.refuse(name, f"{shown!r} is not known here; there are: {', '.join(known)}")
        for name in required:
            if name not in document:
                self.refuse(name, "is missing")

    def refuse(self, field: str, detail: str, *inside: int) -> None:
        steps = [field.replace("~", "~0").replace("/", "~1"), *map(str, inside)]
        # Names of unknown fields come from the client; no half surrogate may get into an answer.
        pointer = "/" + "/".join(steps)
        self.wrong.append(WrongField(*(_printable(text) for text in (field, pointer, detail))))

    def finish(self) -> None:
        if self.wrong:
            raise Invalid(self.wrong)

    def _typed(self, field: str, kind: type[T], name: str) -> T | UnsetType:
        value = self._document.get(field, UNSET)
        if value is UNSET:
            return UNSET
        if type(value) is not kind:  # not isinstance: True is no number here
            self.refuse(field, f"must be {name}")
            return UNSET
        return value

    def text(self, field: str, longest: int, *, line_breaks: bool = False) -> str | UnsetType:
        value = self._typed(field, str, "text")
        if not isinstance(value, str):
            return UNSET
        text = unicodedata.normalize("NFC", value.replace("\r\n", "\n")).strip(" \n" if line_breaks else " ")
        if found := forbidden(text, line_breaks=line_breaks):
            self.refuse(field, f"must not contain {found}")
        elif len(text) > longest:
            self.refuse(field, f"has {len(text)} characters; at most {longest} are allowed")
        else:
            return text
        return UNSET

    def title(self) -> str | UnsetType:
        title = self.text("title", MAX_TITLE)
        if isinstance(title, str) and not visible(title):
            self.refuse("title", "must not be empty")
            return UNSET
        return title

    def body(self) -> str | UnsetType:
        return self.text("body", MAX_BODY, line_breaks=True)

    def url(self) -> str | UnsetType:
        link = self._typed("url", str, "text")
        if not isinstance(link, str) or not link:
            return link
        if why := fault(link):
            self.refuse("url", why)
            return UNSET
        return link

    def severity(self) -> Severity | UnsetType:
        value = self._typed("severity", str, f"one of {', '.join(SEVERITIES)}")
        if isinstance(value, str) and value not in SEVERITIES:
            self.refuse("severity", f"must be one of {', '.join(SEVERITIES)}")
            return UNSET
        return value

    def expires_in(self, bounds: Bounds) -> int | UnsetType:
        return self._whole("expires_in", MIN_EXPIRY_SECONDS, bounds.max_expiry_seconds, "seconds, a whole number")

    def revision(self) -> int | None:
        revision = self._whole("revision", 1, 2**53 - 1, "a revision, a whole number")
        return revision if isinstance(revision, int) else None

    def flag(self, field: str) -> bool:
        return self._typed(field, bool, "true or false") is True

    def _whole(self, field: str, least: int, most: int, name: str) -> int | UnsetType:
        value = self._typed(field, int, name)
        if isinstance(value, int) and not least <= value <= most:
            self.refuse(field, f"must be between {least} and {most}")
            return UNSET
        return value

    def sites(self, known: Collection[str]) -> tuple[str, ...] | UnsetType:
        value = self._typed("sites", list, "a list of site ids")
        if not isinstance(value, list):
            return UNSET
        if not 1 <= len(value) <= MOST_SITES:
            self.refuse("sites", f"must name 1 to {MOST_SITES} sites")
            return UNSET
        before = len(self.wrong)
        seen: set[str] = set()
        for place, site in enumerate(value):
            if not isinstance(site, str):
                self.refuse("sites", "must be text", place)
            elif site not in known:
                self.refuse("sites", f"there is no site {site[:_SHOWN]!r}", place)
            elif site in seen:
                self.refuse("sites", f"{site!r} is named twice", place)
            else:
                seen.add(site)
        return UNSET if len(self.wrong) > before else tuple(value)


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
