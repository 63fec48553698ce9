from __future__ import annotations

import pytest

from notifications import acts
from notifications.actor import OPERATOR
from notifications.announcement import MAX_BODY, MAX_FRAME, MAX_PATHS, Audience, Change, Draft, Text
from notifications.errors import Invalid
from notifications.greeting import frame
from tests.notifications.making import announcement, draft

GLOBS = tuple(f"/{'ữ' * 200}/{number}/**" for number in range(MAX_PATHS))
LANGUAGES = ("en", "fr", "de", "zh", "ja", "ko", "lo", "km")


def pointer(wanted: Draft) -> str:
    with pytest.raises(Invalid) as refused:
        acts.created(wanted, "draft", OPERATOR)
    (wrong,) = refused.value.wrong
    return wrong.pointer


def test_names_what_makes_it_too_large_for_pages() -> None:
    assert pointer(draft(audience=Audience(paths=GLOBS))) == "/audience"
    text = Text(title="x", body="😀" * MAX_BODY, url="https://a.vn/" + "x" * 2_000)
    assert pointer(draft(body=text.body, url=text.url, texts=dict.fromkeys(LANGUAGES, text))) == "/texts"
    with pytest.raises(Invalid, match="audience"):
        acts.changed(announcement(), "live", Change(audience=Audience(paths=GLOBS)), OPERATOR)


def test_a_frame_of_what_is_let_through_is_small_enough() -> None:
    """Taken as large as it just passes, so that nothing of a frame is left out of the measure."""
    taken = 0
    for number in range(1, MAX_PATHS):
        wanted = Audience(paths=GLOBS[:number])
        try:
            acts.created(draft(audience=wanted), "draft", OPERATOR)
        except Invalid:
            break
        taken = number
        assert (
            len(frame(announcement(audience=wanted), "0123456789abcdef-9007199254740991-" + "0" * 16)) < MAX_FRAME + 256
        )
    assert taken > 10
