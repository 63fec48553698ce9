"""Colours as a query names them: hexadecimal or by CSS name (CSS Color Module Level 4, sections 5.2 and 6.1).

Pure.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from PIL import ImageColor

_HEX = re.compile(r"#?(?:[0-9a-f]{3}|[0-9a-f]{4}|[0-9a-f]{6}|[0-9a-f]{8})", re.ASCII)


class Colour(NamedTuple):
    """Red, green, blue and how much it covers, each from 0 to 255."""

    red: int
    green: int
    blue: int
    alpha: int = 255

    @property
    def solid(self) -> str:
        """Without what it covers, ``#rrggbb``."""
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def opacity(self) -> float:
        """How much it covers, from 0 to 1."""
        return round(self.alpha / 255, 3)

    @property
    def luminance(self) -> float:
        """Relative luminance, from 0 for black to 1 for white (WCAG 2.2)."""
        red, green, blue = (_linear(channel / 255) for channel in self[:3])
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(self, other: Colour) -> float:
        """The contrast of both, from 1 to 21 (WCAG 2.2)."""
        darker, lighter = sorted((self.luminance, other.luminance))
        return (lighter + 0.05) / (darker + 0.05)


CLEAR = Colour(0, 0, 0, 0)


def parse(text: str) -> Colour:
    """Reads a colour: ``0a7``, ``#00aa77``, ``00aa77cc``, ``teal`` or ``transparent``.

    Raises:
        ValueError: It is none.
    """
    name = text.lower()
    if name == "transparent":
        return CLEAR
    if name in ImageColor.colormap:
        return Colour(*ImageColor.getrgb(name))
    if _HEX.fullmatch(name) is None:
        raise ValueError(text)
    return Colour(*ImageColor.getrgb("#" + name.removeprefix("#")))


def ink_on(paper: Colour) -> Colour:
    """Black or white, whichever is read better on `paper`; nearly black, which is softer and no harder to read."""
    white, black = Colour(255, 255, 255), Colour(20, 22, 26)
    return max(white, black, key=paper.contrast)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
