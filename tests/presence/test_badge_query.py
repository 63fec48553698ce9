"""What a badge may be asked to look like, and what is refused by name."""

from __future__ import annotations

import pytest

from presence.badge_query import COLOUR_CHARACTERS, TEXT_CHARACTERS, Look, look
from presence.colours import Colour
from presence.parameters import Refused


def test_a_bare_address_has_the_language_of_the_site() -> None:
    assert look([], "vi", pixels=True) == Look("flat", "vi", "", None, None, 2)
    assert look([], "en", pixels=False) == Look("flat", "en", "", None, None, 1)


def test_everything_can_be_chosen() -> None:
    query = {"style": "pill", "lang": "en", "text": "Now: #", "color": "fff", "background": "teal", "scale": "3"}
    assert look(query.items(), "vi", pixels=True) == Look(
        "pill", "en", "Now: #", Colour(255, 255, 255), Colour(0, 128, 128), 3
    )


def test_what_is_not_ours_makes_no_other_picture() -> None:
    assert look([("utm_source", "mail"), ("v", "1"), ("v", "2")], "vi", pixels=True) == look([], "vi", pixels=True)
    # A drawing has no scale.
    assert look([("scale", "99")], "vi", pixels=False) == look([], "vi", pixels=False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("style", "round"),
        ("style", ""),
        ("lang", "fr"),
        ("lang", "VI"),
        ("text", ""),
        ("text", "người đang online"),
        ("text", "# và #"),
        ("text", "#" + "x" * TEXT_CHARACTERS),
        ("text", "# 中"),
        ("text", "#\n"),
        ("text", "#\u202e"),
        ("color", ""),
        ("color", "url(#a)"),
        ("color", "f" * (COLOUR_CHARACTERS + 1)),
        ("background", "nocolour"),
        ("scale", "0"),
        ("scale", "4"),
        ("scale", "1.5"),
        ("scale", "²"),
    ],
)
def test_what_is_wrong_is_named(field: str, value: str) -> None:
    with pytest.raises(Refused) as refused:
        look([(field, value)], "vi", pixels=True)
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")


def test_a_parameter_given_twice_is_refused_rather_than_guessed() -> None:
    with pytest.raises(Refused, match="twice"):
        look([("color", "red"), ("color", "blue")], "vi", pixels=True)


def test_letters_with_loose_accents_are_the_same_letters() -> None:
    assert look([("text", "# ngu\u031bo\u031b\u0300i")], "vi", pixels=False).text == "# người"


def test_a_place_is_kept_only_where_its_readers_are_asked_for() -> None:
    both = [("section", "kinh-te"), ("path", "/1")]
    assert look(both, "vi", pixels=False) == look([], "vi", pixels=False)
    page = look([("scope", "page"), *both], "vi", pixels=False)
    assert (page.scope, page.place) == ("page", "/1")
    assert page == look([("scope", "page"), ("path", "/1")], "vi", pixels=False)
    section = look([("scope", "section"), *both], "vi", pixels=False)
    assert (section.scope, section.place) == ("section", "kinh-te")


def test_words_go_with_the_number() -> None:
    english = look([("lang", "en")], "vi", pixels=False)
    assert [english.words(form) for form in ("one", "other")] == ["# reader online", "# readers online"]
    own = look([("text", "Bạn đọc: #")], "vi", pixels=False)
    assert {own.words(form) for form in ("one", "other")} == {"Bạn đọc: #"}
