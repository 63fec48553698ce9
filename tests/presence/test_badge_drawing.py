"""Where things stand on a badge: nothing over its edge, nothing over another, nothing that misleads."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.badge_drawing import INKS, UNKNOWN, WIDEST, Box, Disc, Drawing, Run, TooWide, draw
from presence.badge_query import STYLES, Look, Style
from presence.colours import Colour
from presence.typeface import typeface

LETTERS = "aáảãạăắằẵặâấầẫậbcdđeéẻẽẹêếềễệghiíklmnoóôơớờợpqrstuưứừựvxyWMÂĐ .:-0"


def plain_look(style: Style, background: Colour | None = None) -> Look:
    return Look(style, "vi", "", None, background, 1)


def texts(drawing: Drawing) -> list[Run]:
    return [shape for shape in drawing.shapes if isinstance(shape, Run)]


@pytest.mark.parametrize("style", STYLES)
@given(
    before=st.text(LETTERS, max_size=20),
    after=st.text(LETTERS, max_size=20),
    number=st.none() | st.integers(0, 10_000_000).map(lambda each: f"{each:,}".replace(",", ".")),
    stale=st.booleans(),
)
def test_all_is_within_and_no_text_touches_another(
    style: Style, before: str, after: str, number: str | None, stale: bool
) -> None:
    drawing = draw(plain_look(style), f"{before}#{after}", number, stale=stale)
    for shape in drawing.shapes:
        if isinstance(shape, Disc):
            assert shape.x - shape.radius >= 0 and shape.x + shape.radius <= drawing.width
            assert shape.y - shape.radius >= 0 and shape.y + shape.radius <= drawing.height
        else:
            assert shape.x >= 0 and shape.x + shape.width <= drawing.width
            assert shape.y >= 0 and shape.y <= drawing.height
    for one, other in itertools.pairwise(texts(drawing)):
        assert one.x + one.width <= other.x + 0.02
    said = "".join(each.text for each in texts(drawing)).replace(" ", "")
    expected = UNKNOWN if number is None else number.replace(".", "") if style == "counter" else number
    assert said == (before + expected + after).replace(" ", "")


@pytest.mark.parametrize("style", STYLES)
def test_every_run_is_as_wide_as_the_font_says(style: Style) -> None:
    for run in texts(draw(plain_look(style), "Có # người", "5.716", stale=False)):
        assert run.width == pytest.approx(typeface(run.pen.weight).width(run.text, run.pen.size), abs=0.01)


@pytest.mark.parametrize("style", STYLES)
def test_a_number_that_is_not_the_present_one_looks_so(style: Style) -> None:
    fresh = draw(plain_look(style), "# người", "5.716", stale=False)
    stale = draw(plain_look(style), "# người", "5.716", stale=True)
    assert fresh != stale
    assert (fresh.width, fresh.height) == (stale.width, stale.height)


@pytest.mark.parametrize("style", STYLES)
def test_one_that_is_not_known_is_a_dash(style: Style) -> None:
    runs = texts(draw(plain_look(style), "# người", None, stale=True))
    assert [run.text for run in runs] == [UNKNOWN, "người"]


def test_what_is_under_a_number_and_round_it_can_be_chosen() -> None:
    background = Colour(253, 230, 138)
    for style in STYLES:
        drawing = draw(plain_look(style, background), "# người", "12", stale=False)
        assert background in {shape.fill for shape in drawing.shapes if isinstance(shape, Box)}
        (number, *_) = (run for run in texts(drawing) if run.text[0] == "1")
        # Chosen to be read on it.
        assert number.pen.fill.contrast(background) > 7


def test_text_on_the_page_itself_can_be_read_on_a_light_and_a_dark_one() -> None:
    white, night = Colour(255, 255, 255), Colour(18, 18, 18)
    for light, dark in INKS.values():
        assert light.contrast(white) >= 4.5
        assert dark.contrast(night) >= 4.5
    for style in ("plain", "counter"):
        for run in texts(draw(plain_look(style), "# người", "1", stale=False)):
            if run.pen.adaptive:
                assert run.pen.fill.contrast(white) >= 4.5
                assert run.pen.fill.contrast(Colour(0, 0, 0)) >= 4.5


def test_the_fields_of_a_flat_one_join_at_whole_pixels() -> None:
    boxes = [
        each for each in draw(plain_look("flat"), "Có # người", "5.716", stale=False).shapes if isinstance(each, Box)
    ]
    assert [(box.left, box.right) for box in boxes] == [(True, False), (False, False), (False, True)]
    for one, other in itertools.pairwise(boxes):
        assert one.x + one.width == other.x == round(other.x)


def test_a_text_may_be_too_wide() -> None:
    with pytest.raises(TooWide):
        draw(plain_look("plain"), "#" + "W" * 79, "5.716", stale=False)
    assert draw(plain_look("plain"), "#" + "i" * 79, "5.716", stale=False).width <= WIDEST
