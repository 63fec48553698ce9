from __future__ import annotations

import contextlib
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import lifecycle
from notifications.errors import ActionRefused
from tests.notifications.making import NOW_MS, announcement

DOCUMENT = Path(__file__).parents[2] / "docs" / "announcements.md"

OVER = ("recalled", "expired", "missed", "rejected", "discarded")

states = st.sampled_from(get_args(lifecycle.State))
actions = st.sampled_from(get_args(lifecycle.Action))


def test_the_table_speaks_of_every_state() -> None:
    assert set(lifecycle.TABLE) == set(get_args(lifecycle.State))


@given(st.lists(actions, max_size=12))
def test_what_is_over_stays_over(acts: list[lifecycle.Action]) -> None:
    state: lifecycle.State = lifecycle.BEGINNING
    for act in acts:
        before = state
        try:
            state = lifecycle.after(state, act)
        except ActionRefused as refused:
            assert (refused.state, refused.action) == (before, act)
        if before in OVER:
            assert state == before


@pytest.mark.parametrize("state", ["recalled", "expired"])
def test_says_why_what_is_over_cannot_be_updated(state: lifecycle.State) -> None:
    with pytest.raises(ActionRefused, match=f"is {state} and cannot be updated"):
        lifecycle.after(state, "update")


@given(st.lists(actions, max_size=12))
def test_nothing_goes_out_after_an_edit_that_was_not_decided_on_anew(acts: list[lifecycle.Action]) -> None:
    state: lifecycle.State = lifecycle.BEGINNING
    for act in acts:
        with contextlib.suppress(ActionRefused):
            state = lifecycle.after(state, act)
            if act == "edit":
                assert state == "draft"


def test_only_what_waits_can_be_approved_of() -> None:
    deciding = {"endorse", "approve", "return", "reject"}
    assert [state for state, ways in lifecycle.TABLE.items() if deciding & ways.keys()] == ["waiting"]


def test_repeating_a_recall_is_no_error() -> None:
    assert lifecycle.after("recalled", "recall") == "recalled"


def test_expires_at_the_millisecond() -> None:
    one = announcement(expires_ms=NOW_MS)
    assert lifecycle.state_at(one, NOW_MS - 1) == "live"
    assert lifecycle.state_at(one, NOW_MS) == "expired"


def test_what_was_recalled_does_not_expire() -> None:
    assert lifecycle.state_at(announcement(status="recalled"), NOW_MS + 10**9) == "recalled"


def test_the_diagram_in_the_documentation_is_the_table() -> None:
    assert f"```mermaid\n{lifecycle.diagram()}\n```" in DOCUMENT.read_text("utf-8")
