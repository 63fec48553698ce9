"""The form an announcement is written with: read into the document the API takes, and filled from what there is.

There is one set of rules for what an announcement may consist of, ``notifications/validation.py``. A form becomes a
JSON document, and what is wrong with that, named by JSON pointers, is led back to the fields of the form.

Times are read as the clock on the first site's wall shows them; the form says which that is.

No I/O and no clock: what time it is, is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from gateway.instants import rfc3339
from notifications import instants, validation
from notifications.announcement import MAX_LANGUAGES, SEVERITIES, Announcement, Audience, Draft, Text
from notifications.console.form import Form
from notifications.errors import Invalid, WrongField

# The text itself, and as many further languages as there may be.
ROWS = MAX_LANGUAGES + 1
#: For how long, in seconds; besides until a moment, and, of what is live, as long as it was to.
LASTING = (1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 3 * 86_400, 7 * 86_400)
UNTIL, KEEP = "until", "keep"
_PARTS = ("language", "title", "body", "url")
_SEPARATORS = re.compile(r"[\s,;]+")


class Row(NamedTuple):
    """The text in one language as it stands in the form; `number` is part of the fields' names."""

    number: int
    language: str
    title: str
    body: str
    url: str

    @property
    def blank(self) -> bool:
        """Nothing was written into it."""
        return not (self.title.strip() or self.body.strip() or self.url.strip())


def rows(form: Form) -> list[Row]:
    """The texts in the form, the announcement's own first."""
    numbers = [number for number in range(ROWS) if number == 0 or form.has(f"language-{number}")]
    return [Row(number, *(form.get(f"{part}-{number}") for part in _PARTS)) for number in numbers]


def with_row(form: Form) -> Form:
    """The form with one more text, empty; as it is, if there are as many as may be."""
    taken = {row.number for row in rows(form)}
    free = next((number for number in range(1, ROWS) if number not in taken), None)
    return form if free is None else Form([*pairs(form), (f"language-{free}", "")])


def without_row(form: Form, number: int) -> Form:
    """The form without one of its texts; the announcement's own stays."""
    gone = {f"{part}-{number}" for part in _PARTS} if number else set()
    return Form([(name, value) for name, value in pairs(form) if name not in gone])


def pairs(form: Form) -> list[tuple[str, str]]:
    """All fields with their values."""
    return [(name, value) for name in form.names() for value in form.all(name)]


def zone_of(sites: Iterable[str], bounds: validation.Bounds) -> str:
    """By whose clock times are meant: the first site's."""
    return next((bounds.zones[site] for site in sites if site in bounds.zones), "UTC")


def document(form: Form, bounds: validation.Bounds, *, live: bool = False) -> dict[str, Any]:
    """The document that the form stands for.

    Args:
        form: As it was sent.
        bounds: The sites' time zones.
        live: It corrects what readers see, of which the sites, the start, and whether it is a test, are fixed.

    Raises:
        Invalid: Two texts are in one language, which a document cannot say.
    """
    own, *further = rows(form)
    texts = {row.language: {"title": row.title, "body": row.body, "url": row.url.strip()} for row in further}
    if len(texts) < len(further) or (own.language and own.language in texts):
        raise Invalid([_twice(own, further)])
    sites = form.all("sites")
    zone = zone_of(sites, bounds)
    said: dict[str, Any] = {
        "severity": form.get("severity"),
        "title": own.title,
        "body": own.body,
        "url": own.url.strip(),
        "language": own.language,
        "texts": texts,
        "audience": {
            "sections": _listed(form.get("sections")),
            "paths": [line.strip() for line in form.get("paths").split("\n") if line.strip()],
            "languages": _listed(form.get("languages")),
            "visible": form.has("visible"),
        },
    }
    lasting = form.get("lasting")
    if lasting == UNTIL:
        said["expires_at"] = _moment(form.get("ends_at"), zone)
    elif lasting.isascii() and lasting.isdigit() and len(lasting) < 10:
        said["expires_in"] = int(lasting)
    if live:
        said["show_again"] = form.has("show_again")
    else:
        starts_at = _moment(form.get("starts_at"), zone) if form.get("when") == "later" else None
        said |= {"sites": sites, "test": form.get("test") == "1", "starts_at": starts_at}
    return said


def draft(form: Form, bounds: validation.Bounds) -> Draft:
    """What the form wants written.

    Raises:
        Invalid: With all that is wrong.
    """
    said = document(form, bounds)
    _refuse_times(form, bounds)
    return validation.new({**said, "status": "draft"}, bounds).draft


def change(form: Form, bounds: validation.Bounds, one: Announcement, *, live: bool) -> validation.Update:
    """What the form wants different of `one`.

    Raises:
        Invalid: With all that is wrong.
    """
    said = document(form, bounds, live=live)
    _refuse_times(form, bounds)
    return validation.update(said, bounds, one.sites)


def errors(wrong: Sequence[WrongField], form: Form) -> dict[str, str]:
    """What is wrong, by field of the form; what belongs to none by an empty name."""
    named = {row.language: row.number for row in rows(form)[1:]}
    found: dict[str, str] = {}
    for each in wrong:
        found.setdefault(_field(each.pointer, named), each.detail)
    return found


def filled(one: Announcement | Draft, zone: str, *, live: bool = False) -> Form:
    """The form as it begins for an announcement that there is, or for a copy of it."""
    fields = [("sites", site) for site in one.sites]
    fields += [("severity", one.severity), ("test", "1" if one.test else "")]
    fields += _row(0, one.language, Text(title=one.title, body=one.body, url=one.url))
    for number, (language, text) in enumerate(one.texts.items(), start=1):
        fields += _row(number, language, text)
    fields += _audience(one.audience)
    if one.ends_ms and not live:
        fields += [("lasting", UNTIL), ("ends_at", local(one.ends_ms, zone))]
    else:
        fields += [("lasting", KEEP if live else str(one.expires_in))]
    later = bool(one.starts_ms) and not live
    fields += [("when", "later" if later else ""), ("starts_at", local(one.starts_ms, zone) if later else "")]
    return Form(fields)


def empty(sites: Sequence[str], expires_in: int) -> Form:
    """The form as it begins; a site that is the only one goes without saying."""
    chosen = [("sites", site) for site in sites[:1]] if len(sites) == 1 else []
    return Form([*chosen, ("severity", ""), ("test", ""), ("language-0", ""), ("lasting", str(expires_in))])


def local(milliseconds: int, zone: str) -> str:
    """A moment as a field for date and time takes it: by the clock of `zone`, to the minute if that says it all."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC).astimezone(ZoneInfo(zone))
    return moment.strftime("%Y-%m-%dT%H:%M" if moment.second == 0 else "%Y-%m-%dT%H:%M:%S")


def preview(form: Form) -> Mapping[str, Any]:
    """What the banner is to show of the form as it stands, valid or not."""
    return {
        "severity": form.get("severity") if form.get("severity") in SEVERITIES else "info",
        "test": form.get("test") == "1",
        "texts": [
            {"language": row.language, "title": row.title, "body": row.body, "url": row.url} for row in rows(form)
        ],
    }


def _listed(text: str) -> list[str]:
    return [name for name in _SEPARATORS.split(text) if name]


def _row(number: int, language: str, text: Text) -> list[tuple[str, str]]:
    values = (language, text.title, text.body, text.url)
    return [(f"{part}-{number}", value) for part, value in zip(_PARTS, values, strict=True)]


def _audience(audience: Audience) -> list[tuple[str, str]]:
    fields = [("sections", ", ".join(audience.sections)), ("paths", "\n".join(audience.paths))]
    fields += [("languages", ", ".join(audience.languages))]
    return [*fields, ("visible", "1")] if audience.visible else fields


def _moment(text: str, zone: str) -> str:
    """A time with its offset; what is none stays, to be refused by its own name."""
    try:
        return rfc3339(instants.parsed(text, zone)) if text else ""
    except ValueError:
        return text


def _refuse_times(form: Form, bounds: validation.Bounds) -> None:
    """What the API may be asked for and a person cannot mean: a time that was left out, or lies in the past."""
    wrong = []
    zone = zone_of(form.all("sites"), bounds)
    for wanted, field, name in (
        (form.get("when") == "later", "starts_at", "starts_at"),
        (form.get("lasting") == UNTIL, "ends_at", "expires_at"),
    ):
        if not wanted:
            continue
        text = form.get(field)
        if not text:
            wrong.append(WrongField(name, f"/{name}", "is missing"))
            continue
        try:
            if instants.parsed(text, zone) < bounds.now_ms:
                wrong.append(WrongField(name, f"/{name}", "has passed"))
        except ValueError as error:
            wrong.append(WrongField(name, f"/{name}", str(error)))
    if wrong:
        raise Invalid(wrong)


def _twice(own: Row, further: Sequence[Row]) -> WrongField:
    seen = {own.language} if own.language else set()
    for row in further:
        if row.language in seen:
            return WrongField("texts", f"/language-{row.number}", "this language is there twice")
        seen.add(row.language)
    raise AssertionError("no language is there twice")


def _field(pointer: str, named: Mapping[str, int]) -> str:  # noqa: PLR0911  a line for each kind of pointer
    _, *steps = pointer.split("/")
    match steps:
        case ["texts", language, part]:
            return f"{part}-{named.get(language, 0)}"
        case ["texts", language]:
            return f"language-{named.get(language, 0)}"
        case ["audience"]:
            return "paths"
        case ["texts"]:
            return "body-0"
        case ["audience", part, *_]:
            return part
        case [("title" | "body" | "url" | "language") as part]:
            return f"{part}-0"
        case ["expires_at"]:
            return "ends_at"
        case ["expires_in"]:
            return "lasting"
        case [first, *_]:
            return first
        case _:
            return ""
