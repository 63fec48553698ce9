from __future__ import annotations

import re
from typing import get_args

import pytest
from redis.asyncio import Redis

from notifications.audit import Act
from notifications.console.trail_pages import ACTS, PAGE, Difference, differences
from notifications.keys import Keys
from notifications.trail import Trail
from tests.notifications.console.visitor import House
from tests.notifications.making import person
from tests.notifications.people.conftest import added


async def test_the_newest_first_some_at_a_time(house: House) -> None:
    await added(house.people, "chi", "admin")
    inside = await house.inside("chi")
    for number in range(PAGE):
        await house.parts.tokens.create(f"token {number}")
    seen: list[str] = []
    path = "/console/trail"
    while path:
        page = await inside.get(path)
        assert page.status == 200
        found = re.findall(r'class="seq">(\d+)<', page.text)
        assert 0 < len(found) <= PAGE
        seen += found
        older = re.search(r'href="(/console/trail\?before=[^"]+)"', page.text)
        path = older[1] if older else ""
    assert seen == [str(number) for number in range(PAGE + 2, 0, -1)]
    assert "Về mới nhất" in page.text


async def test_an_entry_says_what_it_changed(house: House) -> None:
    await added(house.people, "chi", "admin")
    await added(house.people, "an", "viewer")
    inside = await house.inside("chi")
    await inside.send("/console/people/an", {"full_name": "Nguyễn an", "role:demo": "approver"})
    page = (await inside.get("/console/trail")).text
    assert "đã thay đổi người dùng" in page
    assert re.search(r"<dt>Vai trò</dt>", page)
    assert re.search(r"<del>.*?Người xem: mọi trang</del>", page, re.DOTALL)
    assert re.search(r"<ins>.*?Người duyệt: .*?</ins>", page, re.DOTALL)


async def test_an_entry_of_an_announcement_is_told_in_words(house: House, redis: Redis, prefix: str) -> None:
    await added(house.people, "chi", "admin")
    inside = await house.inside("chi")
    actor, trail = person("an").acting_as("editor"), Trail(redis, prefix)
    after = {
        "id": "a", "title": "Lũ", "status": "live", "severity": "breaking", "sites": ["demo"], "test": False,
        "published_ms": 1_795_789_495_547, "updated_ms": 1_795_789_495_547, "audience": {"sections": ["thoi-su"]},
    }  # fmt: skip
    await trail.record("publish", actor, {"id": "a", "before": None, "after": after})
    page = (await inside.get("/console/trail")).text
    for name in ("Trạng thái", "Phát lúc", "Mức độ"):
        assert f"<dt>{name}</dt>" in page
    for raw in ("1795789495547", "_ms", "False", ">live<", "breaking<"):
        assert raw not in page


async def test_a_test_is_marked_as_one(house: House, redis: Redis, prefix: str) -> None:
    await added(house.people, "chi", "admin")
    inside = await house.inside("chi")
    actor, trail = person("an").acting_as("editor"), Trail(redis, prefix)
    await trail.record("publish", actor, {"id": "a", "before": None, "after": {"title": "Lũ", "test": False}})
    assert "THỬ NGHIỆM" not in (await inside.get("/console/trail")).text
    await trail.record("publish", actor, {"id": "b", "before": None, "after": {"title": "Diễn tập", "test": True}})
    page = (await inside.get("/console/trail")).text
    assert '<span class="severity level-test">THỬ NGHIỆM</span>' in page
    assert "Diễn tập</p>" in page


async def test_an_entry_that_cannot_be_read_is_shown_as_one(house: House, redis: Redis, prefix: str) -> None:
    await added(house.people, "chi", "admin")
    inside = await house.inside("chi")
    await redis.xadd(Keys(prefix).audit, {"entry": "{", "chain": "x"})
    page = await inside.get("/console/trail")
    assert page.status == 200
    assert "Một mục không đọc được" in page.text


@pytest.mark.parametrize("before", ["x", "1", "-", "1-0)", "9" * 30 + "-0"])
async def test_an_address_that_is_none(house: House, before: str) -> None:
    await added(house.people, "chi", "admin")
    inside = await house.inside("chi")
    assert (await inside.get(f"/console/trail?before={before}")).status == 400


def test_every_act_has_words() -> None:
    assert set(ACTS) == set(get_args(Act))


def test_differences() -> None:
    assert differences(None, None) == []
    assert differences({"a": 1, "b": [1, 2], "c": "x"}, {"a": 1, "b": [], "d": True}) == [
        Difference("b", [1, 2], None),
        Difference("c", "x", None),
        Difference("d", None, True),
    ]
    assert differences(None, {"roles": {"*": "admin"}, "id": "an"}) == [Difference("roles", None, {"*": "admin"})]
    assert differences({"version": 1, "updated_ms": 1, "test": False}, {"version": 2, "updated_ms": 2}) == [
        Difference("test", False, None)
    ]
    assert differences("x", ["y"]) == [Difference("", "x", ["y"])]
