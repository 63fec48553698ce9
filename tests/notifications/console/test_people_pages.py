from __future__ import annotations

import re

import pytest
from redis.asyncio import Redis

from gateway.sites import SiteSettings
from tests.notifications.console.visitor import House
from tests.notifications.people.conftest import PASSWORD, added
from tests.notifications.people.test_register import trail


@pytest.fixture
async def admin(house: House) -> str:
    return (await added(house.people, "chi", "admin")).name


PAGES = ["/console/people", "/console/people/add", "/console/people/chi", "/console/tokens", "/console/trail"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("role", "site"), [("approver", "*"), ("operator", "*"), ("admin", "demo")])
async def test_only_admins_of_all_sites_see_them(house: House, admin: str, path: str, role: str, site: str) -> None:
    await added(house.people, "an", role, site)  # type: ignore[arg-type]
    inside = await house.inside("an")
    assert (await inside.get(path)).status == 403
    assert (await (await house.inside(admin)).get(path)).status == 200


@pytest.mark.parametrize(
    "path", ["/console/people/add", "/console/people/chi", "/console/people/chi/disable", "/console/tokens"]
)
async def test_nor_does_anybody_else_change_anything(house: House, admin: str, path: str) -> None:
    await added(house.people, "an", "admin", "demo")
    fields = {
        "name": "evil",
        "full_name": "Evil",
        "password": PASSWORD,
        "role:*": "admin",
        "role": "admin",
        "sites": "*",
    }
    before = await house.people.register.list()
    assert (await (await house.inside("an")).send(path, fields)).status == 403
    assert await house.people.register.list() == before
    assert await house.parts.tokens.list() == []


async def test_adds_somebody(house: House, admin: str, redis: Redis, prefix: str) -> None:
    inside = await house.inside(admin)
    fields = {
        "name": " An ",
        "full_name": "Nguyễn <i>An</i>",
        "password": PASSWORD,
        "role:*": "viewer",
        "role:tinh": "editor",
    }
    assert (await inside.send("/console/people/add", fields)).location == "/console/people"
    page = await inside.get("/console/people")
    assert "Đã thêm Nguyễn <i>An</i>." in page.text
    user = await house.people.register.find("an")
    assert user is not None
    assert (user.roles, user.full_name) == ({"*": "viewer", "tinh": "editor"}, "Nguyễn <i>An</i>")
    assert (await house.visitor().sign_in("an")).status == 303
    added_entry = next(entry for entry in await trail(redis, prefix) if entry.id == "an")
    assert (added_entry.owner, added_entry.name, added_entry.role, added_entry.address) == (
        "user:chi", "Nguyễn chi", "admin", "192.0.2.1",
    )  # fmt: skip


async def test_names_are_text(house: House, admin: str) -> None:
    inside = await house.inside(admin)
    fields = {"name": "an", "full_name": "<script>x</script>", "password": PASSWORD, "role:*": "viewer"}
    await inside.send("/console/people/add", fields)
    raw = (await inside.get("/console/people")).raw
    assert "<script>x" not in raw
    assert "&lt;script&gt;x" in raw


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"name": "ân"}, "name"),
        ({"name": "chi"}, "name"),
        ({"name": "add"}, "name"),
        ({"full_name": ""}, "full_name"),
        ({"full_name": "x" * 81}, "full_name"),
        ({"password": "ngắn"}, "password"),
        ({"role:*": ""}, "roles"),
        ({"role:*": "boss"}, "roles"),
        ({"role:*": "", "role:nowhere": "admin"}, "roles"),
    ],
)
async def test_says_beside_the_field_what_is_wrong(
    house: House, admin: str, changes: dict[str, str], wrong: str
) -> None:
    inside = await house.inside(admin)
    fields = {"name": "an", "full_name": "An", "password": PASSWORD, "role:*": "viewer", **changes}
    page = await inside.send("/console/people/add", fields)
    assert page.status in (409, 422)
    assert f'id="{wrong}-error"' in page.text
    assert f'href="#{wrong}"' in page.text
    assert f'id="{wrong}"' in page.text
    assert len(await house.people.register.list()) == 1
    # What was typed is kept, but for the password.
    if fields["full_name"]:
        assert f'value="{fields["full_name"]}"' in page.text
    assert fields["password"] not in page.text


async def test_says_above_the_form_which_field_it_is(house: House, admin: str) -> None:
    inside = await house.inside(admin)
    fields = {"name": "", "full_name": "", "password": PASSWORD}
    page = await inside.send("/console/people/add", fields)
    said = re.findall(r'<li><a href="#([a-z_]+)">([^:<]+): [^<]+</a></li>', page.text)
    assert sorted(said) == [("full_name", "Họ và tên"), ("name", "Tên đăng nhập"), ("roles", "Vai trò")]
    assert page.text.index('class="summary"') < page.text.index('id="full_name"')


async def test_sites_are_called_by_their_names(house: House, admin: str) -> None:
    await added(house.people, "an", "editor", "tinh")
    inside = await house.inside(admin)
    assert '<label for="role:tinh">Cổng tỉnh</label>' in (await inside.get("/console/people/an")).text
    assert "Biên tập</span> Cổng tỉnh" in (await inside.get("/console/people")).text
    assert "Biên tập</span> Cổng tỉnh" in (await (await house.inside("an")).get("/console/account")).text


async def test_many_sites_are_folded_away_until_one_has_a_role_of_its_own(house: House, admin: str) -> None:
    inside = await house.inside(admin)
    assert '<details class="some"' not in (await inside.get("/console/people/add")).text
    house.parts.sites.update({f"huyen-{number}": SiteSettings() for number in range(5)})
    await added(house.people, "an", "editor", "huyen-3")
    await added(house.people, "binh", "editor")
    for path, open in (("add", ""), ("an", " open"), ("binh", "")):
        assert f'<details class="some"{open}>' in (await inside.get(f"/console/people/{path}")).text
    fields = {"name": "", "full_name": "", "password": PASSWORD}
    assert '<details class="some" open>' in (await inside.send("/console/people/add", fields)).text


async def test_changes_roles(house: House, admin: str) -> None:
    await added(house.people)
    inside = await house.inside(admin)
    assert 'value="editor" selected' in (await inside.get("/console/people/an")).text
    fields = {"full_name": "An An", "role:*": "", "role:demo": "approver"}
    assert (await inside.send("/console/people/an", fields)).status == 303
    user = await house.people.register.find("an")
    assert user is not None
    assert (user.full_name, user.roles) == ("An An", {"demo": "approver"})
    refused = await inside.send("/console/people/an", {"full_name": "An"})
    assert refused.status == 422
    assert 'id="roles-error"' in refused.text


@pytest.mark.parametrize("act", ["disable", "remove"])
async def test_keeps_somebody_out_after_asking(house: House, admin: str, act: str) -> None:
    await added(house.people)
    inside, theirs = await house.inside(admin), await house.inside("an")
    asked = await inside.get(f"/console/people/an/{act}")
    assert asked.status == 200
    assert asked.heading.endswith("Nguyễn an?")
    assert (await theirs.get("/console/account")).status == 200
    assert (await inside.send(f"/console/people/an/{act}")).status == 303
    assert (await theirs.get("/console/account")).status == 303
    assert (await house.visitor().sign_in("an")).status == 403


async def test_lets_somebody_in_again(house: House, admin: str) -> None:
    await added(house.people)
    inside = await house.inside(admin)
    await inside.send("/console/people/an/disable")
    assert "đã khóa" in (await inside.get("/console/people")).text
    await inside.send("/console/people/an/enable")
    assert (await house.visitor().sign_in("an")).status == 303


async def test_nobody_shuts_themselves_out(house: House, admin: str) -> None:
    await added(house.people, "other", "admin")
    inside = await house.inside(admin)
    for act in ("disable", "remove"):
        page = await inside.send(f"/console/people/{admin}/{act}")
        assert page.status == 409
        assert "Bạn không thể tự làm việc này" in page.text
    assert (await inside.get("/console/people")).status == 200


async def test_the_last_admin_keeps_the_role(house: House, admin: str) -> None:
    inside = await house.inside(admin)
    page = await inside.send(f"/console/people/{admin}", {"full_name": "Chi", "role:*": "viewer"})
    assert page.status == 409
    assert "Sẽ không còn ai quản lý người dùng" in page.text
    user = await house.people.register.find(admin)
    assert user is not None
    assert user.is_admin


async def test_gives_somebody_a_password(house: House, admin: str) -> None:
    await added(house.people)
    inside, theirs = await house.inside(admin), await house.inside("an")
    assert (await inside.send("/console/people/an/password", {"password": "ngắn"})).status == 422
    assert (await inside.send("/console/people/an/password", {"password": "núi cao biển rộng"})).status == 303
    assert (await theirs.get("/console/account")).status == 303
    assert (await house.visitor().sign_in("an", "núi cao biển rộng")).status == 303


@pytest.mark.parametrize(
    "path", ["/console/people/nobody", "/console/people/chi/burn", "/console/people/nobody/remove"]
)
async def test_what_is_not_there(house: House, admin: str, path: str) -> None:
    inside = await house.inside(admin)
    assert (await inside.get(path)).status == 404
    assert (await inside.send(path)).status == 404
