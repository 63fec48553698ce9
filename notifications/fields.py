"""Takes a decoded JSON document apart, field by field, and remembers everything that is wrong with it.

Text is put into Unicode's NFC form and trimmed before it is measured, in characters, so that Vietnamese typed with
combining marks is as long as it looks. A wrong field is returned as if it were unset.

Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import TypeVar

from msgspec import UNSET, UnsetType

from notifications.announcement import (
    MAX_BODY,
    MAX_GLOB,
    MAX_LANGUAGES,
    MAX_PATHS,
    MAX_SECTIONS,
    MAX_STARS,
    MAX_TITLE,
    SEVERITIES,
    Audience,
    Severity,
    Text,
)
from notifications.characters import forbidden, visible
from notifications.errors import Invalid, WrongField
from notifications.links import fault

T = TypeVar("T")
Word = TypeVar("Word", bound=str)

AUDIENCE_FIELDS = ("sections", "paths", "languages", "visible")
TEXT_FIELDS = ("title", "body", "url")
MOST_SITES = 1_000
LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)
SECTION = re.compile(r"[\w-]{1,64}")
# A run of stars is taken whole, so that there is one way to read a glob, however many it has.
GLOB = re.compile(rf"(?!.{{{MAX_GLOB + 1}}})/(?:[^?#\s*]*\*+(?!\*)){{0,{MAX_STARS}}}[^?#\s*]*")
GLOB_NAME = f"a path that begins with /, at most {MAX_GLOB} characters with at most {MAX_STARS} stars (** is one)"
_SHOWN = 40


class Fields:
    """A document, or an object inside one.

    Args:
        document: Whatever was sent.
        known: The fields there are.
        required: Those that must be there.
        inside: Where it stands in a larger document, whose `wrong` it then adds to.

    Attributes:
        wrong: All that is wrong.
    """

    def __init__(
        self,
        document: object,
        known: Collection[str],
        required: Collection[str] = (),
        *,
        inside: tuple[str, ...] = (),
        wrong: list[WrongField] | None = None,
    ) -> None:
        self.wrong: list[WrongField] = [] if wrong is None else wrong
        self._inside = inside
        self._document: Mapping[str, object] = {}
        if not isinstance(document, Mapping):
            if not inside:
                raise Invalid([WrongField("", "", "must be a JSON object")])
            self.wrong.append(_wrong(inside, "must be an object"))
            return
        self._document = document
        for name in document:
            if name not in known:
                shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
                self.refuse(name, f"{shown!r} is not known here; there are: {', '.join(known)}")
        for name in required:
            if name not in document:
                self.refuse(name, "is missing")

    def refuse(self, field: str, detail: str, *inside: int | str) -> None:
        """Something is wrong with `field`, or with what stands inside it."""
        self.wrong.append(_wrong((*self._inside, field, *map(str, inside)), detail))

    def finish(self) -> None:
        """Raises Invalid if anything was wrong."""
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

    def has(self, field: str) -> bool:
        """Whether it was sent."""
        return field in self._document

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
        return self.choice("severity", SEVERITIES)

    def revision(self) -> int | None:
        revision = self.whole("revision", 1, 2**53 - 1, "a revision, a whole number")
        return revision if isinstance(revision, int) else None

    def flag(self, field: str) -> bool:
        return self.optional_flag(field) is True

    def optional_flag(self, field: str) -> bool | UnsetType:
        return self._typed(field, bool, "true or false")

    def instant(self, field: str) -> str | UnsetType | None:
        """A moment as text; None for null."""
        if self._document.get(field, UNSET) is None:
            return None
        return self._typed(field, str, "a time such as 2026-11-27T08:00:00+07:00")

    def choice(self, field: str, among: Collection[Word]) -> Word | UnsetType:
        """One of several words."""
        value = self._typed(field, str, f"one of {', '.join(among)}")
        for word in among:
            if word == value:
                return word
        if value is not UNSET:
            self.refuse(field, f"must be one of {', '.join(among)}")
        return UNSET

    def language(self) -> str | UnsetType:
        """A primary subtag of BCP 47, or nothing."""
        value = self._typed("language", str, "a language such as vi")
        if isinstance(value, str) and value and LANGUAGE.fullmatch(value) is None:
            self.refuse("language", "must be a language as two or three small letters, such as vi")
            return UNSET
        return value

    def texts(self) -> dict[str, Text] | UnsetType:
        """The text in further languages."""
        value = self._typed("texts", dict, "an object with a text for each language")
        if not isinstance(value, dict):
            return UNSET
        before = len(self.wrong)
        if len(value) > MAX_LANGUAGES:
            self.refuse("texts", f"has {len(value)} languages; at most {MAX_LANGUAGES} are allowed")
            return UNSET
        found = {}
        for language, document in value.items():
            if LANGUAGE.fullmatch(language) is None:
                self.refuse("texts", "must be a language as two or three small letters, such as en", language)
                continue
            inner = Fields(
                document, TEXT_FIELDS, ("title",), inside=(*self._inside, "texts", language), wrong=self.wrong
            )
            parts = {"title": inner.title(), "body": inner.body(), "url": inner.url()}
            if all(isinstance(part, str) or part is UNSET for part in parts.values()) and len(self.wrong) == before:
                found[language] = Text(**{name: part for name, part in parts.items() if isinstance(part, str)})
        return UNSET if len(self.wrong) > before else found

    def audience(self) -> Audience | UnsetType:
        """Which pages are meant."""
        value = self._document.get("audience", UNSET)
        if value is UNSET:
            return UNSET
        before = len(self.wrong)
        inner = Fields(value, AUDIENCE_FIELDS, inside=(*self._inside, "audience"), wrong=self.wrong)
        sections = inner.names("sections", SECTION, MAX_SECTIONS, "letters, digits, - and _, at most 64")
        paths = inner.names("paths", GLOB, MAX_PATHS, GLOB_NAME)
        languages = inner.names("languages", LANGUAGE, MAX_LANGUAGES, "a language such as vi")
        visible = inner.flag("visible")
        if len(self.wrong) > before:
            return UNSET
        return Audience(sections=sections, paths=paths, languages=languages, visible=visible)

    def names(self, field: str, form: re.Pattern[str], most: int, called: str) -> tuple[str, ...]:
        """A list of names of a form, each once."""
        value = self._typed(field, list, "a list")
        if not isinstance(value, list):
            return ()
        if len(value) > most:
            self.refuse(field, f"has {len(value)} entries; at most {most} are allowed")
            return ()
        for place, name in enumerate(value):
            if not isinstance(name, str) or form.fullmatch(name) is None or forbidden(name, line_breaks=False):
                self.refuse(field, f"must be {called}", place)
        return tuple(dict.fromkeys(name for name in value if isinstance(name, str)))

    def whole(self, field: str, least: int, most: int, name: str) -> int | UnsetType:
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


def _wrong(steps: tuple[str, ...], detail: str) -> WrongField:
    pointer = "/" + "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
    # Names of unknown fields come from the client; no half surrogate may get into an answer.
    return WrongField(*(_printable(text) for text in (steps[0], pointer, detail)))


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
