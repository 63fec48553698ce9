from __future__ import annotations

from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from notifications.actor import OPERATOR, Actor
from notifications.audit import Entry, Verifier
from notifications.people.errors import ChangedMeanwhile, LastAdmin, NameTaken, NoSuchUser
from notifications.people.keys import PeopleKeys
from notifications.people.known import Known
from notifications.people.register import Register
from notifications.people.user import User
from notifications.trail import Trail
from tests.notifications.people.conftest import PASSWORD, added

ADMIN = Actor(owner="user:chi", name="Lê Chi", role="admin", address="192.0.2.7")


async def trail(redis: Redis, prefix: str) -> list[Entry]:
    verifier = Verifier()
    entries = []
    async for line in Trail(redis, prefix).lines():
        assert verifier.take(line) is None
        entries.append(msgspec.json.decode(line.entry, type=Entry))
    return entries


async def test_is_found_and_listed(people: Known) -> None:
    assert await people.register.empty()
    two, one = await added(people, "binh"), await added(people, "an")
    assert await people.register.list() == [one, two]
    assert await people.register.find("an") == one
    assert await people.register.find("nobody") is None
    assert not await people.register.empty()


async def test_no_listing_holds_a_password(people: Known, redis: Redis, prefix: str) -> None:
    await added(people)
    user, hashed = await people.register.credentials("an")
    assert user is not None and hashed is not None
    stored = await redis.hgetall(PeopleKeys(prefix).users)
    assert hashed.encode() not in b"".join(stored.values())
    assert await people.hasher.check(hashed, PASSWORD)
    assert await people.register.credentials("nobody") == (None, None)


async def test_a_name_is_given_once(people: Known) -> None:
    await added(people)
    with pytest.raises(NameTaken):
        await added(people)


async def test_every_act_is_in_the_trail_with_who_did_it_and_without_secrets(
    people: Known, redis: Redis, prefix: str
) -> None:
    register = people.register
    await added(people, role="viewer")
    await register.change("an", ADMIN, roles={"demo": "approver"})
    await register.change("an", ADMIN, disabled=True)
    await register.change("an", ADMIN, disabled=False)
    await register.set_password("an", "$argon2id$secret", ADMIN)
    await register.remove("an", ADMIN)
    entries = await trail(redis, prefix)
    acts = ["user.add", "user.change", "user.disable", "user.enable", "user.password", "user.remove"]
    assert [entry.act for entry in entries] == acts
    assert entries[0].owner == OPERATOR.owner
    assert {(entry.id, entry.owner, entry.name, entry.address) for entry in entries[1:]} == {
        ("an", "user:chi", "Lê Chi", "192.0.2.7")
    }
    assert entries[0].before is None
    assert entries[0].after["roles"] == {"*": "viewer"}
    assert (entries[1].before["roles"], entries[1].after["roles"]) == ({"*": "viewer"}, {"demo": "approver"})
    assert (entries[2].before["disabled"], entries[2].after["disabled"]) == (False, True)
    assert entries[5].after is None
    told = msgspec.json.encode([msgspec.structs.asdict(entry) for entry in entries])
    assert b"argon2" not in told


async def test_what_changes_nothing_is_not_written_down(people: Known, redis: Redis, prefix: str) -> None:
    user = await added(people)
    assert await people.register.change("an", ADMIN, roles=user.roles, full_name=user.full_name) == user
    assert len(await trail(redis, prefix)) == 1


@pytest.mark.parametrize("change", [{"roles": {"*": "approver"}}, {"disabled": True}, "remove"])
async def test_the_last_admin_stays(people: Known, change: Any) -> None:
    register = people.register
    await added(people, "an", "admin")
    await added(people, "binh", "admin", site="demo")

    async def attempt(**more: bool) -> None:
        if change == "remove":
            await register.remove("an", ADMIN, **more)
        else:
            await register.change("an", ADMIN, **change, **more)

    with pytest.raises(LastAdmin):
        await attempt()
    assert (await register.find("an")) is not None
    # The command line may, since it can make another.
    await attempt(last_admin_too=True)
    assert not any(user.is_admin for user in await register.list())


async def test_with_another_admin_one_may_go(people: Known) -> None:
    await added(people, "an", "admin")
    await added(people, "binh", "admin")
    await people.register.remove("an", ADMIN)
    with pytest.raises(LastAdmin):
        await people.register.change("binh", ADMIN, disabled=True)


class Outrun(Register):
    """Between its reading and its writing another admin takes the right away from "an"."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        super().__init__(redis, prefix)
        self.faster = Register(redis, prefix)

    async def _record(self, *args: Any) -> None:
        await super()._record(*args)
        await self.faster.change("an", ADMIN, disabled=True)


@pytest.mark.parametrize("change", [{"roles": {"*": "approver"}}, {"disabled": True}, "remove"])
async def test_two_admins_cannot_both_go_at_once(people: Known, redis: Redis, prefix: str, change: Any) -> None:
    await added(people, "an", "admin")
    await added(people, "binh", "admin")
    outrun = Outrun(redis, prefix)
    with pytest.raises(ChangedMeanwhile):
        await (outrun.remove("binh", ADMIN) if change == "remove" else outrun.change("binh", ADMIN, **change))
    assert [user.name for user in await people.register.list() if user.is_admin] == ["binh"]


class Interrupted(Register):
    """Between its reading and its writing somebody else writes."""

    async def _record(self, *args: Any) -> None:
        await super()._record(*args)
        user = await self.find("an")
        assert user is not None
        other = msgspec.structs.replace(user, full_name="Another")
        await self._redis.hset(self._keys.users, "an", msgspec.json.encode(other))


async def test_two_admins_do_not_overwrite_each_other(people: Known, redis: Redis, prefix: str) -> None:
    seen = await added(people)
    with pytest.raises(ChangedMeanwhile):
        await Interrupted(redis, prefix).change("an", ADMIN, roles={"*": "admin"})
    now = await people.register.find("an")
    assert now is not None
    assert (now.full_name, now.roles) == ("Another", {"*": "editor"})
    with pytest.raises(ChangedMeanwhile):
        await people.register.change("an", ADMIN, roles={"*": "viewer"}, expected=seen)


async def test_a_client_that_repeats_what_was_done_is_told_so(people: Known) -> None:
    """The client library repeats a command that it got no answer to."""
    await added(people)
    register = people.register
    user, stored = await register._read("an")
    wanted = msgspec.json.encode(msgspec.structs.replace(user, full_name="Mới"))
    assert await register._write("an", stored, wanted, "hash")
    assert await register._write("an", stored, wanted, "hash")
    assert not await register._write("an", stored, wanted, "another hash")


async def test_who_is_not_there_is_not_changed(people: Known) -> None:
    register = people.register
    for act in (
        register.change("x", ADMIN, disabled=True),
        register.set_password("x", "h", ADMIN),
        register.remove("x", ADMIN),
        register.end_sessions("x"),
        register.speak("x", "en"),
    ):
        with pytest.raises(NoSuchUser, match="loa user list"):
            await act


async def test_the_language_is_no_matter_for_the_trail(people: Known, redis: Redis, prefix: str) -> None:
    await added(people)
    await people.register.speak("an", "en")
    found = await people.register.find("an")
    assert isinstance(found, User)
    assert found.language == "en"
    assert len(await trail(redis, prefix)) == 1
