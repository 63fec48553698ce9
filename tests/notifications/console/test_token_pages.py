from __future__ import annotations

import re

import pytest
from redis.asyncio import Redis

from tests.notifications.console.visitor import House, Visitor
from tests.notifications.people.conftest import added
from tests.notifications.people.test_register import trail


@pytest.fixture
async def admin(house: House) -> Visitor:
    await added(house.people, "chi", "admin")
    return await house.inside("chi")


async def test_makes_one_and_shows_it_once(house: House, admin: Visitor, redis: Redis, prefix: str) -> None:
    fields = [("name", "CMS"), ("role", "editor"), ("sites", "demo"), ("days", "30")]
    made = await admin.send("/console/tokens", fields)
    assert (made.status, made.headers["Cache-Control"]) == (201, "no-store")
    (text,) = re.findall(r"loa_\w{8}_[0-9a-f]{64}", made.text)
    token = await house.parts.tokens.verify(text)
    assert token is not None
    assert (token.name, token.roles, token.expires_ms - token.created_ms) == (
        "CMS",
        {"demo": "editor"},
        30 * 86_400_000,
    )
    listed = await admin.get("/console/tokens")
    assert text not in listed.text
    assert token.digest not in listed.text
    assert "dùng lần cuối" in listed.text
    entry = (await trail(redis, prefix))[-1]
    assert (entry.act, entry.id, entry.owner) == ("token.create", token.id, "user:chi")


async def test_sites_are_called_by_their_names_with_the_ids_that_programs_use(house: House, admin: Visitor) -> None:
    page = await admin.get("/console/tokens")
    assert '<label for="sites-tinh">Cổng tỉnh</label>' in page.text
    assert '<span class="hint" id="sites-tinh-hint">tinh</span>' in page.text
    assert '<label for="sites-demo">demo</label>' in page.text
    assert 'id="sites-demo-hint"' not in page.text
    fields = [("name", "CMS"), ("role", "editor"), ("sites", "tinh"), ("days", "30")]
    assert "Biên tập</span> Cổng tỉnh" in (await admin.send("/console/tokens", fields)).text
    assert "Biên tập</span> Cổng tỉnh" in (await admin.get("/console/tokens")).text


async def test_all_sites_are_all_sites(house: House, admin: Visitor) -> None:
    fields = [("name", "CMS"), ("role", "viewer"), ("sites", "demo"), ("sites", "*"), ("days", "")]
    assert (await admin.send("/console/tokens", fields)).status == 201
    (token,) = await house.parts.tokens.list()
    assert (token.roles, token.expires_ms) == ({"*": "viewer"}, 0)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"role": "boss"}, "role"),
        ({"sites": "nowhere"}, "sites"),
        ({"days": "0"}, "days"),
        ({"days": "3651"}, "days"),
        ({"days": "١٢"}, "days"),
    ],
)
async def test_says_beside_the_field_what_is_wrong(
    house: House, admin: Visitor, changes: dict[str, str], wrong: str
) -> None:
    page = await admin.send("/console/tokens", {"name": "CMS", "role": "editor", "sites": "*", "days": "9", **changes})
    assert page.status == 422
    assert f'id="{wrong}-error"' in page.text
    assert await house.parts.tokens.list() == []


async def test_revokes_one_after_asking(house: House, admin: Visitor) -> None:
    new = await house.parts.tokens.create("CMS")
    path = f"/console/tokens/{new.token.id}/revoke"
    assert (await admin.get(path)).heading == "Thu hồi CMS?"
    assert await house.parts.tokens.verify(new.text) is not None
    assert (await admin.send(path)).status == 303
    assert await house.parts.tokens.verify(new.text) is None
    assert (await admin.get(path)).status == 404
    assert (await admin.send(path)).status == 404
