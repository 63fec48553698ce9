"""The letters of badges: one family with every letter of Vietnamese, its widths, and what it cannot write.

Be Vietnam Pro, drawn for Vietnamese, whose accents do not collide. It comes as a package, so that a badge looks the
same on every machine and no font need be installed. Widths are the font's own advances, unhinted and without kerning: a
picture drawn by us has these, and a browser is told them (``textLength``), whatever font it draws with.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib import resources
from io import BytesIO
from typing import Literal, TypeAlias

from fontTools.ttLib import TTFont
from PIL import ImageFont

Weight: TypeAlias = Literal["Regular", "SemiBold"]

FAMILY = "Be Vietnam Pro"
# Heights over the base line, in ems; a test holds them to the font.
CAPITAL = 0.74

_SIZES = 32


class Typeface:
    """One weight of the family."""

    def __init__(self, weight: Weight) -> None:
        name = f"{FAMILY.replace(' ', '')}-{weight}.ttf"
        self._file = resources.files("fontpkg_be_vietnam_pro").joinpath("files", name).read_bytes()
        with TTFont(BytesIO(self._file), lazy=True) as font:
            em = font["head"].unitsPerEm
            advances = font["hmtx"].metrics
            self._advances: dict[str, float] = {
                chr(code): advances[glyph][0] / em for code, glyph in font.getBestCmap().items()
            }
        self.at = lru_cache(_SIZES)(self._at)

    def missing(self, text: str) -> str:
        """The first character of `text` that the font cannot write or that does not show; empty if there is none."""
        for character in text:
            if character not in self._advances or unicodedata.category(character)[0] == "C":
                return character
        return ""

    def width(self, text: str, size: float) -> float:
        """How wide `text` is at `size`, in the same unit.

        Raises:
            KeyError: The font cannot write it; see `missing`.
        """
        return size * sum(self._advances[character] for character in text)

    def _at(self, pixels: int) -> ImageFont.FreeTypeFont:
        """The font to draw with, an em of so many pixels. Not to be used by two threads at once."""
        return ImageFont.truetype(BytesIO(self._file), pixels, layout_engine=ImageFont.Layout.BASIC)


@lru_cache
def typeface(weight: Weight) -> Typeface:
    """The typeface, read from its file once."""
    return Typeface(weight)
