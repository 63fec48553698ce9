from __future__ import annotations

import pytest

from notifications import acts, validation
from notifications.actor import OPERATOR
from notifications.announcement import SEVERITIES as ALL_SEVERITIES
from notifications.announcement import STATUSES, Audience, Change
from notifications.console.phrasing import ACTS, SEVERITIES, audience, duration, language_name, languages, wrong
from notifications.console.phrasing import STATUSES as SPOKEN
from notifications.errors import Invalid
from notifications.fields import GLOB_NAME
from notifications.lifecycle import TABLE
from tests.notifications.making import announcement, draft


def say(english: str, /, **values: object) -> str:
    return english % values if values else english


def test_there_is_a_word_for_all() -> None:
    assert SPOKEN.keys() == {*STATUSES}
    assert SEVERITIES.keys() == {*ALL_SEVERITIES}
    assert {action for ways in TABLE.values() for action in ways} <= ACTS.keys()


@pytest.mark.parametrize(
    ("meant", "phrase"),
    [
        (Audience(), "every page"),
        (Audience(sections=("tin",)), "pages of the section tin"),
        (
            Audience(sections=("a", "b"), paths=("/x/**",), languages=("vi",), visible=True),
            "pages of the sections a, b; pages at /x/**; pages in Vietnamese; only where the page is looked at",
        ),
    ],
)
def test_says_whom_it_is_for(meant: Audience, phrase: str) -> None:
    assert audience(meant, say, "en") == phrase


@pytest.mark.parametrize(
    ("seconds", "phrase"),
    [
        (10, "10 seconds"),
        (60, "1 minute"),
        (5400, "90 minutes"),
        (3600, "1 hour"),
        (86_400, "1 day"),
        (259_200, "3 days"),
    ],
)
def test_says_how_long(seconds: int, phrase: str) -> None:
    assert duration(seconds, say) == phrase


def test_names_languages_as_the_reader_does() -> None:
    assert (language_name("en", "vi"), language_name("km", "en"), language_name("qqq", "en")) == (
        "Tiếng Anh",
        "Khmer",
        "Qqq",
    )
    assert ("hmn", "Hmong") in languages("en", ["hmn", ""])


_WRONG = {
    "title": "x" * 121, "body": "\x07", "url": "ftp://x", "language": "Vietnamese", "severity": "loud",
    "texts": {"english": {"title": "x"}, "en": {"title": ""}}, "sites": [], "expires_in": 1,
    "audience": {"sections": ["a b"], "paths": ["x"], "languages": ["VI"]},
    "starts_at": "tomorrow", "expires_at": "2026-11-27T08:00",
    "status": "draft",
}  # fmt: skip


def test_what_is_too_much_as_a_whole_is_said_in_other_words() -> None:
    paths = tuple(f"/{'ữ' * 200}/{number}" for number in range(50))
    with pytest.raises(Invalid) as caught:
        acts.created(draft(audience=Audience(paths=paths)), "draft", OPERATOR)
    assert wrong(caught.value.wrong[0].detail, say).startswith("Too much for one announcement: ")
    assert wrong(f"must be {GLOB_NAME}", say).endswith("at most 512 characters and 8 stars.")


def test_what_would_never_be_seen_is_said_in_other_words() -> None:
    at_ms = 4_000_000_000_000
    for kept, change in (({"ends_ms": at_ms}, {"starts_ms": at_ms}), ({"starts_ms": at_ms}, {"ends_ms": at_ms})):
        with pytest.raises(Invalid) as caught:
            acts.changed(announcement(**kept), "draft", Change(**change), OPERATOR)
        assert wrong(caught.value.wrong[0].detail, say).startswith("Nobody would see it")


def test_what_validation_says_is_said_in_other_words() -> None:
    """Each is led to a text that is translated; what comes through as it was would be English in every language."""
    with pytest.raises(Invalid) as caught:
        validation.new(_WRONG, validation.Bounds(["demo"], 3600, 7200, {}, 1))
    untold = [each for each in caught.value.wrong if wrong(each.detail, say) == each.detail]
    # A form never sends both ends, nor a time without its offset.
    assert {each.field for each in untold} <= {"expires_at"}
