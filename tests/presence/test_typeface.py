"""The font that badges are written in: whether it has all letters of Vietnamese, and how wide they are."""

from __future__ import annotations

import unicodedata
from io import BytesIO

import pytest
from fontTools.ttLib import TTFont

from presence.typeface import CAPITAL, Typeface, Weight, typeface

WEIGHTS: list[Weight] = ["Regular", "SemiBold"]
_TONES = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
ALPHABET = "".join(
    unicodedata.normalize("NFC", letter + tone) for letter in "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY" for tone in _TONES
)
ALPHABET += "bcdđghklmnpqrstvxBCDĐGHKLMNPQRSTVX"


@pytest.fixture(params=WEIGHTS)
def face(request: pytest.FixtureRequest) -> Typeface:
    return typeface(request.param)


def test_every_letter_of_vietnamese_is_there(face: Typeface) -> None:
    assert len(ALPHABET) == 12 * 6 * 2 + 34
    assert face.missing(ALPHABET + "0123456789.,:–-()!?/%") == ""
    assert face.missing("người đang online") == ""


def test_every_letter_of_the_words_is_drawn_as_itself(face: Typeface) -> None:
    """Not as what stands for a glyph that a font does not have."""
    glyphs = TTFont(BytesIO(face._file)).getBestCmap()
    font = face.at(48)
    none = bytes(font.getmask("\ue000"))
    for letter in set("người đang online") - {" "}:
        assert glyphs[ord(letter)] != ".notdef"
        assert any(bytes(font.getmask(letter))) and bytes(font.getmask(letter)) != none, letter
    # As many pictures as letters: none stands for another, none lost its accent.
    assert len({bytes(font.getmask(letter)) for letter in ALPHABET}) == len(set(ALPHABET))


@pytest.mark.parametrize("character", ["\ue000", "中", "ا", "\u200e", "\u202e", "\n", "\x00", "\u00ad", "😀"])
def test_what_it_cannot_write_or_nobody_sees_is_named(face: Typeface, character: str) -> None:
    assert face.missing(f"5 người{character}") == character


def test_widths_are_the_font_s_own(face: Typeface) -> None:
    # What FreeType measures at a large size, where rounding to pixels is nothing.
    assert face.width("5.716 người đang online", 2000) == pytest.approx(
        face.at(2000).getlength("5.716 người đang online"), abs=12
    )
    assert face.width("aa", 10) == 2 * face.width("a", 10)


def test_capitals_are_as_high_as_is_said(face: Typeface) -> None:
    font = TTFont(BytesIO(face._file))
    assert font["OS/2"].sCapHeight / font["head"].unitsPerEm == CAPITAL
