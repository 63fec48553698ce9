"""An earlier revision of an announcement. The store's state knows the newest alone; the audit trail has written down
the others."""

from __future__ import annotations

from typing import Any

import msgspec
from redis.asyncio import Redis

from notifications.announcement import Announcement
from notifications.asking import ask
from notifications.audit import Entry
from notifications.keys import Keys
from store.errors import NOT_UNDERSTOOD

# Of the newest entries, about 2 KB each: an editor whose view is older than so many acts is shown what is there now.
_LOOKED_THROUGH = 400
_PAGE = 100


async def revision_of(redis: Redis, keys: Keys, id: str, revision: int) -> Announcement | None:
    """That revision of announcement `id`; None if it is too long ago.

    Raises:
        StoreAway: The store does not answer.
    """
    name, latest = f'"id":"{id}"'.encode(), "+"
    for _ in range(_LOOKED_THROUGH // _PAGE):
        page: Any = await ask(redis.xrevrange(keys.audit, max=latest, count=_PAGE))
        for entry_id, fields in page:
            latest = f"({entry_id.decode()}"
            written = fields.get(b"entry", b"")
            # Most are about others, and need not be understood.
            if name in written and (found := _in(written, id, revision)):
                return found
        if len(page) < _PAGE:
            break
    return None


def _in(written: bytes, id: str, revision: int) -> Announcement | None:
    try:
        entry = msgspec.json.decode(written, type=Entry)
        sides = [msgspec.convert(one, Announcement) for one in (entry.after, entry.before) if one is not None]
    except NOT_UNDERSTOOD:
        return None
    return next((one for one in sides if (one.id, one.revision) == (id, revision)), None)
