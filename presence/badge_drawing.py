"""A badge as boxes, discs and runs of text, at their places: what both the drawing and the picture are made from.

Lengths are in CSS pixels, from the upper left corner. Text stands on its base line and is as wide as the font says, so
that the boxes around it fit. Four builds:

- ``flat``: the number in a coloured field, the words in dark ones beside it;
- ``pill``: a capsule with a dot for "live", the number in bold;
- ``plain``: text alone, for a line of the page's own;
- ``counter``: a field for each digit, as the counters of old had.

A number that is not the present one is muted: its field or its text is grey, its dot a ring. One that is not known is a
dash, never 0.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from presence.badge_query import Look
from presence.colours import CLEAR, Colour, ink_on
from presence.typeface import CAPITAL, Weight, typeface

UNKNOWN = "–"
WIDEST = 1000

_SLATE = Colour(56, 63, 74)
_TEAL = Colour(11, 112, 104)
_GREY = Colour(117, 117, 117)
_WHITE = Colour(255, 255, 255)
_LIVE = Colour(22, 163, 91)
_MIST = Colour(236, 241, 243)
_NIGHT = Colour(46, 53, 64)
# As well read on white as on black, 4.5 to 1 on either: a picture cannot know what it lies on.
_BETWEEN = Colour(118, 118, 118)
# What a drawing can do that knows it, in a page that is light or dark.
_INKS = (Colour(28, 29, 33), Colour(236, 237, 240))
_MUTED_INKS = (Colour(104, 108, 116), Colour(160, 165, 174))


class TooWide(ValueError):
    """The text makes a badge over WIDEST."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle.

    Attributes:
        x, y, width, height: Where it is.
        fill: Its colour.
        radius: Of all its corners, or of those at its left and right ends alone.
        left, right: Whether those ends are round.
    """

    x: float
    y: float
    width: float
    height: float
    fill: Colour
    radius: float = 0.0
    left: bool = True
    right: bool = True


@dataclass(frozen=True, slots=True)
class Disc:
    """A disc, or the ring at its edge.

    Attributes:
        x, y, radius: Where it is.
        fill: Its colour.
        ring: How thick the ring is; 0 for a disc.
    """

    x: float
    y: float
    radius: float
    fill: Colour
    ring: float = 0.0


@dataclass(frozen=True, slots=True)
class Pen:
    """What letters are written with.

    Attributes:
        size: Of an em.
        weight: Of the strokes.
        fill: Their colour.
        adaptive: ``ink`` or ``muted`` where a drawing may take the colour for a light or dark page; else empty.
    """

    size: float
    weight: Weight
    fill: Colour
    adaptive: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of text.

    Attributes:
        x, y: Where its base line begins.
        width: How wide it is.
        text: What it says.
        pen: What it is written with.
    """

    x: float
    y: float
    width: float
    text: str
    pen: Pen


@dataclass(frozen=True, slots=True)
class Drawing:
    """A badge.

    Attributes:
        width, height: Its size, whole pixels.
        shapes: What is on it, from the lowest.
    """

    width: int
    height: int
    shapes: tuple[Box | Disc | Run, ...]


INKS = {"ink": _INKS, "muted": _MUTED_INKS}
"""For each adaptive kind, the colours in a light and in a dark page."""


def draw(look: Look, words: str, number: str | None, *, stale: bool) -> Drawing:
    """Draws a badge.

    Args:
        look: What it is to look like.
        words: What it says, with ``#`` for the number.
        number: The number as it is written, None where it is not known.
        stale: It is not the present one.

    Raises:
        TooWide: The words are too long.
    """
    before, _, after = words.partition("#")
    muted = stale or number is None
    said = UNKNOWN if number is None else number
    drawing = _BUILDS[look.style](look, before, said, after, muted)
    if drawing.width > WIDEST:
        raise TooWide(words)
    return drawing


def _flat(look: Look, before: str, number: str, after: str, muted: bool) -> Drawing:
    height, size, pad = 22.0, 12.0, 8.0
    paper = look.background or (_GREY if muted else _TEAL)
    words = Pen(size, "Regular", _WHITE)
    strong = Pen(size, "SemiBold", _faded(look.color or ink_on(paper), muted))
    parts = [(before.strip(), _SLATE, words), (number, paper, strong), (after.strip(), _SLATE, words)]
    parts = [part for part in parts if part[0]]
    shapes: list[Box | Disc | Run] = []
    x = 0.0
    for place, (text, fill, pen) in enumerate(parts):
        run = _run(x + pad, height / 2, text, pen)
        # Whole pixels, so that no seam shows between two fields.
        width = float(_whole(run.width + 2 * pad))
        shapes += [Box(x, 0, width, height, fill, 4.0, left=place == 0, right=place == len(parts) - 1), run]
        x += width
    return Drawing(round(x), round(height), tuple(shapes))


def _pill(look: Look, before: str, number: str, after: str, muted: bool) -> Drawing:
    height, size, pad, dot = 28.0, 13.0, 13.0, 4.0
    paper = look.background or _MIST
    ink = look.color or ink_on(paper)
    pens = Pen(size, "Regular", ink), Pen(size, "SemiBold", _faded(ink, muted))
    runs, end = _line(pad + 2 * dot + 8.0, height / 2, (before, number, after), pens)
    width = _whole(end + pad + 2)
    shapes: list[Box | Disc | Run] = []
    if paper.alpha:
        # An edge, for a page of the same colour.
        edge = _over(ink._replace(alpha=36), paper)
        shapes.append(Box(0, 0, width, height, edge, height / 2))
        shapes.append(Box(1, 1, width - 2, height - 2, paper, height / 2 - 1))
    usual = look.background is None and look.color is None
    if muted:
        shapes.append(Disc(pad + dot, height / 2, dot, _GREY if usual else ink, 1.6))
    else:
        shapes.append(Disc(pad + dot, height / 2, dot, _LIVE if usual else ink))
    return Drawing(width, round(height), (*shapes, *runs))


def _plain(look: Look, before: str, number: str, after: str, muted: bool) -> Drawing:
    height, size = 20.0, 14.0
    paper = look.background or CLEAR
    pad = 6.0 if paper.alpha else 1.0
    tone = "" if paper.alpha or look.color else "muted" if muted else "ink"
    ink = look.color or (ink_on(paper) if paper.alpha else _BETWEEN)
    if not tone:
        ink = _faded(ink, muted)
    pens = Pen(size, "Regular", ink, tone), Pen(size, "SemiBold", ink, tone)
    runs, end = _line(pad, height / 2, (before, number, after), pens)
    width = _whole(end + pad)
    under: list[Box | Disc | Run] = [Box(0, 0, width, height, paper, 3.0)] if paper.alpha else []
    if muted:
        # As the counter in a page has it: a dotted line under a number that is not the present one.
        run = next(each for each in runs if each.pen is pens[1])
        dots = max(1, int(run.width // 3))
        step = run.width / dots
        under += [Disc(run.x + step * (place + 0.5), run.y + 3.0, 0.7, ink) for place in range(dots)]
    return Drawing(width, round(height), (*under, *runs))


def _counter(look: Look, before: str, number: str, after: str, muted: bool) -> Drawing:
    height, cell, gap = 28.0, 18.0, 2.0
    paper = look.background or (_GREY if muted else _NIGHT)
    words = Pen(12.0, "Regular", _BETWEEN, "muted" if muted else "ink")
    strong = Pen(17.0, "SemiBold", _faded(look.color or ink_on(paper), muted))
    shapes: list[Box | Disc | Run] = []
    x = 0.0
    if before.strip():
        run = _run(1.0, height / 2, before.strip(), words)
        shapes.append(run)
        x = float(_whole(run.x + run.width + 8.0))
    # A field for each digit; what groups them has none.
    for digit in [each for each in number if each.isdigit()] or [number]:
        inset = (cell - typeface(strong.weight).width(digit, strong.size)) / 2
        shapes.append(Box(x, 0, cell, height, paper, 3.0))
        if paper.alpha:
            # The fold of a wheel, whose lower half lies in the shade.
            shapes.append(Box(x, height / 2, cell, height / 2, Colour(0, 0, 0, 40)))
        shapes.append(_run(x + inset, height / 2, digit, strong))
        x += cell + gap
    x -= gap
    if after.strip():
        run = _run(x + 8.0, height / 2, after.strip(), words)
        shapes.append(run)
        x = run.x + run.width + 1.0
    return Drawing(_whole(x), round(height), tuple(shapes))


_BUILDS = {"flat": _flat, "pill": _pill, "plain": _plain, "counter": _counter}


def _run(x: float, middle: float, text: str, pen: Pen) -> Run:
    """A run whose capitals and digits have their middle at `middle`."""
    base = round(middle + pen.size * CAPITAL / 2, 1)
    width = round(typeface(pen.weight).width(text, pen.size), 2)
    return Run(round(x, 2), base, width, text, pen)


def _line(x: float, middle: float, texts: tuple[str, str, str], pens: tuple[Pen, Pen]) -> tuple[list[Run], float]:
    """The words with the number between them, on one line, each with its pen; and where it ends.

    Blanks beside the number are room and no text: a browser would drop them at the ends of a run.
    """
    words, strong = pens
    blank = typeface(words.weight).width(" ", words.size)
    runs: list[Run] = []
    for text, pen in zip(texts, (words, strong, words), strict=True):
        bare = text.strip(" ")
        if not bare:
            continue
        if runs:
            x += blank * (len(text) - len(text.lstrip(" ")))
        runs.append(_run(x, middle, bare, pen))
        x += runs[-1].width + blank * (len(text) - len(text.rstrip(" ")))
    return runs, x


def _whole(length: float) -> int:
    """The next whole pixel."""
    return -int(-length // 1)


def _faded(colour: Colour, muted: bool) -> Colour:
    return colour._replace(alpha=colour.alpha * 4 // 5) if muted else colour


def _over(upper: Colour, lower: Colour) -> Colour:
    """What is seen of `upper` lying over `lower`."""
    share = upper.alpha / 255
    mixed = [round(one * share + other * (1 - share)) for one, other in zip(upper[:3], lower[:3], strict=True)]
    return Colour(mixed[0], mixed[1], mixed[2], lower.alpha)
