from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from notifications.console.wording import Wording
from tests.notifications.console.desk_house import DeskHouse
from tests.notifications.making import announcement

AT_MS = 1_795_746_600_000


@pytest.fixture
def words(desk: DeskHouse) -> Wording:
    request = make_mocked_request("GET", "/", headers={"Accept-Language": "en"})
    return desk.desk.words(request)


def test_moments_are_by_the_sites_clock(words: Wording) -> None:
    assert ">27 Nov 2026, 09:30:00<" in words.when(AT_MS, ["demo"], "second")
    assert ">27 Nov 2026, 03:30:00 (Europe/Paris)<" in words.when(AT_MS, ["paris"], "second")
    assert ">26 Nov 2020, 09:30<" in words.when(AT_MS - 6 * 365 * 86_400_000 - 2 * 86_400_000, ["demo"])


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("title", "", "nothing"),
        ("title", "Tin", "Tin"),
        ("test", True, "yes"),
        ("test", None, "no"),
        ("severity", "breaking", "Breaking"),
        ("severity", "loud", "loud"),
        ("sites", ["demo", "gone"], "Cổng tỉnh, gone"),
        ("expires_in", 7200, "2 hours"),
        ("language", "vi", "Vietnamese"),
        ("texts", {"en": {"title": "A", "body": "b"}}, "English: A\nb"),
        (
            "audience",
            {"sections": ["tin"], "visible": True},
            "pages of the section tin; only where the page is looked at",
        ),
        ("starts_ms", 0, "nothing"),
    ],
)
def test_says_what_the_trail_has(words: Wording, name: str, value: Any, shown: str) -> None:
    assert words.value(name, value, ["demo"]) == shown


def test_the_language_of_a_text_that_does_not_say_is_its_sites(words: Wording) -> None:
    assert words.text_language("", ["demo"]) == "Vietnamese"
    assert words.text_language("", ["demo", "paris"]) == "the site’s own language"
    assert words.language_code("", ["paris"]) == "en"


def test_what_is_not_live_has_a_length_and_no_end(words: Wording) -> None:
    assert words.ends(announcement(expires_ms=0, expires_in=3600)) == "1 hour"
    assert "<time" in words.ends(announcement())
