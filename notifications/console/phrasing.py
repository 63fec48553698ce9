"""How announcements are spoken of: their states, their urgency, whom they are for, what was done, what is wrong.

English, as everywhere in the code; each text stands in Vietnamese in ``words/announcements.vi.po``.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from babel import Locale, UnknownLocaleError

from notifications.announcement import Audience, Severity, Status
from notifications.console.words import text


class Say(Protocol):
    """Puts a text into the language of a page."""

    def __call__(self, english: str, /, **values: object) -> str: ...


class Meaning(NamedTuple):
    """A name, and what it means to readers or to whoever chooses it."""

    name: str
    meaning: str


# The names are those of the banner.
SEVERITIES: Mapping[Severity, Meaning] = {
    "info": Meaning(text("Information"), text("Good to know. Read out when the screen reader has a pause.")),
    "notice": Meaning(text("Notice"), text("Concerns many readers today: works, closures, deadlines.")),
    "breaking": Meaning(text("Breaking"), text("Has just happened. Interrupts what a screen reader says.")),
    "emergency": Meaning(text("Emergency"), text("Danger to life: act now. Red, above everything else, interrupts.")),
}

STATUSES: Mapping[Status, Meaning] = {
    "draft": Meaning(text("Draft"), text("Not sent. Only people with a role here see it.")),
    "waiting": Meaning(text("Waiting for approval"), text("Somebody else has to approve of it before it goes out.")),
    "approved": Meaning(text("Approved"), text("Ready to be sent or scheduled.")),
    "returned": Meaning(text("Returned"), text("Given back to be changed, with a reason.")),
    "rejected": Meaning(text("Rejected"), text("Refused for good, with a reason.")),
    "discarded": Meaning(text("Discarded"), text("Given up before it was sent.")),
    "scheduled": Meaning(text("Scheduled"), text("Goes live by itself at its time.")),
    "live": Meaning(text("Live"), text("Readers see it now.")),
    "recalled": Meaning(text("Recalled"), text("Taken back; no reader sees it any more.")),
    "missed": Meaning(text("Missed"), text("Its time passed while the service was down; it was not sent.")),
    "expired": Meaning(text("Expired"), text("Its time is over; no reader sees it any more.")),
}

LIVE_TEST = text("Browsers that asked for tests see it now; nobody else does.")

ACTS: Mapping[str, str] = {
    "draft": text("Written"),
    "submit": text("Submitted for approval"),
    "schedule": text("Scheduled"),
    "publish": text("Sent"),
    "edit": text("Edited"),
    "endorse": text("Approved, more approvals needed"),
    "approve": text("Approved"),
    "return": text("Returned"),
    "reject": text("Rejected"),
    "hold": text("Taken off the schedule"),
    "unschedule": text("Taken off the schedule"),
    "send": text("Sent"),
    "start": text("Went live by its schedule"),
    "miss": text("Missed its time"),
    "update": text("Corrected"),
    "recall": text("Recalled"),
    "expire": text("Expired"),
    "discard": text("Discarded"),
    "approve.refused": text("Approval refused"),
}

#: What ``validation.py`` and its like say of fields, as patterns whose groups are the values of the text.
_WRONG: Sequence[tuple[re.Pattern[str], str]] = [
    (re.compile(pattern), said)
    for pattern, said in (
        (r"must not be empty", text("Write something here.")),
        (r"is missing", text("This is missing.")),
        (r"has passed", text("This moment has passed.")),
        (
            r"has (?P<n>\d+) characters; at most (?P<most>\d+) are allowed",
            text("%(n)s characters; at most %(most)s fit."),
        ),
        (r"is longer than (?P<most>\d+) characters", text("Longer than %(most)s characters.")),
        (
            r"has (?P<n>\d+) (?:entries|languages); at most (?P<most>\d+) are allowed",
            text("%(n)s; at most %(most)s go."),
        ),
        (r"must be a language as two or three small letters.*", text("Choose a language.")),
        (r"must be a language such as vi", text("Languages are written as two or three letters: vi, en.")),
        (r"this language is there twice", text("This language is there twice.")),
        (r"must name 1 to \d+ sites", text("Choose at least one site.")),
        (r"must be one of info, notice, breaking, emergency", text("Choose how urgent it is.")),
        (
            r"must be letters, digits, - and _, at most 64",
            text("Sections are words of letters, digits, - and _, of at most 64 characters."),
        ),
        (
            r"must be a path that begins with /, at most (?P<most>\d+) characters with at most (?P<stars>\d+) stars.*",
            text("A path begins with /, has no spaces, ? or #, at most %(most)s characters and %(stars)s stars."),
        ),
        (
            r"makes the announcement (?P<n>[\d,]+) bytes.* at most (?P<most>[\d,]+) are allowed",
            text(
                "Too much for one announcement: %(n)s bytes of %(most)s. "
                "Name fewer or shorter paths, or say it shorter."
            ),
        ),
        (r"must not contain spaces or backslashes", text("No spaces or backslashes may be in a link.")),
        (r"must not contain a user name or password", text("No user name or password may be in a link.")),
        (r"must begin with https:// or http://", text("A link begins with https:// or http://")),
        (
            r"(?:is not a valid link|names no host|has a (?:host|port) that is not valid)",
            text("This is not a valid link."),
        ),
        (r"must not contain (?P<what>.+)", text("Some characters may not be in it: %(what)s.")),
        (r"must (?:be a time such as .*|say the time of the day as well)", text("This is no date and time.")),
        (r"must be within (?P<days>\d+) days", text("At most %(days)s days ahead.")),
        (
            r"must be \d+ seconds to (?P<days>\d+) days after it goes live",
            text("At most %(days)s days after it goes live."),
        ),
        (
            r"must be at least \d+ seconds (?:before it is over|after it goes live); .*",
            text("Nobody would see it: it would be over before it goes live, or at once."),
        ),
        (r"must be between .*", text("Too short or too long.")),
        (r"does not exist in .*", text("On that day the clocks are put forward; this time does not exist.")),
    )
]

# What an editor here is likely to need, those of the region first; any other may be written by the API.
_LANGUAGES = (
    "vi", "en", "zh", "ja", "ko", "km", "lo", "th", "fr", "de", "ru", "es", "id", "ms", "my", "tl", "hi", "ar", "pt",
    "it", "pl", "cs", "uk",
)  # fmt: skip


def wrong(detail: str, say: Say) -> str:
    """What is wrong with a field."""
    for pattern, said in _WRONG:
        if found := pattern.fullmatch(detail):
            return say(said, **found.groupdict())
    return say(detail)


def audience(meant: Audience, say: Say, language: str) -> str:
    """Which pages are meant, as a phrase."""
    parts = []
    if meant.sections:
        one, many = text("pages of the section %(names)s"), text("pages of the sections %(names)s")
        parts.append(say(one if len(meant.sections) == 1 else many, names=_joined(meant.sections)))
    if meant.paths:
        parts.append(say(text("pages at %(names)s"), names=_joined(meant.paths)))
    if meant.languages:
        names = [language_name(each, language) for each in meant.languages]
        parts.append(say(text("pages in %(names)s"), names=_joined(names)))
    if meant.visible:
        parts.append(say(text("only where the page is looked at")))
    return "; ".join(parts) or say(text("every page"))


def _joined(names: Sequence[str]) -> str:
    return ", ".join(names)


def duration(seconds: int, say: Say) -> str:
    """A length of time in its largest whole unit."""
    for unit, one, many in ((86_400, text("1 day"), text("%(n)s days")), (3600, text("1 hour"), text("%(n)s hours"))):
        if seconds >= unit and seconds % unit == 0:
            return say(one) if seconds == unit else say(many, n=seconds // unit)
    if seconds % 60 == 0:
        return say(text("1 minute")) if seconds == 60 else say(text("%(n)s minutes"), n=seconds // 60)
    return say(text("%(n)s seconds"), n=seconds)


def language_name(code: str, language: str) -> str:
    """A language's name in `language`; its code where that has none."""
    if not code:
        return ""
    try:
        name = str(Locale(language).languages.get(code, code))
    except UnknownLocaleError:
        return code
    return name[:1].upper() + name[1:]


def languages(language: str, more: Sequence[str] = ()) -> list[tuple[str, str]]:
    """The languages a text can be in, with their names; `more` are there already."""
    codes = dict.fromkeys([*_LANGUAGES, *(code for code in more if code)])
    return [(code, language_name(code, language)) for code in codes]
