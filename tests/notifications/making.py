"""Announcements for tests: a whole history from a few numbers, as the store would have written it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from notifications.actor import Actor, Principal
from notifications.announcement import Announcement, Draft
from notifications.people.rights import Role
from notifications.view import Entry, Head, beginning, chained

NOW_MS = 1_795_000_000_000
EPOCH = "9f2c41d0"


def by(owner: str) -> Actor:
    """Somebody who acts, by the id of their token."""
    return Actor(owner=owner, name=f"the token {owner}", role="editor", address="192.0.2.7")


def ahead(zone: str) -> datetime:
    """Eight in the morning in a month, by the clocks of `zone`: for those who ask the real clock what has passed."""
    day = datetime.now(UTC).date() + timedelta(days=30)
    return datetime.combine(day, time(8), ZoneInfo(zone))


def wall(moment: datetime) -> str:
    """As one types what a clock on the wall shows."""
    return f"{moment:%Y-%m-%dT%H:%M}"


def person(owner: str, role: Role = "editor", *sites: str) -> Principal:
    """Somebody who asks, with a role on some sites, or on all."""
    return Principal(
        owner=owner, name=f"{owner} by name", roles=dict.fromkeys(sites or ("*",), role), address="192.0.2.7"
    )


def draft(**members: Any) -> Draft:
    """A valid draft, with `members` different."""
    return Draft(**{"sites": ("demo",), "severity": "breaking", "title": "Lũ lên nhanh", "expires_in": 3600, **members})


def announcement(id: str = "a", revision: int = 1, **members: Any) -> Announcement:
    """A live announcement that expires in an hour, with `members` different."""
    usual: dict[str, Any] = {
        "version": 1,
        "status": "live",
        "published_ms": NOW_MS,
        "updated_ms": NOW_MS,
        "expires_ms": NOW_MS + 3_600_000,
        "again": 1,
        "sites": ("demo",),
        "severity": "notice",
        "title": f"{id} in revision {revision}",
    }
    return Announcement(id=id, revision=revision, **{**usual, **members})


class History:
    """A log in memory that chains its entries as the script does."""

    def __init__(self, epoch: str = EPOCH) -> None:
        self.epoch = epoch
        self.chain = beginning(epoch)
        self.entries: list[Entry] = []

    def write(self, one: Announcement) -> Entry:
        """Appends `one` under the next version."""
        one = msgspec.structs.replace(one, version=len(self.entries) + 1)
        payload = msgspec.json.encode(one)
        self.chain = chained(self.chain, one.id, one.revision, payload)
        self.entries.append(Entry(one.version, self.chain, payload, one))
        return self.entries[-1]

    def head(self, now_ms: int = NOW_MS) -> Head:
        """Where it is."""
        return Head(now_ms, self.epoch, len(self.entries), self.chain)
