from __future__ import annotations

from itertools import product

import pytest

from notifications.actor import Principal
from notifications.announcement import STATUSES, Approval, Status
from notifications.console.possible import OFFERS, Offer, offers, waits_for
from notifications.lifecycle import TABLE
from notifications.people.rights import ROLES, Role
from tests.notifications.making import announcement

LAN = Principal(owner="user:lan", roles={"*": "editor"})
MINH = Principal(owner="user:minh", roles={"*": "approver"})
AN = Principal(owner="user:an", roles={"*": "approver"})


def shown(status: Status, by: Principal = LAN, needed: int = 0, **fields: object) -> list[Offer]:
    stored = "live" if status == "expired" else status
    one = announcement(status=stored, author="user:lan", sites=("demo",), **fields)
    return offers(one, status, by, needed)


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("draft", ["send", "schedule", "edit", "discard", "copy"]),
        ("waiting", ["edit", "discard", "copy"]),
        ("scheduled", ["send", "edit", "unschedule", "discard", "copy"]),
        ("live", ["recall", "correct", "copy"]),
        ("expired", ["copy"]),
        ("recalled", ["copy"]),
        ("rejected", ["copy"]),
    ],
)
def test_offers_what_the_state_allows(status: Status, offered: list[Offer]) -> None:
    assert shown(status) == offered


def test_what_needs_approval_is_submitted_and_not_sent() -> None:
    assert shown("draft", needed=1) == ["submit", "edit", "discard", "copy"]
    approved = (Approval(owner="user:minh", name="Minh", at_ms=1),)
    assert "send" in shown("approved", needed=1, approvals=approved)
    assert "send" not in shown("approved", needed=2, approvals=approved)


def test_nobody_is_asked_to_approve_of_their_own_or_twice() -> None:
    assert shown("waiting", MINH, 1)[:3] == ["approve", "return", "reject"]
    assert "approve" not in shown("waiting", LAN, 1)
    once = (Approval(owner="user:minh", name="Minh", at_ms=1),)
    assert "approve" not in shown("waiting", MINH, 2, approvals=once)
    assert "approve" in shown("waiting", AN, 2, approvals=once)
    own = announcement(status="waiting", author="user:minh", sites=("demo",))
    assert not waits_for(own, "waiting", MINH)
    assert waits_for(own, "waiting", AN)


def test_what_had_to_be_approved_is_corrected_by_other_eyes() -> None:
    assert "correct" not in shown("live", LAN, 1)
    assert "correct" in shown("live", MINH, 1)
    assert "recall" in shown("live", LAN, 1)


@pytest.mark.parametrize(("role", "status"), [*product(ROLES, STATUSES)])
def test_offers_nothing_that_the_table_has_no_way_for(role: Role, status: Status) -> None:
    by = Principal(owner="user:x", roles={"demo": role})
    ways = {
        "recall": "recall", "correct": "update", "send": "send", "schedule": "schedule", "submit": "submit",
        "approve": "approve", "return": "return", "reject": "reject", "edit": "edit", "discard": "discard",
    }  # fmt: skip
    for offer in shown(status, by, 0):
        assert offer in OFFERS
        assert role not in {"viewer", "operator"}
        if offer in ways:
            assert ways[offer] in TABLE[status]


def test_a_role_elsewhere_gives_no_more_than_a_copy() -> None:
    assert shown("live", Principal(owner="user:x", roles={"bao": "approver", "demo": "viewer"})) == ["copy"]
