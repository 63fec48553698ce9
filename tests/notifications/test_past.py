"""Earlier revisions, found in the audit trail of real stores."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from notifications import past
from notifications.announcement import Change
from notifications.keys import Keys
from notifications.log import Log
from notifications.past import revision_of
from tests.notifications.conftest import SETTINGS
from tests.notifications.making import by, draft


async def test_each_revision_is_found_as_it_was(redis: Redis, prefix: str) -> None:
    log, keys = Log(redis, prefix, SETTINGS), Keys(prefix)
    first = (await log.publish(draft(title="một"), by=by("t"))).announcement
    other = (await log.publish(draft(title="khác"), by=by("t"))).announcement
    for title in ("hai", "ba"):
        await log.update(first.id, Change(title=title), by=by("t"))
    await log.recall(first.id, by=by("t"))
    found = [await revision_of(redis, keys, first.id, revision) for revision in (1, 2, 3, 4, 5)]
    assert [one and (one.revision, one.title) for one in found] == [(1, "một"), (2, "hai"), (3, "ba"), (4, "ba"), None]
    assert found[0] == first
    assert await revision_of(redis, keys, other.id, 1) == other


async def test_what_is_too_long_ago_is_not_looked_for(
    redis: Redis, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "_LOOKED_THROUGH", 4)
    monkeypatch.setattr(past, "_PAGE", 2)
    log, keys = Log(redis, prefix, SETTINGS), Keys(prefix)
    one = (await log.publish(draft(), by=by("t"))).announcement
    for number in range(3):
        await log.publish(draft(title=f"{number}"), by=by("t"))
    assert await revision_of(redis, keys, one.id, 1) is not None
    await log.publish(draft(), by=by("t"))
    assert await revision_of(redis, keys, one.id, 1) is None


async def test_an_entry_that_is_none_is_passed_over(redis: Redis, prefix: str) -> None:
    log, keys = Log(redis, prefix, SETTINGS), Keys(prefix)
    one = (await log.publish(draft(), by=by("t"))).announcement
    await redis.xadd(keys.audit, {"entry": f'{{"id":"{one.id}"', "chain": ""})
    await redis.xadd(keys.audit, {"entry": f'{{"seq":1,"at_ms":1,"act":"x","owner":"","id":"{one.id}","after":{{}}}}'})
    assert await revision_of(redis, keys, one.id, 1) == one
