"""Parameters of a query, refused by name."""

from __future__ import annotations

import pytest

from presence.parameters import Refused, one_of, ours


def test_only_ours_are_read() -> None:
    assert ours([("a", "1"), ("x", "2"), ("x", "3")], {"a", "b"}) == {"a": "1"}


def test_one_that_is_given_twice_is_refused() -> None:
    with pytest.raises(Refused, match="twice") as refused:
        ours([("a", "1"), ("a", "1")], {"a"})
    assert refused.value.field == "a"


def test_a_choice_is_one_of_those_there_are() -> None:
    assert one_of("lang", "vi", ("vi", "en")) == "vi"
    with pytest.raises(Refused, match="vi, en"):
        one_of("lang", "VI", ("vi", "en"))
