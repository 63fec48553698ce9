from __future__ import annotations

import time

import pytest
from redis.asyncio import Redis

from notifications.actor import Principal
from notifications.announcement import Change, Draft
from notifications.console import history
from notifications.editorial import Editorial
from notifications.log import Log
from notifications.trail import Trail
from tests.notifications.conftest import SETTINGS
from tests.notifications.making import announcement

LAN = Principal(owner="user:lan", roles={"*": "editor"}, name="Lan")


@pytest.fixture
def editorial(redis: Redis, prefix: str) -> Editorial:
    return Editorial(Log(redis, prefix, SETTINGS), Trail(redis, prefix))


async def test_tells_what_became_of_one_among_others(redis: Redis, prefix: str, editorial: Editorial) -> None:
    draft = Draft(sites=("demo",), severity="info", title="Tin")
    id = (await editorial.create(draft, then="draft", by=LAN)).announcement.id
    for number in range(3):
        await editorial.create(Draft(sites=("demo",), severity="info", title=f"Khác {number}"), by=LAN)
    await editorial.change(id, Change(title="Tin mới"), by=LAN)
    await editorial.send(id, by=LAN)
    await editorial.recall(id, "Nhầm", by=LAN)
    told = await history.of(redis, prefix, id)
    assert [entry.act for entry in told.entries] == ["recall", "send", "edit", "draft"]
    assert told.whole
    edit = told.entries[2]
    assert history.changed(edit.before, edit.after) == [("title", "Tin", "Tin mới")]
    assert history.changed(told.entries[3].before, told.entries[3].after) == []


async def test_one_that_is_too_far_back_is_said_to_be(
    redis: Redis, prefix: str, editorial: Editorial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_PAGE", 2)
    monkeypatch.setattr(history, "_MOST_PAGES", 2)
    draft = Draft(sites=("demo",), severity="info", title="Tin")
    id = (await editorial.create(draft, then="draft", by=LAN)).announcement.id
    assert (await history.of(redis, prefix, id)).whole
    for _ in range(4):
        await editorial.change(id, Change(title="Tin mới"), by=LAN)
    told = await history.of(redis, prefix, id)
    assert (len(told.entries), told.whole) == (4, False)


async def test_an_id_says_when_it_was_written(editorial: Editorial) -> None:
    draft = Draft(sites=("demo",), severity="info", title="Tin")
    id = (await editorial.create(draft, then="draft", by=LAN)).announcement.id
    assert abs(history.written_ms(id) - time.time() * 1000) < 600_000


def test_differences_are_those_of_what_people_see() -> None:
    one = announcement(title="A", version=1)
    other = announcement(title="B", version=7, updated_ms=9)
    assert history.differences(one, other) == [("title", "A", "B")]
    assert history.differences(one, one) == []
