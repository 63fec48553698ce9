"""Colours as a query names them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageColor

from presence.colours import CLEAR, Colour, ink_on, parse

BLACK, WHITE = Colour(0, 0, 0), Colour(255, 255, 255)


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("0a7", Colour(0, 0xAA, 0x77)),
        ("#0A7", Colour(0, 0xAA, 0x77)),
        ("00aa77", Colour(0, 0xAA, 0x77)),
        ("0a78", Colour(0, 0xAA, 0x77, 0x88)),
        ("00aa7780", Colour(0, 0xAA, 0x77, 0x80)),
        ("teal", Colour(0, 128, 128)),
        ("RebeccaPurple", Colour(0x66, 0x33, 0x99)),
        ("transparent", CLEAR),
    ],
)
def test_is_hexadecimal_or_a_name(text: str, colour: Colour) -> None:
    assert parse(text) == colour


@pytest.mark.parametrize(
    "text",
    ["", "#", "12", "12345", "1234567", "123456789", "xyz", "rgb(1,2,3)", "url(x)", "red;", "##fff", "0à7", "٠٠٠"],
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        parse(text)


def test_no_name_could_be_read_as_a_number() -> None:
    assert [name for name in ImageColor.colormap if re.fullmatch(r"[0-9a-f]{3,8}", name)] == []


def test_contrast_is_that_of_the_guidelines() -> None:
    assert BLACK.contrast(WHITE) == pytest.approx(21)
    assert WHITE.contrast(WHITE) == pytest.approx(1)
    # Known to every designer: the lightest grey that may be text on white.
    assert Colour(0x76, 0x76, 0x76).contrast(WHITE) == pytest.approx(4.54, abs=0.01)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_there_is_an_ink_to_read_on_any_paper(channels: tuple[int, int, int]) -> None:
    assert Colour(*channels).contrast(ink_on(Colour(*channels))) >= 4.2
