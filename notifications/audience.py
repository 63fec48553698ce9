"""Whom an announcement is for: which sites, whether those who want tests, which pages; and which is looked for.

The site and the tests are the server's to decide: it sends to nobody else. Which pages is for each page to decide (see
``docs/decisions/0013-*.md``), so the server turns an :class:`~notifications.announcement.Audience` into *conditions*
that a page only has to test: for each of them a regular expression over one thing the page knows of itself.

Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, TypedDict

from gateway.globs import for_javascript, globs, literal

if TYPE_CHECKING:
    from notifications.announcement import Announcement, Audience


class Conditions(TypedDict, total=False):
    """What a page must meet, as frames say it; a member that is missing asks for nothing.

    Attributes:
        section, path, language: Regular expressions for these of the page, each for the whole of it.
        visible: It must be looked at.
    """

    section: str
    path: str
    language: str
    visible: bool


def includes(announcement: Announcement, site: str) -> bool:
    """Whether it is for readers of `site`."""
    return site in announcement.sites


def on_site(announcements: Iterable[Announcement], site: str, *, tests: bool = False) -> list[Announcement]:
    """Those of `announcements` that are for readers of `site`, in the order they came.

    Args:
        announcements: Among which.
        site: Where the readers are.
        tests: They have asked for tests; without that, none is among the answer.
    """
    return [one for one in announcements if includes(one, site) and (tests or not one.test)]


def mentions(announcement: Announcement, text: str) -> bool:
    """Whether `text` stands in it, in any language, whatever the case and the accents; nothing stands in all."""
    if not text:
        return True
    written = [f"{announcement.title}\n{announcement.body}"]
    written += [f"{one.title}\n{one.body}" for one in announcement.texts.values()]
    return any(_plain(text) in _plain(one) for one in written)


def _plain(text: str) -> str:
    """As one types it in a hurry: `Lũ trên sông Đà` is found by `lu tren song da`."""
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


@lru_cache(256)
def conditions(audience: Audience) -> Conditions:
    """What a page must meet to be of this audience; to be read, not written."""
    told: Conditions = {}
    if audience.sections:
        told["section"] = _one_of(literal(section) for section in audience.sections)
    if audience.paths:
        told["path"] = _one_of(for_javascript(audience.paths))
    if audience.languages:
        told["language"] = _one_of(dict.fromkeys(literal(primary(language)) for language in audience.languages))
    if audience.visible:
        told["visible"] = True
    return told


def matches(audience: Audience, section: str, path: str, language: str) -> bool:
    """Whether a page is of this audience, as a page that is looked at would say itself.

    Args:
        audience: Of the announcement.
        section: The page's, empty if it has none.
        path: The page's, as its browser tells it: percent-encoded.
        language: The page's, any tag of BCP 47.
    """
    if audience.sections and section not in audience.sections:
        return False
    if audience.languages and primary(language) not in map(primary, audience.languages):
        return False
    return not audience.paths or globs(audience.paths)(path)


def primary(language: str) -> str:
    """The primary subtag of a language tag, in lower case: by this, languages are compared."""
    return re.split(r"[-_]", language.strip(), maxsplit=1)[0].lower()


def _one_of(patterns: Iterable[str]) -> str:
    all_of_them = [*patterns]
    if len(all_of_them) == 1:
        return f"^{all_of_them[0]}$"
    return f"^(?:{'|'.join(all_of_them)})$"
