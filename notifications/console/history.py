"""What became of an announcement: the entries of the audit trail that tell of it.

The trail is one for all. An announcement's id says when it was written, and the trail's entries stand in order of time,
so only what was done since then is looked through, the newest first, and no further than to its first revision. What
lies too far back is left out, and said to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from redis.asyncio import Redis

from notifications.announcement import Announcement
from notifications.asking import ask
from notifications.audit import Entry
from notifications.keys import Keys
from store.errors import NOT_UNDERSTOOD

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_DIGITS = 10
_PAGE = 500
_MOST_PAGES = 20
#: What a person wants to be told of, in this order.
SHOWN = (
    "severity", "title", "body", "url", "language", "texts", "sites", "audience", "test", "starts_ms", "ends_ms",
    "expires_in", "reason",
)  # fmt: skip


class History(NamedTuple):
    """The entries, the newest first, and whether these are all."""

    entries: list[Entry]
    whole: bool


async def of(redis: Redis, prefix: str, id: str) -> History:
    """What became of announcement `id`.

    Raises:
        StoreAway: The store does not answer.
    """
    audit, newest = Keys(prefix).audit, "+"
    entries: list[Entry] = []
    for _ in range(_MOST_PAGES):
        page: Any = await ask(redis.xrevrange(audit, max=newest, min=str(written_ms(id)), count=_PAGE))
        for key, fields in page:
            newest = f"({key.decode()}"
            entry = _read(fields.get(b"entry", b""))
            if entry is not None and entry.id == id:
                entries.append(entry)
                if entry.revision == 1:
                    return History(entries, True)
        if len(page) < _PAGE:
            break
    return History(entries, False)


def written_ms(id: str) -> int:
    """When the announcement was first written, by its id, in ms of Unix time."""
    number = 0
    for digit in id[:_TIME_DIGITS]:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number


def changed(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    """The members that differ between two states of an announcement, with both values; None where there is none."""
    old, new = (each if isinstance(each, Mapping) else {} for each in (before, after))
    if not old:
        return []
    return [
        (name, old.get(name), new.get(name)) for name in SHOWN if (old.get(name) or None) != (new.get(name) or None)
    ]


def differences(one: Announcement, other: Announcement) -> list[tuple[str, Any, Any]]:
    """What two revisions say otherwise, or what was typed and what is there."""
    return changed(msgspec.to_builtins(one), msgspec.to_builtins(other))


def _read(entry: bytes) -> Entry | None:
    try:
        return msgspec.json.decode(entry, type=Entry)
    except NOT_UNDERSTOOD:
        return None
