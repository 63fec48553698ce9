"""What we make of a CAP message: a new announcement, another text of one, its end, or nothing.

Rules:

1. Only what is Public becomes an announcement. What is Restricted or Private would be told to everybody.
2. System messages, Ack and Error are between machines; a Draft of an update or a cancellation changes nothing.
3. What was told in earnest is not changed by a test, nor the other way round: see ``notifications/cap/intake.py``.
4. A warning comes before what it warns of: `effective` says from when on it is to be told, `onset` delays nothing.
5. Of several infos in one language the most urgent counts, of equal ones the first. The site's language is the main one
   if the message has it, else that of its first info.
6. What is too long is cut at a word and ends with …; what to do (`instruction`) is kept before what is the case.
7. What may not stand in an announcement (control characters, those that turn the direction of the text) is left out,
   and a link that we would not take from an editor: a warning is not refused for these.

Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from notifications.announcement import (
    MAX_BODY,
    MAX_LANGUAGES,
    MAX_PATHS,
    MAX_SECTIONS,
    MAX_TITLE,
    MIN_EXPIRY_SECONDS,
    SEVERITIES,
    Audience,
    Cap,
    Draft,
    Text,
)
from notifications.cap.message import Info, Message
from notifications.cap.urgency import Words, ours
from notifications.characters import cleaned, forbidden, visible
from notifications.fields import GLOB, LANGUAGE
from notifications.fields import SECTION as SECTION_NAME
from notifications.instants import FARTHEST_DAYS
from notifications.links import fault

SECTION = "loa:section"
PATH = "loa:path"

# Of what is kept of a message; a name may be long, an announcement is sent about.
MAX_WORD = 200
MOST_AREAS = 50
MAX_NOTE = 500
MAX_REFERENCES = 2_000

# Begins where blanks begin: a long run of them without a break would be tried from each of them otherwise.
_LINE = re.compile(r"(?<![ \t])[ \t]*[\r\n\t\f\v\x85\u2028\u2029][\s\x85]*")
_LEAST_INSTRUCTION = MAX_BODY * 2 // 5

Act = Literal["create", "change", "withdraw", "ignore"]
Then = Literal["live", "scheduled", "draft"]


class Plan(Struct, frozen=True, kw_only=True):
    """What is to be done.

    Attributes:
        act: Which of these.
        why: Of what is withdrawn or ignored: for which reason.
        then: What a new announcement becomes first.
        draft: What it says, or is to say.
        test: It is a test, and concerns tests alone.
        notes: What of the message is not in it.
    """

    act: Act
    why: str = ""
    then: Then = "live"
    draft: Draft | None = None
    test: bool = False
    notes: tuple[str, ...] = ()


class Bounds(Struct, frozen=True):
    """What the deployment allows: see ``NotificationsSettings``."""

    default_expiry_seconds: int
    max_expiry_seconds: int


def plan(message: Message, site: str, language: str, bounds: Bounds, now_ms: int) -> Plan:
    """What to do about `message` on a site whose pages are in `language`."""
    if why := _not_for_readers(message):
        return Plan(act="ignore", why=why)
    test = message.status in ("Exercise", "Test")
    if message.kind == "Cancel":
        return Plan(act="withdraw", why=_reason(message), test=test)
    if not message.infos:
        return Plan(act="ignore", why="it has no info, so there is nothing to tell")
    current = [info for info in message.infos if not info.expires_ms or info.expires_ms > now_ms]
    if not current:
        if message.kind == "Update":
            return Plan(act="withdraw", why="the update says that it has expired", test=test)
        return Plan(act="ignore", why="it has expired")
    return _Making(message, site, language, bounds, now_ms).plan(current, test)


def _not_for_readers(message: Message) -> str:
    if message.kind in ("Ack", "Error"):
        return f"a message of the type {message.kind} is for whoever sent what it answers"
    if message.status == "System":
        return "a message of the status System is for machines"
    if message.scope != "Public":
        return f"its scope is {message.scope}, and announcements are public"
    if message.status == "Draft" and message.kind != "Alert":
        return f"a Draft of the type {message.kind} changes nothing"
    return ""


def _reason(message: Message) -> str:
    said = next((info.headline or info.description for info in message.infos), "") or message.note
    return cut(_one_line(said), MAX_NOTE) or "cancelled by its sender"


class _Making:
    """One message on one site."""

    def __init__(self, message: Message, site: str, language: str, bounds: Bounds, now_ms: int) -> None:
        self._message = message
        self._site = site
        self._language = language
        self._bounds = bounds
        self._now_ms = now_ms
        self._notes: list[str] = []

    def plan(self, infos: list[Info], test: bool) -> Plan:
        chosen = _by_language(infos)
        language = self._language if self._language in chosen else next(iter(chosen))
        main = chosen.pop(language)
        text = self._text(main, language)
        if text is None:
            return Plan(act="ignore", why="neither its headline nor its event has anything to be seen")
        texts: dict[str, Text] = {}
        for further, info in chosen.items():
            fits = LANGUAGE.fullmatch(further) is not None and len(texts) < MAX_LANGUAGES
            told = self._text(info, further) if fits else None
            if told is None:
                self._notes.append(f"the text in {further} is left out")
            else:
                texts[further] = told
        worst = max((main, *chosen.values()), key=_rank)
        starts_ms = main.effective_ms if main.effective_ms > self._now_ms else 0
        if starts_ms > self._now_ms + FARTHEST_DAYS * 86_400_000:
            return Plan(act="ignore", why=f"it becomes effective in more than {FARTHEST_DAYS} days")
        latest_ms = (starts_ms or self._now_ms) + self._bounds.max_expiry_seconds * 1000
        if main.expires_ms > latest_ms:
            self._notes.append("it is shown for as long as this service allows, which is less than it asks for")
        ends_ms = min(main.expires_ms, latest_ms)
        if ends_ms and starts_ms and ends_ms < starts_ms + MIN_EXPIRY_SECONDS * 1000:
            return Plan(act="ignore", why="it expires before it becomes effective")
        draft = Draft(
            sites=(self._site,),
            severity=ours(_words(worst)),
            title=text.title,
            body=text.body,
            url=text.url,
            # One we have no name for is taken for the site's.
            language=language if LANGUAGE.fullmatch(language) else "",
            texts=texts,
            audience=self._audience(infos),
            test=test,
            expires_in=self._bounds.default_expiry_seconds,
            starts_ms=starts_ms,
            ends_ms=ends_ms,
            cap=self._kept(main, worst),
        )
        return Plan(
            act="change" if self._message.kind == "Update" else "create",
            then="draft" if self._message.status == "Draft" else "scheduled" if starts_ms else "live",
            draft=draft,
            test=test,
            notes=tuple(self._notes),
        )

    def _text(self, info: Info, language: str) -> Text | None:
        whole = _one_line(info.headline)
        whole = whole if visible(whole) else _one_line(info.event)
        if not visible(whole):
            return None
        title = cut(whole, MAX_TITLE)
        said, to_do = _lines(info.description), _lines(info.instruction)
        body = _body(said, to_do)
        if title != whole or len(body) < len(said) + len(to_do):
            self._notes.append(f"the text in {language} is cut: it is longer than an announcement's")
        link = info.web if not info.web or not fault(info.web) else ""
        if link != info.web:
            self._notes.append(f"the link in {language} is left out: it {fault(info.web)}")
        return Text(title=title, body=body, url=link)

    def _audience(self, infos: Iterable[Info]) -> Audience:
        said = dict.fromkeys(pair for info in infos for pair in info.parameters)
        sections = self._named(said, SECTION, SECTION_NAME, MAX_SECTIONS)
        return Audience(sections=sections, paths=self._named(said, PATH, GLOB, MAX_PATHS))

    def _named(self, said: Iterable[tuple[str, str]], name: str, form: re.Pattern[str], most: int) -> tuple[str, ...]:
        """The values of a parameter that can be a section or a glob; what is left out is said."""
        values = [value for one, value in said if one == name and value]
        taken = tuple(value for value in values if form.fullmatch(value) and not forbidden(value))[:most]
        if len(taken) < len(values):
            self._notes.append(f"not all values of {name} are taken")
        return taken

    def _kept(self, main: Info, worst: Info) -> Cap:
        message, words = self._message, _words(worst)
        return Cap(
            identifier=message.identifier,
            sender=message.sender,
            sent=message.sent,
            references=_fitting(message.references),
            urgency=words.urgency,
            severity=words.severity,
            certainty=words.certainty,
            categories=tuple(dict.fromkeys(main.categories)),
            event=cut(_one_line(main.event), MAX_WORD),
            areas=tuple(cut(_one_line(area), MAX_WORD) for area in main.areas if _one_line(area))[:MOST_AREAS],
            incidents=cut(_one_line(message.incidents), MAX_NOTE),
            note=cut(_lines(message.note), MAX_NOTE),
        )


def _by_language(infos: Iterable[Info]) -> dict[str, Info]:
    """The info that counts in each language, by its primary subtag, in their order."""
    chosen: dict[str, Info] = {}
    for info in infos:
        language = info.language.partition("-")[0].lower()
        if language not in chosen or _rank(info) > _rank(chosen[language]):
            chosen[language] = info
    return chosen


def _words(info: Info) -> Words:
    return Words(info.urgency, info.severity, info.certainty)


def _rank(info: Info) -> int:
    return SEVERITIES.index(ours(_words(info)))


def _body(said: str, to_do: str) -> str:
    if said and to_do and len(said) + len(to_do) + 2 > MAX_BODY:
        to_do = cut(to_do, max(_LEAST_INSTRUCTION, MAX_BODY - len(said) - 2))
        said = cut(said, MAX_BODY - len(to_do) - 2)
    return cut("\n\n".join(part for part in (said, to_do) if part), MAX_BODY)


def cut(text: str, most: int) -> str:
    """`text`, cut at a word to `most` characters with a … at its end if it is longer."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    # The last word that is whole; in the middle of one only where it is longer than all there is room for.
    end = len(kept) if text[most - 1].isspace() else max(kept.rfind(" "), kept.rfind("\n"))
    shortened = kept[:end].rstrip() if end >= most // 2 else kept
    return shortened + "…"


def _one_line(text: str) -> str:
    """What may stand in a title: one line, in Unicode's composed form."""
    return _composed(cleaned(_LINE.sub(" ", text))).strip(" ")


def _lines(text: str) -> str:
    """What may stand in a body: lines, trimmed, tabs as spaces."""
    return _composed(cleaned(text.replace("\t", " "), line_breaks=True)).strip(" \n")


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _fitting(references: str) -> str:
    """The last of `references` that fit: whole ones, or none."""
    words = references.split()
    while words and len(" ".join(words)) > MAX_REFERENCES:
        del words[0]
    return " ".join(words)
