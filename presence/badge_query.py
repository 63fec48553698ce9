"""What a badge is asked to look like: the query of ``/badge/{site}.svg`` and ``.png``, checked.

Every parameter is checked by itself, and a wrong one refused by name: a badge stands in pages and mails where nobody
sees a warning. Parameters that are not ours are passed over, since mail tools and caches add their own; they neither
change the picture nor make another of it.

Pure.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from presence.colours import Colour, parse
from presence.parameters import Refused, one_of, ours
from presence.scope_query import PARAMETERS, Scope, scoped
from presence.typeface import typeface

Style: TypeAlias = Literal["flat", "pill", "plain", "counter"]
Language: TypeAlias = Literal["vi", "en"]

STYLES: tuple[Style, ...] = ("flat", "pill", "plain", "counter")
TEXT_CHARACTERS = 80
COLOUR_CHARACTERS = 24

WORDS: dict[Language, dict[Scope, dict[str, str]]] = {
    "vi": {
        "site": {"one": "# người đang online", "other": "# người đang online"},
        "section": {"one": "# người đang đọc mục này", "other": "# người đang đọc mục này"},
        "page": {"one": "# người đang đọc bài này", "other": "# người đang đọc bài này"},
    },
    "en": {
        "site": {"one": "# reader online", "other": "# readers online"},
        "section": {"one": "# reader in this section", "other": "# readers in this section"},
        "page": {"one": "# reader on this page", "other": "# readers on this page"},
    },
}


class Look(NamedTuple):
    """How a badge looks; two requests for the same look are answered by one picture.

    Attributes:
        style: Its build.
        language: Of its words, and in which the number is written.
        text: Its words with ``#`` for the number; empty: those of the language.
        color: Of the number, or None for the style's own.
        background: Behind it, or None for the style's own.
        scale: Pixels of the picture to one of the page; 1 for a drawing, which has none.
        scope: Whose readers it shows.
        place: The section or the path of the page whose readers these are; empty for the site's.
    """

    style: Style
    language: Language
    text: str
    color: Colour | None
    background: Colour | None
    scale: int
    scope: Scope = "site"
    place: str = ""

    def words(self, form: str) -> str:
        """The words for a number of the plural `form`, ``one`` or ``other``."""
        return self.text or WORDS[self.language][self.scope][form]


def look(pairs: Iterable[tuple[str, str]], usual: Language, *, pixels: bool) -> Look:
    """Reads a query.

    Args:
        pairs: Its parameters, decoded.
        usual: The site's language, for a badge that names none.
        pixels: Whether it is a picture of pixels, which has a scale.

    Raises:
        Refused: A parameter is wrong.
    """
    names = {"style", "lang", "text", "color", "background", *PARAMETERS} | ({"scale"} if pixels else set())
    given = ours(pairs, names)
    asked = scoped(given)
    return Look(
        style=one_of("style", given.get("style", "flat"), STYLES),
        language=one_of("lang", given.get("lang", usual), tuple(WORDS)),
        text=_text(given["text"]) if "text" in given else "",
        color=_colour("color", given),
        background=_colour("background", given),
        scale=int(one_of("scale", given.get("scale", "2" if pixels else "1"), ("1", "2", "3"))),
        scope=asked.scope,
        place=asked.place,
    )


def _text(value: str) -> str:
    # The font has a letter with its accents as one, and our widths know no other.
    value = unicodedata.normalize("NFC", value)
    if len(value) > TEXT_CHARACTERS:
        raise Refused("text", f"It has at most {TEXT_CHARACTERS} characters.")
    if value.count("#") != 1:
        raise Refused("text", "It has one # for the number, written %23 in an address.")
    if strange := typeface("Regular").missing(value):
        raise Refused("text", f"The character U+{ord(strange):04X} in it cannot be drawn.")
    return value


def _colour(name: str, given: dict[str, str]) -> Colour | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        if len(value) > COLOUR_CHARACTERS:
            raise ValueError(name)
        return parse(value)
    except ValueError:
        raise Refused(name, "It is a colour such as 0a7, 00aa77, 00aa77cc, teal or transparent.") from None
