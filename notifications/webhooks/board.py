"""What waits to be delivered to which webhook, as the worker that delivers knows it; and what of it is next.

One message at a time goes to a webhook. What concerns the same announcement goes in order; what concerns another one
does not wait for what fails.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from notifications.webhooks import event
from notifications.webhooks.event import Happening
from notifications.webhooks.webhook import Event, Webhook


class Waiting(Struct, frozen=True, kw_only=True):
    """What waits to be delivered, or is dead. What is told is in the audit trail, and is read when it is its turn.

    Attributes:
        announcement: Its id.
        event: What is told of it.
        at_ms: When that happened.
        due_ms: When it is tried next.
        tries: How often it was tried.
        why: What came of the last try.
    """

    announcement: str
    event: Event
    at_ms: int
    due_ms: int
    tries: int = 0
    why: str = ""


class Next(NamedTuple):
    """What is delivered next to a webhook."""

    webhook: Webhook
    happening: str
    waiting: Waiting


class Board:
    """All webhooks that are told of anything.

    Attributes:
        webhooks: By id.
        cursors: How far into the audit trail each has got.
        waiting: What waits for each, by happening, the oldest first.
        held_ms: Until when nothing is sent to a webhook, since it asked so.
    """

    def __init__(
        self,
        webhooks: Mapping[str, Webhook] | None = None,
        cursors: Mapping[str, str] | None = None,
        waiting: Mapping[str, Mapping[str, Waiting]] | None = None,
    ) -> None:
        self.webhooks = dict(webhooks or {})
        self.cursors = {id: (cursors or {}).get(id, "0-0") for id in self.webhooks}
        self.waiting = {id: _in_order((waiting or {}).get(id, {})) for id in self.webhooks}
        self.held_ms: dict[str, int] = {}

    @property
    def oldest_ms(self) -> int:
        """When that happened which waits longest; 0 if nothing waits."""
        return min((one.at_ms for waiting in self.waiting.values() for one in waiting.values()), default=0)

    def next(self, busy: Mapping[str, object], now_ms: int) -> list[Next]:
        """What goes next to each webhook that is not `busy`, whenever it is due; what is due first comes first."""
        free = [id for id in self.webhooks if id not in busy and self.held_ms.get(id, 0) <= now_ms]
        found = [one for id in free if (one := self._next(id)) is not None]
        return sorted(found, key=lambda one: one.waiting.due_ms)

    def _next(self, id: str) -> Next | None:
        best: Next | None = None
        seen: set[str] = set()
        for happening, waiting in self.waiting[id].items():
            first = waiting.announcement not in seen
            seen.add(waiting.announcement)
            if first and (best is None or waiting.due_ms < best.waiting.due_ms):
                best = Next(self.webhooks[id], happening, waiting)
        return best

    def keep(self, id: str, happening: str, waiting: Waiting) -> None:
        """It waits, as it does now."""
        if id in self.waiting:
            self.waiting[id][happening] = waiting

    def drop(self, id: str, happening: str) -> None:
        """It does not wait any more."""
        if id in self.waiting:
            self.waiting[id].pop(happening, None)

    def forget(self, id: str) -> None:
        """Nothing is sent to webhook `id` any more."""
        for of_each in (self.webhooks, self.cursors, self.waiting):
            of_each.pop(id, None)


def first(happenings: Sequence[Happening], webhook: Webhook) -> dict[str, Waiting]:
    """Those of `happenings` that `webhook` is told of, due at once."""
    return {
        one.id: Waiting(announcement=one.announcement.id, event=one.event, at_ms=one.at_ms, due_ms=one.at_ms)
        for one in happenings
        if event.concerns(webhook, one)
    }


def followed(happenings: Sequence[Happening], webhook: Webhook) -> dict[str, int | None]:
    """When those of `happenings` that `webhook` wants to know the end of expire; None of what was recalled."""
    if "announcement.expired" not in webhook.events:
        return {}
    return {
        one.announcement.id: one.announcement.expires_ms if one.announcement.status == "live" else None
        for one in happenings
        if one.announcement.status in ("live", "recalled") and event.follows(webhook, one.announcement)
    }


def _in_order(waiting: Mapping[str, Waiting]) -> dict[str, Waiting]:
    return dict(sorted(waiting.items(), key=lambda one: (one[1].at_ms, event.place(one[0]))))
