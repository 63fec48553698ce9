"""Characters that plain text must not contain, and characters that nobody sees.

Forbidden, since they change how the text around them reads: control characters; the marks, embeddings, overrides and
isolates of the bidirectional algorithm (Unicode Standard Annex 9, "Directional Formatting Characters"), with which a
title can be made to read as its opposite; deprecated format characters and interlinear annotations (The Unicode
Standard, 23.3 and 23.8); tag characters, except where they make the flag of a region (Unicode Technical Standard 51,
"Emoji Tag Sequences"), for they carry text that only programs read; halves of surrogate pairs, which are no characters
and cannot be encoded.

Unseen, but allowed beside others: what Unicode calls ``Default_Ignorable_Code_Point``, among it the zero-width joiner
and the variation selectors that emoji are made with.

Pure.
"""

from __future__ import annotations

import re
import unicodedata

_FORBIDDEN = re.compile(
    "(?P<flag>\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,7}\U000e007f)"
    "|(?P<control>[\x00-\x1f\x7f-\x9f\u2028\u2029])"
    "|(?P<bidi>[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])"
    "|(?P<format>[\u206a-\u206f\ufff9-\ufffb])"
    "|(?P<tag>[\U000e0000-\U000e007f])"
    "|(?P<surrogate>[\ud800-\udfff])"
)
_NAMES = {
    "control": "control characters",
    "bidi": "characters that change the direction of the text",
    "format": "format characters that change how the text is shown",
    "tag": "tag characters outside the flag of a region",
    "surrogate": "half of a surrogate pair",
}

# Default_Ignorable_Code_Point of DerivedCoreProperties.txt, as of Unicode 14, which also names what is still reserved
# for such characters. Python knows categories, but not this property.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Symbols by their category, and nothing by their looks: the Braille pattern without dots, the notehead without a head.
_BLANK = "\u2800\U0001d159"


def forbidden(text: str, *, line_breaks: bool = False) -> str:
    """The name and code point of the first character `text` must not contain; empty if there is none.

    Args:
        text: What to look through.
        line_breaks: Whether U+000A is allowed.
    """
    for found in _FORBIDDEN.finditer(text):
        if found.lastgroup == "flag" or (line_breaks and found[0] == "\n"):
            continue
        return f"{_NAMES[str(found.lastgroup)]} (U+{ord(found[0]):04X})"
    return ""


def cleaned(text: str, *, line_breaks: bool = False) -> str:
    """`text` without the characters that `forbidden` would find in it."""

    def keep(found: re.Match[str]) -> str:
        return found[0] if found.lastgroup == "flag" or (line_breaks and found[0] == "\n") else ""

    return _FORBIDDEN.sub(keep, text)


def unseen(text: str) -> str:
    """The name and code point of the first format or ignorable character of `text`; empty if there is none."""
    for character in text:
        if _IGNORABLE.match(character) or unicodedata.category(character) == "Cf":
            return f"invisible characters (U+{ord(character):04X})"
    return ""


def visible(text: str) -> bool:
    """Whether there is anything to be seen: not only spaces, ignorable characters and blank ones."""
    return any(_seen(character) for character in text)


def _seen(character: str) -> bool:
    if character in _BLANK or _IGNORABLE.match(character):
        return False
    category = unicodedata.category(character)
    # What Python does not know yet is most likely an emoji of this year's, which browsers do know.
    return category == "Cn" or category[0] not in "CZ"
