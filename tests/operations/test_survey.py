"""What a store holds, sorted by what the rooms say, on both servers."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from operations.privacy import INVENTORY
from operations.survey import survey
from store.inventory import Kept

TEXT = {"vi": "x", "en": "x"}
KEPT = (
    Kept("people:{*}:here", TEXT, "pseudonyms", TEXT, members=True),
    Kept("people:*", TEXT, "numbers", TEXT),
)


async def test_keys_are_counted_under_the_first_form_that_matches(redis: Redis, prefix: str) -> None:
    await redis.zadd(f"{prefix}:people:{{a}}:here", {b"\xab" * 12: 1, b"\xcd" * 12: 2})
    await redis.expire(f"{prefix}:people:{{a}}:here", 60)
    await redis.zadd(f"{prefix}:people:{{b}}:here", {b"\xab" * 12: 1})
    await redis.expire(f"{prefix}:people:{{b}}:here", 90)
    await redis.hset(f"{prefix}:people:total", "x", "1")
    here, rest = await survey([redis], prefix, KEPT)
    assert (here.keys, here.entries, here.types, here.lasting) == (2, 3, {"zset"}, 0)
    assert here.example == "ab" * 12
    assert here.shortest_seconds is not None
    assert here.longest_seconds is not None
    assert here.shortest_seconds <= 60 < here.longest_seconds <= 90
    assert (rest.keys, rest.entries, rest.types, rest.lasting, rest.longest_seconds) == (1, 1, {"hash"}, 1, None)


async def test_a_key_that_nobody_has_told_of_is_not_hidden(redis: Redis, prefix: str) -> None:
    await redis.set(f"{prefix}:secretly", "x")
    *_, unknown = await survey([redis], prefix, KEPT)
    assert (unknown.kept, unknown.keys, unknown.example) == (None, 1, f"{prefix}:secretly")


async def test_another_installation_is_not_looked_at(redis: Redis, prefix: str) -> None:
    await redis.set(f"{prefix}x:people:1", "x")
    await redis.set(f"{prefix}*:people:1", "x")
    assert [line.keys for line in await survey([redis], f"{prefix}*", KEPT)] == [0, 1]
    assert [line.keys for line in await survey([redis], prefix, KEPT)] == [0, 0]


async def test_many_keys_are_looked_at_some_at_a_time(redis: Redis, prefix: str) -> None:
    await redis.mset({f"{prefix}:people:{number}": "x" for number in range(1200)})
    seen: list[int] = []
    _, rest = await survey([redis], prefix, KEPT, seen.append)
    assert (rest.keys, seen[-1]) == (1200, 1200)
    assert len(seen) > 1


@pytest.mark.parametrize("kept", INVENTORY, ids=lambda kept: kept.pattern)
def test_each_form_is_told_of_in_both_languages(kept: Kept) -> None:
    assert {*kept.what} == {*kept.ends} == {"vi", "en"}
    assert all([*kept.what.values(), *kept.ends.values()])
