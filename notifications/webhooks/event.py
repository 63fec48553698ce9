"""What is an event, whom it concerns, and how it is told.

The source is the audit trail: it has every act in order, in the same step as the act itself, is never cut, and says
what there was before. From the two states alone it follows what has happened, whatever the act is called. That an
announcement has expired is nobody's act and in no trail: for that its state is looked at when its time has come.

Pure.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from msgspec import Raw, Struct

from gateway.instants import rfc3339
from notifications.announcement import Announcement, Status, for_editors
from notifications.webhooks.webhook import TEST_EVENT, Event, Webhook


class Happening(NamedTuple):
    """Something that webhooks are told of.

    Attributes:
        id: Where it stands in the audit trail; of an expiry, that with ``-expired`` after the announcement's id.
        at_ms: When it happened, by the store's clock.
        event: What.
        announcement: As it was then.
    """

    id: str
    at_ms: int
    event: Event
    announcement: Announcement

    @property
    def message_id(self) -> str:
        """The ``webhook-id``: the same at every try, also of another worker, and never that of anything else."""
        return f"msg_{self.announcement.id}_{self.announcement.revision}_{self.id}"


class _Act(Struct):
    """What is read of an entry of the audit trail; the rest is not our business."""

    at_ms: int
    act: str
    revision: int = 0
    before: Raw = Raw(b"null")
    after: Raw = Raw(b"null")


class _Before(Struct):
    status: str = ""


_ACT = msgspec.json.Decoder(_Act)
_BEFORE = msgspec.json.Decoder(_Before | None)
_AFTER = msgspec.json.Decoder(Announcement | None)


def happening(id: str, entry: bytes) -> Happening | None:
    """What entry `id` of the audit trail tells; None if it is nothing that webhooks are told of.

    Raises:
        msgspec.DecodeError: This release does not understand it.
    """
    act = _ACT.decode(entry)
    # "approve.refused", "token.create": what is no act on an announcement has a dot.
    if "." in act.act or not act.revision:
        return None
    before, after = _BEFORE.decode(act.before), _AFTER.decode(act.after)
    event = _event(before.status if before is not None else "", after) if after is not None else None
    return Happening(id, act.at_ms, event, after) if event is not None and after is not None else None


def _event(before: str, after: Announcement) -> Event | None:
    if after.status == "live":
        return "announcement.updated" if before == "live" else "announcement.live"
    if after.status == before:
        return None
    if after.status == "waiting":
        return "announcement.submitted"
    return "announcement.recalled" if after.status == "recalled" else None


def expiry(announcement: Announcement) -> Happening:
    """That `announcement`, which was live to its end, has expired."""
    return Happening(f"{announcement.id}-expired", announcement.expires_ms, "announcement.expired", announcement)


def concerns(webhook: Webhook, happening: Happening) -> bool:
    """Whether `webhook` is told of it."""
    return happening.event in webhook.events and follows(webhook, happening.announcement)


def follows(webhook: Webhook, announcement: Announcement) -> bool:
    """Whether `announcement` is one of those `webhook` is about."""
    if announcement.test and not webhook.tests:
        return False
    return not webhook.sites or any(site in webhook.sites for site in announcement.sites)


def body(happening: Happening) -> bytes:
    """What is posted; the same bytes at every try."""
    status: Status = "expired" if happening.event == "announcement.expired" else happening.announcement.status
    data = for_editors(happening.announcement, status)
    return msgspec.json.encode({"type": happening.event, "timestamp": rfc3339(happening.at_ms), "data": data})


def test_body(webhook: Webhook, now_ms: int) -> bytes:
    """What a test posts."""
    data = {"webhook": webhook.id, "events": webhook.events, "sites": webhook.sites}
    return msgspec.json.encode({"type": TEST_EVENT, "timestamp": rfc3339(now_ms), "data": data})


def place(id: str) -> tuple[int, int]:
    """Where an id of the trail stands, for comparing; what is no such id stands last."""
    first, _, second = id.partition("-")
    return (int(first), int(second)) if first.isdigit() and second.isdigit() else (1 << 62, 0)
