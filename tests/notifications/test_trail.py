"""The audit trail as the store writes it, on both servers."""

from __future__ import annotations

import msgspec
import pytest
from redis.asyncio import Redis

from notifications.actor import OPERATOR
from notifications.announcement import Announcement, Change
from notifications.audit import BEGINNING, Entry, Verifier
from notifications.errors import TooManyActive
from notifications.keys import Keys
from notifications.log import Log
from notifications.settings import NotificationsSettings
from notifications.tokens import Tokens
from notifications.trail import Trail
from tests.notifications.making import by, draft


@pytest.fixture
def trail(redis: Redis, prefix: str) -> Trail:
    return Trail(redis, prefix)


async def entries(trail: Trail) -> list[Entry]:
    """All entries, which are found to be in order."""
    verifier = Verifier()
    found = []
    async for line in trail.lines():
        assert verifier.take(line) is None
        found.append(msgspec.json.decode(line.entry, type=Entry))
    assert verifier.finish(await trail.last()) is None
    return found


async def test_nothing_was_done_yet(trail: Trail) -> None:
    assert await entries(trail) == []
    assert await trail.last() == (0, BEGINNING)


async def test_every_act_is_written_down_with_before_and_after(log: Log, trail: Trail) -> None:
    one = (await log.publish(draft(title='Lũ "lên"'), by=by("t"))).announcement
    two = (await log.update(one.id, Change(title="Lũ xuống"), by=by("u"))).announcement
    three = (await log.recall(one.id, "nhầm", by=by("v"))).announcement
    first, second, third = await entries(trail)
    assert [entry.act for entry in (first, second, third)] == ["publish", "update", "recall"]
    assert [entry.owner for entry in (first, second, third)] == ["t", "u", "v"]
    assert (first.name, first.role, first.address) == ("the token t", "editor", "192.0.2.7")
    assert (first.id, first.revision, first.at_ms) == (one.id, 1, one.updated_ms)
    assert first.before is None
    assert [msgspec.convert(entry.after, Announcement) for entry in (first, second, third)] == [one, two, three]
    assert [msgspec.convert(entry.before, Announcement) for entry in (second, third)] == [one, two]


async def test_what_changes_nothing_is_not_written_down(redis: Redis, prefix: str, trail: Trail) -> None:
    log = Log(redis, prefix, NotificationsSettings(max_active=1))
    one = (await log.publish(draft(), by=by("t"), key="k")).announcement
    assert (await log.publish(draft(), by=by("t"), key="k")).replayed
    with pytest.raises(TooManyActive):
        await log.publish(draft(), by=by("t"))
    await log.recall(one.id, by=by("t"))
    assert (await log.recall(one.id, by=by("t"))).replayed
    assert [entry.act for entry in await entries(trail)] == ["publish", "recall"]


async def test_tokens_are_written_down_without_their_secret(redis: Redis, prefix: str, trail: Trail) -> None:
    tokens = Tokens(redis, prefix)
    new = await tokens.create("CMS", expires_in_seconds=60)
    assert await tokens.revoke(new.token.id)
    assert not await tokens.revoke(new.token.id)
    made, ended = await entries(trail)
    assert (made.act, ended.act) == ("token.create", "token.revoke")
    assert (made.owner, made.id) == (OPERATOR.owner, new.token.id)
    told = {"name": "CMS", "role": "editor", "sites": ["*"], "expires_ms": new.token.expires_ms}
    assert (made.before, made.after, ended.before, ended.after) == (None, told, told, None)


async def test_a_trail_that_was_tampered_with_keeps_nobody_from_announcing(
    log: Log, trail: Trail, redis: Redis, prefix: str
) -> None:
    for number in range(3):
        await log.publish(draft(title=f"{number}"), by=by("t"))
    keys = Keys(prefix)
    last = (await redis.xrevrange(keys.audit, count=1))[0][0]
    await redis.xdel(keys.audit, last)
    await log.publish(draft(), by=by("t"))
    verifier = Verifier()
    faults = [verifier.take(line) async for line in trail.lines()]
    assert [fault and fault.why for fault in faults] == [None, None, "entry 3 is missing"]


async def test_a_long_one_is_read_in_pages(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.trail._PAGE", 2)
    for number in range(5):
        await trail.record("token.create", OPERATOR, {"id": str(number)})
    assert [entry.id for entry in await entries(trail)] == ["0", "1", "2", "3", "4"]
