from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from notifications.announcement import SEVERITIES, Severity
from notifications.cap import schema, urgency
from notifications.cap.urgency import BACK, TABLE, Words, ours, rises, theirs

ALL = [Words(*words) for words in product(schema.URGENCIES, schema.SEVERITIES, schema.CERTAINTIES)]


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        (("Immediate", "Extreme", "Observed"), "emergency"),
        (("Immediate", "Severe", "Likely"), "emergency"),
        (("Expected", "Extreme", "Likely"), "breaking"),
        (("Immediate", "Severe", "Possible"), "breaking"),
        (("Immediate", "Moderate", "Observed"), "breaking"),
        (("Future", "Severe", "Likely"), "notice"),
        (("Expected", "Moderate", "Likely"), "notice"),
        (("Past", "Extreme", "Observed"), "info"),
        (("Immediate", "Extreme", "Unlikely"), "info"),
        (("Unknown", "Unknown", "Unknown"), "info"),
    ],
)
def test_what_the_words_mean(words: tuple[str, str, str], severity: Severity) -> None:
    assert ours(Words(*words)) == severity


def test_every_row_decides_something_and_every_combination_is_decided() -> None:
    def first(words: Words) -> int:
        allowed = [(row.urgencies, row.severities, row.certainties) for row in TABLE]
        return next(
            place
            for place, row in enumerate(allowed)
            if all(not among or word in among for among, word in zip(row, words, strict=True))
        )

    assert {first(words) for words in ALL} == set(range(len(TABLE)))
    assert all(ours(words) == TABLE[first(words)].severity for words in ALL)
    assert len(ALL) == 125


def test_more_severe_or_more_urgent_never_means_less() -> None:
    def rank(words: Words) -> int:
        return SEVERITIES.index(ours(words))

    for words in ALL:
        if "Unknown" in words:
            continue
        place = schema.SEVERITIES.index(words.severity)
        if place:
            assert rank(words._replace(severity=schema.SEVERITIES[place - 1])) >= rank(words)
        place = schema.URGENCIES.index(words.urgency)
        if place:
            assert rank(words._replace(urgency=schema.URGENCIES[place - 1])) >= rank(words)
        place = schema.CERTAINTIES.index(words.certainty)
        if place:
            assert rank(words._replace(certainty=schema.CERTAINTIES[place - 1])) >= rank(words)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_what_we_say_means_what_we_mean(severity: Severity) -> None:
    assert ours(BACK[severity]) == severity
    for words in ALL:
        assert ours(theirs(severity, words)) == severity
        assert theirs(severity, words) == (words if ours(words) == severity else BACK[severity])


def test_words_that_are_none_of_cap_are_not_said_again() -> None:
    assert theirs("info", Words("Later", "Minor", "Observed")) == BACK["info"]


def test_only_what_is_more_urgent_rises() -> None:
    assert rises("info", "notice")
    assert not rises("breaking", "breaking")
    assert not rises("emergency", "breaking")


def test_the_tables_say_all_rows() -> None:
    assert len(urgency.tables().splitlines()) == len(TABLE) + len(BACK) + 5


def test_the_page_shows_the_tables_as_they_are() -> None:
    page = (Path(__file__).parents[3] / "docs" / "cap.md").read_text("utf-8")
    shown = page.partition("<!-- notifications/cap/urgency.py -->\n")[2].partition("\n<!-- end -->")[0]
    assert shown == urgency.tables()
