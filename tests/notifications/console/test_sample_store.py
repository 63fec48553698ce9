from __future__ import annotations

import pytest
from redis.asyncio import Redis

from notifications.announcement import Draft
from notifications.console import sample_store
from notifications.console.sample_store import Samples, TooManySamples
from notifications.console.samples import BUILT_IN
from notifications.keys import SampleKeys

DRAFT = Draft(sites=("demo",), severity="info", title="Tin")


async def test_keeps_and_forgets(redis: Redis, prefix: str) -> None:
    samples = Samples(redis, prefix)
    sample = await samples.keep("Cúp nước", DRAFT, "Lan")
    assert [each.name for each in await samples.list()] == ["Cúp nước", *(each.name for each in BUILT_IN)]
    found = await samples.get(sample.id)
    assert found is not None
    assert (found.draft.title, found.by, found.at_ms > 0) == ("Tin", "Lan", True)
    assert await samples.forget(sample.id)
    assert not await samples.forget(sample.id)
    assert await samples.get(sample.id) is None


async def test_a_name_is_there_once(redis: Redis, prefix: str) -> None:
    samples = Samples(redis, prefix)
    first = await samples.keep("Cúp nước", DRAFT, "Lan")
    second = await samples.keep("cúp Nước", Draft(sites=(), severity="info", title="Tin khác"), "Minh")
    assert first.id == second.id
    assert [each.draft.title for each in await samples.list() if each.by] == ["Tin khác"]


async def test_what_comes_with_it_stays(redis: Redis, prefix: str) -> None:
    samples = Samples(redis, prefix)
    assert not await samples.forget(BUILT_IN[0].id)
    assert await samples.get(BUILT_IN[0].id) == BUILT_IN[0]


async def test_keeps_no_more_than_may_be(redis: Redis, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_store, "MOST", 2)
    samples = Samples(redis, prefix)
    for name in ("a", "b"):
        await samples.keep(name, DRAFT, "Lan")
    with pytest.raises(TooManySamples):
        await samples.keep("c", DRAFT, "Lan")
    await samples.keep("A", DRAFT, "Lan")


async def test_leaves_out_what_another_release_has_written(redis: Redis, prefix: str) -> None:
    await redis.hset(SampleKeys(prefix).samples, "x", b'{"new":1}')
    assert await Samples(redis, prefix).list() == [*BUILT_IN]
