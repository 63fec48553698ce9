from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.instants import rfc3339
from notifications.announcement import Announcement, Audience, Text, for_browsers, for_editors
from notifications.audience import includes, on_site
from tests.notifications.making import announcement


@given(st.integers(0, 4_102_444_800_000))
def test_instants_are_rfc_3339_to_the_millisecond(milliseconds: int) -> None:
    parsed = datetime.fromisoformat(rfc3339(milliseconds))
    assert parsed - datetime(1970, 1, 1, tzinfo=UTC) == timedelta(milliseconds=milliseconds)
    assert rfc3339(milliseconds).endswith("Z")


def test_an_instant_as_the_protocol_shows_it() -> None:
    assert rfc3339(1_795_407_916_120) == "2026-11-23T04:25:16.120Z"


def test_browsers_are_not_told_where_else_it_is_shown_nor_why_it_was_recalled() -> None:
    told = for_browsers(announcement(sites=("demo", "tinh"), reason="nhầm"))
    assert not {"sites", "reason", "version"} & set(told)


def test_browsers_are_told_of_languages_audience_and_test_only_where_there_are_any() -> None:
    rare = {"language", "texts", "audience", "test"}
    assert not rare & set(for_browsers(announcement()))
    told = msgspec.to_builtins(
        for_browsers(
            announcement(
                language="vi",
                texts={"en": Text(title="Flood")},
                audience=Audience(paths=("/tin/*",), visible=True),
                test=True,
            )
        )
    )
    assert {name: told[name] for name in rare} == {
        "language": "vi",
        "texts": {"en": {"title": "Flood"}},
        "audience": {"path": "^/tin/[^/]*$", "visible": True},
        "test": True,
    }


def test_editors_are_told_everything() -> None:
    told = msgspec.to_builtins(for_editors(announcement(reason="nhầm", late_ms=1500), "expired"))
    assert (told["status"], told["late_seconds"]) == ("expired", 1.5)
    kept = {name for name in Announcement.__struct_fields__ if not name.endswith("_ms")}
    assert kept <= set(told)


def test_the_audience_is_the_sites() -> None:
    here, there = announcement("a"), announcement("b", sites=("tinh",))
    assert on_site([here, there], "demo") == [here]
    assert includes(there, "tinh")
