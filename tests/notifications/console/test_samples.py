from __future__ import annotations

import msgspec
import pytest

from notifications import validation
from notifications.announcement import MAX_BODY, MAX_TITLE
from notifications.console.samples import BUILT_IN, MAX_NAME, Sample, gaps, kept

IDS = [sample.id for sample in BUILT_IN]


@pytest.mark.parametrize("sample", BUILT_IN, ids=IDS)
def test_what_comes_with_it_could_go_out_once_its_gaps_are_filled(sample: Sample) -> None:
    document = {**msgspec.to_builtins(sample.draft), "sites": ["demo"]}
    bounds = validation.Bounds(["demo"], 3600, 30 * 86_400)
    assert validation.draft(document, bounds).title == sample.draft.title
    texts = [sample.draft, *sample.draft.texts.values()]
    # There is room for the words that the gaps stand for.
    assert all(len(text.title) <= MAX_TITLE * 0.75 and len(text.body) <= MAX_BODY * 0.6 for text in texts)
    assert all(gaps([text.title, text.body]) for text in texts)
    assert sample.draft.texts.keys() == {"en"}
    assert len(sample.name) <= MAX_NAME


def test_names_are_told_apart() -> None:
    assert len({*IDS}) == len(IDS)


def test_finds_gaps_once_each() -> None:
    assert gaps(["Lũ trên [sông], [sông]", "lúc [giờ]", "a [b\nc] []"]) == ["[sông]", "[giờ]"]


def test_keeps_what_is_not_of_one_occasion() -> None:
    draft = validation.draft(
        {"sites": ["demo"], "severity": "info", "title": "Tin", "test": True, "expires_in": 60},
        validation.Bounds(["demo"], 3600, 7200),
    )
    sample = kept("0" * 16, "Mẫu", draft, "Lan", 5)
    assert (sample.draft.sites, sample.draft.test, sample.draft.starts_ms) == ((), False, 0)
    assert (sample.draft.title, sample.draft.expires_in) == ("Tin", 60)
