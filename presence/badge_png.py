"""A badge as PNG: the same shapes and letters, for mails, whose readers see no SVG.

Drawn several times too large and made smaller, which smooths shapes and letters alike and leaves the widths of the
letters what the drawing says they are, where a font drawn at its size would round each to a pixel.

Takes a few milliseconds of a core: not to be called on the event loop, and by one thread at a time.
"""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw

from presence.badge_drawing import Box, Disc, Drawing, Run
from presence.typeface import typeface

# How many times too large, for each scale; what is large already needs less.
_OVERSIZE = {1: 4, 2: 3, 3: 2}


def png(drawing: Drawing, scale: int) -> bytes:
    """Paints a badge.

    Args:
        drawing: The badge.
        scale: Pixels of the picture to one of the drawing, 1 to 3.
    """
    factor = scale * _OVERSIZE[scale]
    size = (drawing.width * factor, drawing.height * factor)
    # Colours are multiplied by what they cover while they are mixed and made smaller, or edges would darken.
    canvas = Image.new("RGBa", size)
    for shape in drawing.shapes:
        # Only where the shape is: most are a small part of the whole.
        left, top, right, bottom = _bounds(shape, factor, size)
        mask = Image.new("L", (right - left, bottom - top))
        _paint(ImageDraw.Draw(mask), shape, factor, left, top)
        red, green, blue, alpha = shape.pen.fill if isinstance(shape, Run) else shape.fill
        if alpha < 255:
            mask = mask.point([level * alpha // 255 for level in range(256)])
        canvas.paste((red, green, blue, 255), (left, top, right, bottom), mask)
    picture = canvas.reduce(_OVERSIZE[scale]).convert("RGBA")
    file = BytesIO()
    picture.save(file, "PNG", compress_level=6)
    return file.getvalue()


def _bounds(shape: Box | Disc | Run, factor: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The pixels in which `shape` is, and not outside the canvas; letters have room for what hangs over."""
    if isinstance(shape, Box):
        edges = (shape.x, shape.y, shape.x + shape.width, shape.y + shape.height)
    elif isinstance(shape, Disc):
        reach = shape.radius + 1
        edges = (shape.x - reach, shape.y - reach, shape.x + reach, shape.y + reach)
    else:
        edges = (shape.x - 2, shape.y - 1.2 * shape.pen.size, shape.x + shape.width + 2, shape.y + 0.4 * shape.pen.size)
    left, top, right, bottom = (round(edge * factor) for edge in edges)
    return max(0, left), max(0, top), min(size[0], right), min(size[1], bottom)


def _paint(brush: ImageDraw.ImageDraw, shape: Box | Disc | Run, factor: int, left: int, top: int) -> None:
    """Puts where `shape` is as white; the mask begins at `left` and `top`."""

    def at(x: float, y: float) -> tuple[float, float]:
        return x * factor - left, y * factor - top

    if isinstance(shape, Box):
        corners = (shape.left, shape.right, shape.right, shape.left)
        (x, y), (right, bottom) = at(shape.x, shape.y), at(shape.x + shape.width, shape.y + shape.height)
        # Pillow counts the last pixel in.
        edges = (round(x), round(y), round(right) - 1, round(bottom) - 1)
        brush.rounded_rectangle(edges, shape.radius * factor, fill=255, corners=corners)
    elif isinstance(shape, Disc):
        brush.circle(at(shape.x, shape.y), shape.radius * factor, fill=255)
        if shape.ring:
            brush.circle(at(shape.x, shape.y), (shape.radius - shape.ring) * factor, fill=0)
    else:
        font = typeface(shape.pen.weight).at(round(shape.pen.size * factor))
        brush.text(at(shape.x, shape.y), shape.text, fill=255, font=font, anchor="ls")
