"""What somebody may do with an announcement as it stands: which buttons a page shows.

Decides nothing: whether an act is carried out is for the editorial to say, by the same table and the same rights, at
the moment of the act. A page only must not offer what would be refused, nor hide what would not.

Pure.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from notifications.actor import Principal
from notifications.announcement import Announcement, Status
from notifications.lifecycle import TABLE
from notifications.people.rights import Right, may

#: In the order in which a page shows them.
Offer: TypeAlias = Literal[
    "recall", "correct", "send", "schedule", "submit", "approve", "return", "reject", "edit", "unschedule", "discard",
    "copy",
]  # fmt: skip
OFFERS: tuple[Offer, ...] = (
    "recall", "correct", "send", "schedule", "submit", "approve", "return", "reject", "edit", "unschedule", "discard",
    "copy",
)  # fmt: skip

_RIGHTS: dict[Offer, Right] = {
    "recall": "recall",
    "correct": "send",
    "send": "send",
    "schedule": "send",
    "submit": "write",
    "approve": "approve",
    "return": "approve",
    "reject": "approve",
    "edit": "write",
    "unschedule": "send",
    "discard": "write",
    "copy": "write",
}


def offers(one: Announcement, status: Status, by: Principal, needed: int) -> list[Offer]:
    """What `by` may do.

    Args:
        one: The announcement.
        status: Its state by the store's clock.
        by: Who looks at it.
        needed: How many approvals it takes before it goes out.
    """
    return [offer for offer in OFFERS if _allowed(offer, one, status, by, needed)]


def _allowed(offer: Offer, one: Announcement, status: Status, by: Principal, needed: int) -> bool:  # noqa: PLR0911  a line for each rule
    if not may(by.roles, _RIGHTS[offer], () if offer == "copy" else one.sites):
        return False
    ways = TABLE[status]
    if offer == "copy":
        return True
    if offer == "correct":
        # The second pair of eyes is theirs who correct what had to be approved of.
        alone = not needed or (by.who != one.author and may(by.roles, "approve", one.sites))
        return "update" in ways and alone
    if offer == "recall":
        return status == "live"
    if offer == "unschedule":
        return ("hold" if one.approvals else "unschedule") in ways
    if offer in {"send", "schedule"}:
        return offer in ways and len(one.approvals) >= needed
    if offer == "submit":
        return "submit" in ways and needed > 0
    if offer == "approve":
        return "approve" in ways and by.who != one.author and all(each.owner != by.who for each in one.approvals)
    return offer in ways


def waits_for(one: Announcement, status: Status, by: Principal) -> bool:
    """Whether `by` is asked to approve of it: nobody approves of their own, or twice."""
    return "approve" in offers(one, status, by, 1)
