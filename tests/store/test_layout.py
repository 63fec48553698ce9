from __future__ import annotations

import pytest
from redis.asyncio import Redis

from store.errors import LayoutTooNew, LayoutTooOld, LayoutUnreadable
from store.layout import LAYOUT, ensure, judge, key, migrate

WHERE = "redis://example"


async def test_the_first_start_writes_it_and_the_next_reads_it(redis: Redis, prefix: str) -> None:
    await ensure(redis, prefix, WHERE)
    assert await redis.get(key(prefix)) == str(LAYOUT).encode()
    await ensure(redis, prefix, WHERE)


async def test_a_newer_one_is_refused_and_left(redis: Redis, prefix: str) -> None:
    await redis.set(key(prefix), LAYOUT + 1)
    with pytest.raises(LayoutTooNew) as refused:
        await ensure(redis, prefix, WHERE)
    assert str(refused.value) == (
        f"a newer release of Loa has written the data at {WHERE} (layout {LAYOUT + 1}; this release knows {LAYOUT}); "
        "run that release, or restore a backup of this one into an empty store"
    )
    assert await redis.get(key(prefix)) == str(LAYOUT + 1).encode()


def test_an_older_one_names_the_command() -> None:
    with pytest.raises(LayoutTooOld, match="stop all nodes, run 'loa backup FILE', then 'loa migrate'"):
        judge(b"1", WHERE, current=2)


@pytest.mark.parametrize("found", [b"", b"-1", b"1.0", b"one", b"\xff", b"9999999999", "١"])
def test_what_is_no_layout_is_refused(found: bytes | str) -> None:
    with pytest.raises(LayoutUnreadable, match=r"redis\.prefix"):
        judge(found, WHERE)


async def test_steps_are_taken_one_by_one_and_written_down(redis: Redis, prefix: str) -> None:
    await redis.set(key(prefix), 1)
    taken: list[str] = []

    async def first(_redis: Redis, _prefix: str) -> None:
        taken.append("1 to 2")

    async def second(_redis: Redis, _prefix: str) -> None:
        taken.append("2 to 3")
        if len(taken) == 2:
            raise RuntimeError("cut off")

    steps = {1: first, 2: second}
    with pytest.raises(RuntimeError, match="cut off"):
        await migrate(redis, prefix, WHERE, current=3, migrations=steps)
    assert await redis.get(key(prefix)) == b"2"
    assert await migrate(redis, prefix, WHERE, current=3, migrations=steps) == [3]
    assert taken == ["1 to 2", "2 to 3", "2 to 3"]
    assert await migrate(redis, prefix, WHERE, current=3, migrations=steps) == []


async def test_where_no_step_leads_on_it_says_so(redis: Redis, prefix: str) -> None:
    await redis.set(key(prefix), 1)
    with pytest.raises(LayoutTooOld, match="with a release between the two"):
        await migrate(redis, prefix, WHERE, current=3, migrations={})


async def test_an_empty_store_has_the_present_one(redis: Redis, prefix: str) -> None:
    assert await migrate(redis, prefix, WHERE) == []
    assert await redis.get(key(prefix)) == str(LAYOUT).encode()
