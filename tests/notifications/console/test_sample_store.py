from __future__ import annotations

import msgspec
import pytest
from redis.asyncio import Redis

from notifications.actor import Actor
from notifications.announcement import Draft
from notifications.audit import Entry
from notifications.console import sample_store
from notifications.console.sample_store import Samples, TooManySamples
from notifications.console.samples import BUILT_IN
from notifications.keys import SampleKeys
from notifications.trail import Trail

LAN, MINH = (Actor(owner=f"user:{name.lower()}", name=name, role="editor") for name in ("Lan", "Minh"))
DRAFT = Draft(sites=("demo",), severity="info", title="Tin")


async def test_keeps_and_forgets(redis: Redis, prefix: str) -> None:
    samples = Samples(redis, prefix)
    sample = await samples.keep("Cúp nước", DRAFT, LAN)
    assert [each.name for each in await samples.list()] == ["Cúp nước", *(each.name for each in BUILT_IN)]
    found = await samples.get(sample.id)
    assert found is not None
    assert (found.draft.title, found.by, found.at_ms > 0) == ("Tin", "Lan", True)
    assert await samples.forget(sample.id, LAN)
    assert not await samples.forget(sample.id, LAN)
    assert await samples.get(sample.id) is None


async def test_the_trail_says_who_kept_what_in_place_of_what(redis: Redis, prefix: str) -> None:
    samples = Samples(redis, prefix)
    sample = await samples.keep("Cúp nước", DRAFT, LAN)
    await samples.keep("Cúp nước", Draft(sites=(), severity="notice", title="Tin khác"), MINH)
    await samples.forget(sample.id, LAN)
    await samples.forget(sample.id, LAN)
    entries = [msgspec.json.decode(line.entry, type=Entry) async for line in Trail(redis, prefix).lines()]
    assert [(one.act, one.name, one.id) for one in entries] == [
        ("template.keep", "Lan", sample.id),
        ("template.keep", "Minh", sample.id),
        ("template.remove", "Lan", sample.id),
    ]
    kept, changed, removed = entries
    assert kept.before is None
    assert (kept.after["name"], kept.after["severity"], kept.after["title"]) == ("Cúp nước", "info", "Tin")
    assert (changed.before, changed.after["title"]) == (kept.after, "Tin khác")
    assert (removed.before, removed.after) == (changed.after, None)


async def test_a_name_is_there_once(redis: Redis, prefix: str) -> None:
    samples = Samples(redis, prefix)
    first = await samples.keep("Cúp nước", DRAFT, LAN)
    second = await samples.keep("cúp Nước", Draft(sites=(), severity="info", title="Tin khác"), MINH)
    assert first.id == second.id
    assert [each.draft.title for each in await samples.list() if each.by] == ["Tin khác"]


async def test_what_comes_with_it_stays(redis: Redis, prefix: str) -> None:
    samples = Samples(redis, prefix)
    assert not await samples.forget(BUILT_IN[0].id, LAN)
    assert await samples.get(BUILT_IN[0].id) == BUILT_IN[0]


async def test_keeps_no_more_than_may_be(redis: Redis, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_store, "MOST", 2)
    samples = Samples(redis, prefix)
    for name in ("a", "b"):
        await samples.keep(name, DRAFT, LAN)
    with pytest.raises(TooManySamples):
        await samples.keep("c", DRAFT, LAN)
    await samples.keep("A", DRAFT, LAN)


async def test_leaves_out_what_another_release_has_written(redis: Redis, prefix: str) -> None:
    await redis.hset(SampleKeys(prefix).samples, "x", b'{"new":1}')
    assert await Samples(redis, prefix).list() == [*BUILT_IN]
