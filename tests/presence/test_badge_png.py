"""The picture: of the size and colours that were asked for, with the letters in it."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image, ImageChops

from presence.badge_drawing import draw
from presence.badge_png import png
from presence.badge_query import STYLES, Look, Style
from presence.colours import Colour

WORDS = "# người đang online"


def picture(look: Look, words: str = WORDS, number: str | None = "5.716", *, stale: bool = False) -> Image.Image:
    image = Image.open(BytesIO(png(draw(look, words, number, stale=stale), look.scale)))
    assert (image.format, image.mode) == ("PNG", "RGBA")
    return image


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_is_as_large_as_its_scale_says(style: Style, scale: int) -> None:
    look = Look(style, "vi", "", None, None, scale)
    drawing = draw(look, WORDS, "5.716", stale=False)
    assert picture(look).size == (scale * drawing.width, scale * drawing.height)


@pytest.mark.parametrize("style", STYLES)
def test_another_number_another_word_and_a_stale_one_are_other_pictures(style: Style) -> None:
    look = Look(style, "vi", "", None, None, 2)
    seen = {
        picture(look).tobytes(),
        picture(look, number="5.717").tobytes(),
        picture(look, number=None).tobytes(),
        picture(look, stale=True).tobytes(),
        picture(look, words="# người đang onlinè").tobytes(),
    }
    assert len(seen) == 5


def test_the_same_badge_is_the_same_file() -> None:
    drawing = draw(Look("pill", "vi", "", None, None, 2), WORDS, "5.716", stale=False)
    assert png(drawing, 2) == png(drawing, 2)


def test_colours_are_those_that_were_chosen_and_nothing_is_behind_plain_text() -> None:
    crimson = picture(Look("flat", "vi", "", None, Colour(220, 20, 60), 1))
    assert crimson.getpixel((4, 3)) == (220, 20, 60, 255)
    plain = picture(Look("plain", "vi", "", Colour(0, 170, 119), None, 2))
    assert plain.getpixel((0, 0))[3] == 0  # type: ignore[index]
    inks = {pixel[:3] for _, pixel in plain.getcolors(100_000) or [] if isinstance(pixel, tuple) and pixel[3] > 250}
    # What is mixed at the edges and unmixed again is a shade off.
    assert inks and all(abs(x - y) <= 3 for ink in inks for x, y in zip(ink, (0, 170, 119), strict=True))


def test_half_a_cover_lets_half_through() -> None:
    alpha = picture(Look("flat", "vi", "", None, Colour(0, 0, 0, 128), 1)).getpixel((4, 3))[3]  # type: ignore[index]
    assert abs(alpha - 128) <= 2


@pytest.mark.parametrize("style", STYLES)
def test_no_letter_reaches_the_edge(style: Style) -> None:
    """A letter that hung over would be cut: with and without letters, the outermost pixels are the same."""
    look = Look(style, "vi", "", None, None, 2)
    drawing = draw(look, "Ậ#Ậg", "5.716", stale=False)
    bare = draw(look, "Ậ#Ậg", "5.716", stale=False)
    shapes = tuple(shape for shape in bare.shapes if not hasattr(shape, "pen"))
    with_letters = Image.open(BytesIO(png(drawing, 2)))
    without = Image.open(BytesIO(png(type(bare)(bare.width, bare.height, shapes), 2)))
    touched = ImageChops.difference(with_letters.convert("RGBA"), without.convert("RGBA"))
    box = touched.getchannel("A").getbbox() if style == "plain" else touched.convert("RGB").getbbox()
    assert box is not None
    assert box[1] > 0 and box[3] < with_letters.height and box[2] <= with_letters.width
