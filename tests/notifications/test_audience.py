from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.announcement import MAX_GLOB, MAX_PATHS, Audience
from notifications.audience import conditions, matches, on_site, primary
from tests.notifications.making import announcement

# Few letters, so that what is made up often fits; and all that a pattern could take for its own.
GLOBS = st.text(st.sampled_from("ab/.+(*"), max_size=12)
PATHS = st.text(st.sampled_from("ab/.+("), max_size=14)


def naive(glob: str, path: str) -> bool:
    """Whether `path` is one of `glob`, found by trying everything."""
    if not glob:
        return not path
    if glob[0] != "*":
        return path[:1] == glob[0] and naive(glob[1:], path[1:])
    rest = glob.lstrip("*")
    crosses = len(glob) - len(rest) > 1
    for taken in range(len(path) + 1):
        if not crosses and "/" in path[:taken]:
            return False
        if naive(rest, path[taken:]):
            return True
    return False


@given(GLOBS, PATHS)
def test_a_glob_means_what_trying_everything_finds(glob: str, path: str) -> None:
    assert matches(Audience(paths=(glob,)), "", path, "") is naive(glob, path)


@given(st.lists(GLOBS, min_size=1, max_size=4), PATHS)
def test_one_of_several_globs_is_enough(globs: list[str], path: str) -> None:
    assert matches(Audience(paths=tuple(globs)), "", path, "") is any(naive(glob, path) for glob in globs)


@pytest.mark.parametrize(
    "glob",
    [
        "*a" * (MAX_GLOB // 2),
        "**a" * (MAX_GLOB // 3),
        "**a*a" * (MAX_GLOB // 5),
        "**/*" * (MAX_GLOB // 4),
        "*" * MAX_GLOB,
    ],
)
@pytest.mark.parametrize("path", ["/" + "a" * 511, "/a" * 256, "/" + "a" * 500 + "b"])
def test_the_worst_of_globs_and_paths_come_to_an_end(glob: str, path: str) -> None:
    """Tried without care these would take longer than the universe has lasted."""
    worst = Audience(paths=tuple(glob[:-4] + f"{number:04}" for number in range(MAX_PATHS)))
    assert not matches(worst, "", path, "")


def test_conditions_are_what_a_page_can_test() -> None:
    audience = Audience(sections=("a", "b"), paths=("/tin-tuc/*",), languages=("vi", "en"), visible=True)
    assert conditions(audience) == {
        "section": "^(?:a|b)$",
        "path": "^/tin-tuc/[^/]*$",
        "language": "^(?:vi|en)$",
        "visible": True,
    }
    assert conditions(Audience()) == {}
    assert list(conditions(Audience(visible=True))) == ["visible"]


@pytest.mark.parametrize(
    ("glob", "path", "is_one"),
    [
        ("/", "/", True),
        ("/tin/lũ*", "/tin/l%C5%A9-len", True),
        ("/tin/l%C5%A9*", "/tin/l%C5%A9-len", True),
        ("/a b", "/a%20b", True),
        ("/tin-tuc/*", "/tin-tuc/a/b", False),
        ("/tin-tuc/**", "/tin-tuc/a/b", True),
        ("/tin-tuc/**", "/tin-tuc", False),
        ("**/in", "/tin-tuc/a/in", True),
        ("/a.b", "/axb", False),
        ("/**/x*y", "/b/xz/x1y", True),
        ("/tin", "/tin\n", False),
    ],
)
def test_paths_are_compared_as_the_address_bar_writes_them(glob: str, path: str, is_one: bool) -> None:
    assert matches(Audience(paths=(glob,)), "", path, "") is is_one


def test_every_condition_that_is_set_must_be_met() -> None:
    audience = Audience(sections=("thoi-su",), languages=("VI",))
    assert matches(audience, "thoi-su", "/", "vi-VN")
    assert matches(audience, "thoi-su", "/", "vi_VN")
    assert not matches(audience, "thoi-su", "/", "vie")
    assert not matches(audience, "thoi-su-2", "/", "vi")
    assert not matches(audience, "", "/", "vi")
    assert matches(Audience(), "", "", "")
    assert primary("Zh-Hant-TW") == "zh"


def test_text_is_no_pattern() -> None:
    every = "".join(map(chr, range(32, 127)))
    assert matches(Audience(sections=(every,)), every, "/", "")
    assert re.fullmatch(conditions(Audience(sections=(".",)))["section"], "x") is None


def test_tests_are_for_those_who_asked_for_them() -> None:
    real, trial, elsewhere = announcement("a"), announcement("b", test=True), announcement("c", sites=("tinh",))
    everything = [real, trial, elsewhere]
    assert on_site(everything, "demo") == [real]
    assert on_site(everything, "demo", tests=True) == [real, trial]
