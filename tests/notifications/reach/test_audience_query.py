from __future__ import annotations

import pytest

from notifications.announcement import MAX_GLOB, MAX_SECTIONS
from notifications.errors import Invalid
from notifications.reach.audience_query import Wanted, wanted

SITES = ("demo", "tinh")


def fields(*given: tuple[str, str]) -> set[str]:
    with pytest.raises(Invalid) as caught:
        wanted(given, SITES)
    return {wrong.field for wrong in caught.value.wrong}


def test_all_conditions_may_be_given_and_most_of_them_several_times() -> None:
    given = [
        ("site", "demo"),
        ("site", "tinh"),
        ("section", "tin"),
        ("path", "/tin/**"),
        ("path", "**"),
        ("path", "**"),
    ]
    given += [("language", "vi"), ("visible", "1")]
    assert wanted(given, SITES) == Wanted(
        sites=("demo", "tinh"), sections=("tin",), paths=("/tin/**", "**"), languages=("vi",), visible=True
    )
    assert not wanted([("site", "demo"), ("visible", "0")], SITES).visible


def test_each_field_that_is_wrong_is_named() -> None:
    assert fields() == {"site"}
    assert fields(("site", "demo"), ("site", "huyen")) == {"site"}
    assert fields(("section", "a b"), ("path", "tin"), ("language", "tiếng"), ("visible", "yes"), ("colour", "")) == {
        "site", "section", "path", "language", "visible", "colour",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["", "/\x00", "/" + "a" * MAX_GLOB, "/\ud800", "tin/**"])
def test_what_can_be_no_path_is_refused(path: str) -> None:
    assert fields(("site", "demo"), ("path", path)) == {"path"}


def test_there_are_not_too_many() -> None:
    assert fields(("site", "demo"), *[("section", f"s{one}") for one in range(MAX_SECTIONS + 1)]) == {"section"}
    assert fields(("site", "demo"), ("visible", "0"), ("visible", "1")) == {"visible"}


def test_what_is_given_too_often_is_wrong_also_if_it_is_the_same() -> None:
    with pytest.raises(Invalid) as refused:
        wanted([("site", "demo"), *[("section", "tin")] * (MAX_SECTIONS + 1)], ["demo"])
    assert [(one.field, one.detail) for one in refused.value.wrong] == [
        ("section", f"may be given at most {MAX_SECTIONS} times")
    ]
