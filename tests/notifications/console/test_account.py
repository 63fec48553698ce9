from __future__ import annotations

import re

import pytest

from tests.notifications.console.visitor import House
from tests.notifications.people.conftest import PASSWORD, added

NEW = "núi cao biển rộng"


async def test_changes_the_password_and_stays_in(house: House) -> None:
    await added(house.people)
    inside, elsewhere = await house.inside("an"), await house.inside("an")
    fields = {"current": PASSWORD, "new": NEW, "again": NEW}
    assert (await inside.send("/console/account/password", fields)).location == "/console/account"
    page = await inside.get("/console/account")
    assert page.status == 200
    assert "đã được đổi" in page.text
    assert (await elsewhere.get("/console/account")).status == 303
    assert (await house.visitor().sign_in("an", NEW)).status == 303
    assert (await house.visitor().sign_in("an", PASSWORD)).status == 403


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"current": "sai", "new": NEW, "again": NEW}, ["current"]),
        ({"current": PASSWORD, "new": NEW, "again": NEW + "x"}, ["again"]),
        ({"current": PASSWORD, "new": "ngắn", "again": "ngắn"}, ["new"]),
        ({}, ["current", "new"]),
    ],
)
async def test_says_beside_the_field_what_is_wrong(house: House, fields: dict[str, str], wrong: list[str]) -> None:
    await added(house.people)
    inside = await house.inside("an")
    page = await inside.send("/console/account/password", fields)
    assert page.status == 422
    assert sorted(re.findall(r'id="(\w+)-error"', page.text)) == wrong
    for secret in fields.values():
        assert secret not in page.text
    assert (await house.visitor().sign_in("an")).status == 303


async def test_ends_another_session_and_all(house: House) -> None:
    await added(house.people)
    await added(house.people, "binh")
    inside, elsewhere, stranger = await house.inside("an"), await house.inside("an"), await house.inside("binh")
    page = (await inside.get("/console/account")).text
    (id,) = re.findall(r'name="id" value="(\w+)"', page)
    # Somebody else's session is not theirs to end.
    await stranger.send("/console/account/sessions/end", {"id": id})
    assert (await elsewhere.get("/console/account")).status == 200
    await inside.send("/console/account/sessions/end", {"id": id})
    assert (await elsewhere.get("/console/account")).status == 303
    third = await house.inside("an")
    assert (await inside.send("/console/account/sessions/end-all")).location == "/console/sign-in"
    assert (await third.get("/console/account")).status == 303
    assert (await stranger.get("/console/account")).status == 200
