from __future__ import annotations

import hashlib

import pytest
from redis.asyncio import Redis

from notifications.people.keys import PeopleKeys
from notifications.people.known import Known
from notifications.people.sessions import MAX_SESSIONS, Sessions
from tests.notifications.people.conftest import added
from tests.notifications.people.test_register import ADMIN
from tests.notifications.test_tokens import everything


async def begun(people: Known, name: str = "an") -> str:
    user = await people.register.find(name)
    assert user is not None
    return await people.sessions.begin(user, address="192.0.2.1", browser="Firefox, Windows")


async def test_is_known_by_its_token(people: Known) -> None:
    user = await added(people)
    token = await begun(people)
    found = await people.sessions.find(token)
    assert found is not None
    assert found.user == user
    assert (found.session.user, found.session.address, found.session.browser) == (
        "an", "192.0.2.1", "Firefox, Windows",
    )  # fmt: skip
    assert found.session.until_ms - found.session.made_ms == 12 * 3_600_000


async def test_the_store_does_not_hold_the_token(people: Known, redis: Redis, prefix: str) -> None:
    await added(people)
    token = await begun(people)
    names = [name async for name in redis.scan_iter(match=f"{prefix}:*")]
    assert not [name for name in names if token.encode() in name]
    assert [name for name in names if hashlib.sha256(token.encode()).hexdigest().encode() in name]
    for name in names:
        if await redis.type(name) == b"zset":
            assert token.encode() not in b"".join(await redis.zrange(name, 0, -1))
            await redis.delete(name)
    assert token not in await everything(redis, prefix)


@pytest.mark.parametrize("text", ["", "0" * 64, "x" * 64, "0" * 63, "é" * 64, "0" * 65])
async def test_what_is_no_token_finds_nobody(people: Known, text: str) -> None:
    await added(people)
    assert await people.sessions.find(text) is None


async def test_ends_at_sign_out(people: Known) -> None:
    user = await added(people)
    one, two = await begun(people), await begun(people)
    found = await people.sessions.find(one)
    assert found is not None
    await people.sessions.end(found.session)
    assert await people.sessions.find(one) is None
    assert await people.sessions.find(two) is not None
    assert len(await people.sessions.list(user)) == 1


async def test_what_changes_of_a_user_holds_at_the_next_look(people: Known) -> None:
    await added(people, role="admin")
    token = await begun(people)
    await people.register.change("an", ADMIN, roles={"demo": "viewer"}, last_admin_too=True)
    found = await people.sessions.find(token)
    assert found is not None
    assert found.user.roles == {"demo": "viewer"}


async def test_who_is_disabled_is_out_and_comes_back_only_by_signing_in(people: Known) -> None:
    await added(people)
    token = await begun(people)
    await people.register.change("an", ADMIN, disabled=True)
    assert await people.sessions.find(token) is None
    await people.register.change("an", ADMIN, disabled=False)
    assert await people.sessions.find(token) is None


async def test_a_new_password_ends_all(people: Known) -> None:
    await added(people)
    tokens = [await begun(people), await begun(people)]
    changed = await people.register.set_password("an", "hash", ADMIN)
    assert [await people.sessions.find(token) for token in tokens] == [None, None]
    assert await people.sessions.list(changed) == []


async def test_sign_out_everywhere(people: Known) -> None:
    await added(people)
    await added(people, "binh")
    mine, others = await begun(people), await begun(people, "binh")
    await people.register.end_sessions("an")
    assert await people.sessions.find(mine) is None
    assert await people.sessions.find(others) is not None


async def test_who_is_removed_does_not_come_back_with_another_of_the_name(people: Known) -> None:
    await added(people)
    token = await begun(people)
    await people.register.remove("an", ADMIN)
    assert await people.sessions.find(token) is None
    await added(people)
    assert await people.sessions.find(token) is None


async def test_ends_when_nobody_uses_it(people: Known, redis: Redis, prefix: str) -> None:
    await added(people)
    token = await begun(people)
    key = PeopleKeys(prefix).session(hashlib.sha256(token.encode()).hexdigest())
    assert 0 < await redis.pttl(key) <= 3_600_000
    # An hour after its last use, which was longer ago than a note is apart.
    await redis.pexpire(key, 1_000_000)
    await redis.hincrby(key, "seen_ms", -120_000)
    await people.sessions.find(token, used=False)
    assert await redis.pttl(key) <= 1_000_000
    await people.sessions.find(token)
    assert await redis.pttl(key) > 3_500_000


async def test_is_not_prolonged_beyond_its_end(people: Known, redis: Redis, prefix: str) -> None:
    await added(people)
    token = await begun(people)
    key = PeopleKeys(prefix).session(hashlib.sha256(token.encode()).hexdigest())
    await redis.hincrby(key, "seen_ms", -120_000)
    await redis.hincrby(key, "until_ms", 600_000 - 12 * 3_600_000)
    assert await people.sessions.find(token) is not None
    assert 0 < await redis.pttl(key) <= 600_000
    await redis.hincrby(key, "until_ms", -700_000)
    assert await people.sessions.find(token) is None
    assert not await redis.exists(key)


async def test_its_use_is_noted_once_a_minute(people: Known, redis: Redis) -> None:
    await added(people)
    token = await begun(people)
    before = await redis.info("commandstats")
    found = [await people.sessions.find(token) for _ in range(20)]
    after = await redis.info("commandstats")
    assert len({each.session.seen_ms for each in found if each is not None}) == 1

    def calls(stats: dict[str, dict[str, int]], name: str) -> int:
        return stats.get(f"cmdstat_{name}", {"calls": 0})["calls"]

    # One script a look, and the first time its text.
    assert calls(after, "evalsha") - calls(before, "evalsha") in (20, 21)


async def test_too_many_end_the_oldest(people: Known) -> None:
    user = await added(people)
    tokens = [await begun(people) for _ in range(MAX_SESSIONS + 2)]
    found = [await people.sessions.find(token) for token in tokens]
    assert len([each for each in found if each is not None]) == MAX_SESSIONS
    assert found[-1] is not None
    assert len(await people.sessions.list(user)) == MAX_SESSIONS


async def test_lists_the_latest_first(people: Known, redis: Redis, prefix: str) -> None:
    user = await added(people)
    for _ in range(3):
        await begun(people)
    listed = await people.sessions.list(user)
    assert [each.made_ms for each in listed] == sorted((each.made_ms for each in listed), reverse=True)
    assert len({each.id for each in listed}) == 3
    # One that ran out is in the list of digests still.
    await redis.delete(PeopleKeys(prefix).session(listed[0].digest))
    assert await people.sessions.list(user) == listed[1:]
    short = Sessions(redis, prefix, idle_seconds=60, lifetime_seconds=60)
    assert await short.list(user) == listed[1:]
