from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notifications.characters import cleaned, forbidden

FLAG = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@given(st.text(st.characters() | st.sampled_from("\n\x9b\u202e\ufff9\U000e0041\ud800")), st.booleans())
def test_what_is_cleaned_has_nothing_forbidden_and_all_the_rest(text: str, line_breaks: bool) -> None:
    left = cleaned(text, line_breaks=line_breaks)
    assert not forbidden(left, line_breaks=line_breaks)
    assert (left == text) is not bool(forbidden(text, line_breaks=line_breaks))


def test_a_flag_stays_whole() -> None:
    assert cleaned(f"a{FLAG}b\U000e0067c\n") == f"a{FLAG}bc"
    assert cleaned("a\nb", line_breaks=True) == "a\nb"
