"""Characters that plain text must not contain, since they change how the text around them reads.

Control characters; the marks, embeddings, overrides and isolates of the bidirectional algorithm (Unicode Standard
Annex 9, "Directional Formatting Characters"), with which a title can be made to read as its opposite; halves of
surrogate pairs, which are no characters and cannot be encoded.

Pure.
"""

from __future__ import annotations

import re
import unicodedata

_FORBIDDEN = re.compile(
    "(?P<control>[\x00-\x1f\x7f-\x9f\u2028\u2029])"
    "|(?P<bidi>[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])"
    "|(?P<surrogate>[\ud800-\udfff])"
)
_NAMES = {
    "control": "control characters",
    "bidi": "characters that change the direction of the text",
    "surrogate": "half of a surrogate pair",
}


def forbidden(text: str, *, line_breaks: bool = False) -> str:
    """The name and code point of the first character `text` must not contain; empty if there is none.

    Args:
        text: What to look through.
        line_breaks: Whether U+000A is allowed.
    """
    for found in _FORBIDDEN.finditer(text):
        if line_breaks and found[0] == "\n":
            continue
        return f"{_NAMES[str(found.lastgroup)]} (U+{ord(found[0]):04X})"
    return ""


def visible(text: str) -> bool:
    """Whether there is anything to be seen: not only spaces and zero-width characters."""
    return any(unicodedata.category(character)[0] not in "CZ" for character in text)
