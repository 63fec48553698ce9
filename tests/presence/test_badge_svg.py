"""The drawing as a file: well-formed whatever the text, and with nothing in it that a policy must allow."""

from __future__ import annotations

import base64
import hashlib
from xml.etree import ElementTree

import pytest

from presence.badge_drawing import draw
from presence.badge_query import STYLES, Look, Style
from presence.badge_svg import POLICY, svg
from presence.colours import Colour

SVG = "{http://www.w3.org/2000/svg}"


def written(style: Style, words: str = "# người đang online", *, stale: bool = False) -> ElementTree.Element:
    drawing = draw(Look(style, "vi", "", None, None, 1), words, "5.716", stale=stale)
    # Our own file, which has no entities.
    return ElementTree.fromstring(svg(drawing, words.replace("#", "5.716"), "vi"))


@pytest.mark.parametrize("style", STYLES)
def test_says_what_it_is_to_those_who_do_not_see_it(style: Style) -> None:
    root = written(style)
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.findtext(f"{SVG}title") == "5.716 người đang online"
    assert root.get("lang") == "vi"


@pytest.mark.parametrize("style", STYLES)
def test_every_text_is_held_to_its_width(style: Style) -> None:
    for text in written(style).iter(f"{SVG}text"):
        assert float(str(text.get("textLength"))) > 0
        assert text.get("lengthAdjust") == "spacingAndGlyphs"


@pytest.mark.parametrize("words", ["<script>alert(1)</script> #", "\"'&#&amp;", "]]>#<!--"])
@pytest.mark.parametrize("style", STYLES)
def test_text_stays_text(style: Style, words: str) -> None:
    root = written(style, words)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg",
        "title",
        "style",
        "path",
        "circle",
        "text",
    }
    assert root.get("aria-label") == words.replace("#", "5.716")


def test_its_one_style_is_the_one_the_policy_names() -> None:
    style = written("plain").findtext(f"{SVG}style")
    assert style is not None and "prefers-color-scheme:dark" in style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in POLICY
    assert "unsafe" not in POLICY
    assert written("flat").find(f"{SVG}style") is None


def test_a_colour_may_let_through_what_is_behind() -> None:
    look = Look("flat", "vi", "", None, Colour(0, 0, 0, 51), 1)
    assert b'fill-opacity="0.2"' in svg(draw(look, "#", "1", stale=False), "1", "vi")
