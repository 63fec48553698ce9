from __future__ import annotations

import pytest

from store.inventory import Kept


@pytest.mark.parametrize(
    ("pattern", "key", "same"),
    [
        ("presence:{*}:page:*", "presence:{demo:0}:page:/tin/lu-len", True),
        ("presence:{*}:page:*", "presence:{demo:0}:page:/a\nb", True),
        ("presence:{*}:page:*", "presence:{demo:0}:section:news", False),
        ("presence:epoch", "presence:epoch", True),
        ("presence:epoch", "presence:epochs", False),
        ("{a}:x.y", "{a}:xzy", False),
    ],
)
def test_a_pattern_matches_keys_of_its_form_and_no_others(pattern: str, key: str, same: bool) -> None:
    text = {"vi": "", "en": ""}
    assert Kept(pattern, text, "nobody", text).matches(key) is same
