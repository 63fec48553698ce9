from __future__ import annotations

import msgspec
import pytest
from redis.asyncio import Redis

from notifications.people.errors import ChangedMeanwhile, MustWait, WrongPassword
from notifications.people.known import Known, known
from notifications.people.lockout import PAIR_FREE
from notifications.people.passwords import Cost
from notifications.people.signin import Origin
from notifications.settings import NotificationsSettings
from tests.notifications.people.conftest import PASSWORD, added
from tests.notifications.people.test_register import ADMIN, trail

HERE = Origin(address="192.0.2.1", limited="192.0.2.1", device="", agent="Mozilla/5.0 (X11; Linux) Firefox/140.0")
NEW = "núi cao biển rộng"


async def test_the_right_password_begins_a_session(people: Known, redis: Redis, prefix: str) -> None:
    user = await added(people)
    entered = await people.sign_in.enter(" AN ", PASSWORD, HERE)
    assert entered.user == user
    found = await people.sessions.find(entered.session)
    assert found is not None
    assert (found.session.address, found.session.browser) == ("192.0.2.1", "Firefox, Linux")
    entry = (await trail(redis, prefix))[-1]
    assert (entry.act, entry.id, entry.owner, entry.role, entry.address) == (
        "user.sign_in", "an", "user:an", "editor", "192.0.2.1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "password"),
    [("an", "sai mật khẩu"), ("nobody", PASSWORD), ("", PASSWORD), ("a/b:c*", PASSWORD), ("an", "x" * 257), ("an", "")],
)
async def test_why_it_is_refused_is_not_told(people: Known, name: str, password: str) -> None:
    await added(people)
    with pytest.raises(WrongPassword, match="the name or the password is wrong"):
        await people.sign_in.enter(name, password, HERE)


async def test_who_is_disabled_is_refused_like_a_wrong_password(people: Known) -> None:
    await added(people)
    await people.register.change("an", ADMIN, disabled=True)
    with pytest.raises(WrongPassword):
        await people.sign_in.enter("an", PASSWORD, HERE)


@pytest.mark.usefixtures("long_waits")
@pytest.mark.parametrize("name", ["an", "nobody"])
async def test_names_that_nobody_has_wait_like_others(people: Known, name: str) -> None:
    await added(people)
    for _ in range(PAIR_FREE):
        with pytest.raises(WrongPassword):
            await people.sign_in.enter(name, "sai mật khẩu", HERE)
    with pytest.raises(MustWait):
        await people.sign_in.enter(name, PASSWORD, HERE)


async def test_every_name_costs_one_check(people: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    await added(people)
    await added(people, "binh")
    await people.register.change("binh", ADMIN, disabled=True)
    checked = []
    check = people.hasher.check

    async def counted(stored: str | None, password: str, *, stranger: bool) -> bool:
        checked.append(stored)
        return await check(stored, password)

    monkeypatch.setattr(people.hasher, "check", counted)
    for name in ("an", "binh", "nobody"):
        with pytest.raises(WrongPassword):
            await people.sign_in.enter(name, "sai mật khẩu", HERE)
    assert len(checked) == 3
    assert checked[2] is None


async def test_a_hash_of_another_cost_is_made_anew(people: Known, redis: Redis, prefix: str) -> None:
    await added(people)
    dearer = known(redis, prefix, NotificationsSettings(), cost=Cost(passes=2, memory_kib=16))
    _, before = await people.register.credentials("an")
    await dearer.sign_in.enter("an", PASSWORD, HERE)
    _, after = await people.register.credentials("an")
    assert before is not None and after is not None
    assert ("t=1" in before, "t=2" in after) == (True, True)
    assert await dearer.hasher.check(after, PASSWORD)
    dearer.hasher.close()


async def test_a_new_password_of_ones_own(people: Known) -> None:
    await added(people)
    elsewhere = await people.sign_in.enter("an", PASSWORD, HERE)
    here = await people.sign_in.enter("an", PASSWORD, HERE)
    changed = await people.sign_in.change_password(here.user, PASSWORD, NEW, HERE)
    assert await people.sessions.find(elsewhere.session) is None
    assert await people.sessions.find(here.session) is None
    assert await people.sessions.find(changed.session) is not None
    with pytest.raises(WrongPassword):
        await people.sign_in.enter("an", PASSWORD, HERE)
    assert await people.sign_in.enter("an", NEW, HERE)


@pytest.mark.usefixtures("long_waits")
async def test_a_new_password_takes_the_present_one(people: Known) -> None:
    user = await added(people)
    for _ in range(PAIR_FREE):
        with pytest.raises(WrongPassword):
            await people.sign_in.change_password(user, "sai mật khẩu", NEW, HERE)
    # A session that was left open is no place to guess from.
    with pytest.raises(MustWait):
        await people.sign_in.change_password(user, PASSWORD, NEW, HERE)


async def test_who_was_changed_meanwhile_looks_again(people: Known) -> None:
    user = await added(people)
    stale = msgspec.structs.replace(user, generation=1)
    with pytest.raises(ChangedMeanwhile):
        await people.sign_in.change_password(stale, PASSWORD, NEW, HERE)
