from __future__ import annotations

from functools import lru_cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.globs import expression, globs


def by_definition(pattern: str, path: str) -> bool:
    """Tries everything."""

    @lru_cache(None)
    def matches(at: int, of: int) -> bool:
        if at == len(pattern):
            return of == len(path)
        if pattern.startswith("**", at):
            return matches(at + 2, of) or (of < len(path) and matches(at, of + 1))
        if pattern[at] == "*":
            return matches(at + 1, of) or (of < len(path) and path[of] != "/" and matches(at, of + 1))
        return of < len(path) and path[of] == pattern[at] and matches(at + 1, of + 1)

    return matches(0, 0)


@pytest.mark.parametrize(
    ("pattern", "meant", "not_meant"),
    [
        ("/", ["/"], ["", "/a"]),
        ("/tin/*", ["/tin/", "/tin/lu"], ["/tin", "/tin/lu/1", "/the-thao/"]),
        ("/tin/**", ["/tin/", "/tin/lu", "/tin/lu/1"], ["/tin", "/tinh/"]),
        ("/**/anh", ["/a/anh", "/a/b/anh"], ["/anh", "/a/anh/1"]),
        ("/tin-*.html", ["/tin-.html", "/tin-4.7.html"], ["/tin-/4.html"]),
        ("**", ["", "/", "/a/b"], []),
        ("*", ["", "a"], ["/"]),
        ("/a.b+(c)", ["/a.b+(c)"], ["/axb+(c)"]),
        ("/tin/*/**/[x]*", ["/tin/a//[x]", "/tin/a/b/c/[x]yz"], ["/tin/a/x"]),
    ],
)
def test_what_a_glob_means(pattern: str, meant: list[str], not_meant: list[str]) -> None:
    matches = globs([pattern])
    assert [path for path in meant if not matches(path)] == []
    assert [path for path in not_meant if matches(path)] == []


def test_any_of_several_is_enough_and_none_means_nothing() -> None:
    matches = globs(["/a", "/b/**", "/c/*/d"])
    assert [path for path in ("/a", "/b/1/2", "/c/1/d", "/c/1/2/d") if matches(path)] == ["/a", "/b/1/2", "/c/1/d"]
    assert not globs([])("/a")


@given(st.text("ab/*", max_size=14), st.text("ab/", max_size=14))
@example("**a*b", "/aab")
@example("*a**b*a", "aab/ba")
@example("**a*a/b**a", "aa/aa/ba")
def test_it_is_what_trying_everything_says(pattern: str, path: str) -> None:
    assert (expression(pattern).fullmatch(path) is not None) == by_definition(pattern, path)
    assert globs([pattern])(path) == by_definition(pattern, path)


@pytest.mark.parametrize(
    "pattern", ["*a" * 200 + "b", "**a" * 170 + "b", "**a*a" * 100 + "b", "/" + "**/*a" * 100 + "b"]
)
def test_no_glob_holds_the_loop(pattern: str) -> None:
    # A search that tried every way would not come back while anybody waits for this test.
    assert expression(pattern).fullmatch("/a" * 256) is None
    assert expression(pattern).fullmatch("a" * 512) is None


def test_letters_mean_what_the_address_bar_makes_of_them() -> None:
    for pattern in ("/tin/lũ-*", "/tin/l%C5%A9-*", "/tin/lũ-len", "/tin/lũ**"):
        assert globs([pattern])("/tin/l%C5%A9-len")
    assert not globs(["/tin/lu-*"])("/tin/l%C5%A9-len")
