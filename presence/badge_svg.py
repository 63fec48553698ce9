"""A badge as SVG 1.1, of shapes and text; the text is escaped by the template engine.

It needs nothing from elsewhere, and no script. Its one style, the colours of text that lies on the page itself, is
named by its hash in the policy it is sent with.
"""

from __future__ import annotations

from markupsafe import Markup

from gateway.browsers import written_hash
from gateway.templates import environment
from presence.badge_drawing import INKS, Box, Drawing, Run
from presence.badge_query import Language
from presence.colours import Colour

# Ours where it is installed; else the system's, of which each has all letters of Vietnamese.
FONTS = "Be Vietnam Pro, system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, DejaVu Sans, sans-serif"

STYLE = "".join(f".{kind}{{fill:{light.solid}}}" for kind, (light, _) in INKS.items()) + (
    "@media(prefers-color-scheme:dark){"
    + "".join(f".{kind}{{fill:{dark.solid}}}" for kind, (_, dark) in INKS.items())
    + "}"
)
POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src '{written_hash('sha256', STYLE.encode())}'",
        "base-uri 'none'",
        "form-action 'none'",
        "sandbox",
    )
)
"""For whoever opens it by itself: nothing in it may act."""

# Compiled at start, not by the first who asks.
_TEMPLATE = environment("presence").get_template("badge.svg")


def svg(drawing: Drawing, label: str, language: Language) -> bytes:
    """Writes a badge.

    Args:
        drawing: The badge.
        label: What it says, for those who do not see it.
        language: Of its words.
    """
    adaptive = any(isinstance(shape, Run) and shape.pen.adaptive for shape in drawing.shapes)
    return _TEMPLATE.render(
        drawing=drawing,
        shapes=[(type(shape).__name__, shape) for shape in drawing.shapes],
        label=label,
        language=language,
        style=STYLE if adaptive else "",
        fonts=FONTS,
        n=_number,
        outline=_outline,
        opacity=_opacity,
    ).encode()


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _opacity(colour: Colour) -> Markup:
    return Markup(' fill-opacity="{}"').format(_number(colour.opacity)) if colour.alpha < 255 else Markup()


def _outline(box: Box) -> str:
    """A rectangle whose ends may be round."""
    n, r = _number, box.radius
    right, bottom = box.x + box.width, box.y + box.height
    left_r, right_r = r if box.left else 0.0, r if box.right else 0.0

    def corner(radius: float, x: float, y: float) -> str:
        return f"A{n(radius)} {n(radius)} 0 0 1 {n(x)} {n(y)}" if radius else ""

    return (
        f"M{n(box.x + left_r)} {n(box.y)}H{n(right - right_r)}{corner(right_r, right, box.y + right_r)}"
        f"V{n(bottom - right_r)}{corner(right_r, right - right_r, bottom)}"
        f"H{n(box.x + left_r)}{corner(left_r, box.x, bottom - left_r)}"
        f"V{n(box.y + left_r)}{corner(left_r, box.x + left_r, box.y)}Z"
    )
