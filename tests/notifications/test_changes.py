from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from notifications.announcement import Audience, Text, for_editors
from notifications.changes import difference
from tests.notifications.making import announcement

BEFORE = announcement("a")


def test_names_what_differs_with_both_values_in_the_words_of_the_api() -> None:
    after = msgspec.structs.replace(
        BEFORE, revision=3, version=9, updated_ms=BEFORE.updated_ms + 1000, title="Mới", texts={"en": Text(title="New")}
    )
    after = msgspec.structs.replace(after, audience=Audience(sections=("thoi-su",)))
    assert difference(for_editors(BEFORE, "live"), for_editors(after, "live")) == [
        {"field": "title", "before": BEFORE.title, "after": "Mới"},
        {"field": "texts", "before": {}, "after": {"en": {"title": "New"}}},
        {"field": "audience", "before": {}, "after": {"sections": ("thoi-su",)}},
    ]


def test_a_revision_that_says_the_same_differs_in_nothing() -> None:
    after = msgspec.structs.replace(BEFORE, revision=2, version=2, updated_ms=BEFORE.updated_ms + 5)
    assert difference(for_editors(BEFORE, "live"), for_editors(after, "live")) == []


@given(st.sampled_from(["title", "body", "url", "reason", "author_name"]), st.text(max_size=20))
def test_it_is_told_exactly_if_it_differs(field: str, text: str) -> None:
    after = msgspec.structs.replace(BEFORE, revision=2, **{field: text})
    told = difference(for_editors(BEFORE, "live"), for_editors(after, "live"))
    assert [one["field"] for one in told] == ([field] if getattr(BEFORE, field) != text else [])
    assert all((one["before"], one["after"]) == (getattr(BEFORE, field), text) for one in told)
