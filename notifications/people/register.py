"""The users in the store: added, changed, disabled, given a password, removed; each act in the audit trail first.

A change is written only over what it was made from (``lua/replace.lua``), so two admins cannot overwrite each other.
The trail has its entry before: there is never a right that nobody is known to have given. Where the write then fails,
the trail tells of an attempt.

Whatever changes takes effect at the next request: :class:`notifications.people.sessions.Sessions` reads the user anew
for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from redis.asyncio import Redis

from notifications.actor import Actor
from notifications.asking import ask
from notifications.audit import Act
from notifications.people.errors import ChangedMeanwhile, LastAdmin, NameTaken, NoSuchUser
from notifications.people.keys import PeopleKeys
from notifications.people.rights import Role
from notifications.people.user import Language, User
from notifications.trail import Trail
from store.clock import now_ms
from store.scripts import load


class _Read(NamedTuple):
    """A user, and the very bytes they were read from."""

    user: User
    stored: bytes


class Register:
    """The users below `prefix`. Each method raises :class:`StoreAway` if the store does not answer."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._keys = PeopleKeys(prefix)
        self._trail = Trail(redis, prefix)
        self._replace = redis.register_script(load("notifications.people", "replace"))

    async def list(self) -> list[User]:
        """All users, by name."""
        stored = await ask(self._redis.hvals(self._keys.users))
        return sorted((_decoded(one) for one in stored), key=lambda user: user.name)

    async def empty(self) -> bool:
        """Whether there is no user yet."""
        return not await ask(self._redis.hlen(self._keys.users))

    async def find(self, name: str) -> User | None:
        """The user of this name; None if there is none."""
        stored = await ask(self._redis.hget(self._keys.users, name))
        return _decoded(stored) if stored is not None else None

    async def credentials(self, name: str) -> tuple[User | None, str | None]:
        """The user of this name and their password's hash, read at once."""
        async with self._redis.pipeline(transaction=True) as both:
            both.hget(self._keys.users, name)
            both.hget(self._keys.passwords, name)
            stored, hashed = await ask(both.execute())
        return (_decoded(stored) if stored is not None else None), (hashed.decode() if hashed is not None else None)

    async def add(self, user: User, hashed: str, by: Actor) -> User:
        """Adds a user with a password's hash.

        Raises:
            NameTaken: There is one of this name.
        """
        if await self.find(user.name) is not None:
            raise NameTaken(user.name)
        now_ms = await self._now_ms()
        # Another's of the same name, who was removed, must not come back with a session of theirs.
        added = msgspec.structs.replace(user, created_ms=now_ms, generation=now_ms)
        await self._record("user.add", by, added.name, None, added.told())
        if not await self._write(added.name, b"", _encoded(added), hashed):
            raise NameTaken(user.name)
        return added

    async def change(
        self,
        name: str,
        by: Actor,
        *,
        full_name: str | None = None,
        roles: Mapping[str, Role] | None = None,
        disabled: bool | None = None,
        expected: User | None = None,
        last_admin_too: bool = False,
    ) -> User:
        """Changes what is not None; writes nothing where nothing is other than before.

        Args:
            expected: What the change was made from, where somebody looked at it before.
            last_admin_too: Allowed to leave nobody who looks after people, as the command line is, which can undo it.

        Raises:
            NoSuchUser: There is none.
            LastAdmin: Nobody would be left to undo it.
            ChangedMeanwhile: Somebody else was faster.
        """
        user, stored = await self._read(name)
        if expected is not None and expected != user:
            raise ChangedMeanwhile
        changed = msgspec.structs.replace(
            user,
            full_name=user.full_name if full_name is None else full_name,
            roles=user.roles if roles is None else dict(roles),
            disabled=user.disabled if disabled is None else disabled,
            # Who is let in again begins anew: no session of before comes back with them.
            generation=user.generation + (1 if disabled else 0),
        )
        if changed.told() == user.told():
            return user
        leaves = not last_admin_too and user.is_admin and not changed.is_admin
        staying = await self._another_admin(name) if leaves else None
        if changed.disabled and not user.disabled:
            act: Act = "user.disable"
        elif user.disabled and not changed.disabled:
            act = "user.enable"
        else:
            act = "user.change"
        await self._record(act, by, name, user.told(), changed.told())
        await self._write_over(name, stored, _encoded(changed), staying=staying)
        return changed

    async def speak(self, name: str, language: Language) -> None:
        """Speaks `language` to a user from now on; no matter for the trail."""
        user, stored = await self._read(name)
        if user.language != language:
            await self._write_over(name, stored, _encoded(msgspec.structs.replace(user, language=language)))

    async def set_password(self, name: str, hashed: str, by: Actor) -> User:
        """Gives a user another password, and ends all their sessions.

        Raises:
            NoSuchUser: There is none.
            ChangedMeanwhile: Somebody else was faster.
        """
        user, stored = await self._read(name)
        changed = msgspec.structs.replace(user, generation=user.generation + 1)
        await self._record("user.password", by, name, user.told(), changed.told())
        await self._write_over(name, stored, _encoded(changed), hashed)
        return changed

    async def rehash(self, user: User, hashed: str) -> None:
        """Stores the same password hashed anew, unless the user was changed meanwhile."""
        _, stored = await self._read(user.name)
        if _decoded(stored) == user:
            await self._write(user.name, stored, stored, hashed)

    async def end_sessions(self, name: str) -> None:
        """Ends all sessions of a user, at once."""
        user, stored = await self._read(name)
        changed = msgspec.structs.replace(user, generation=user.generation + 1)
        await self._write_over(name, stored, _encoded(changed))

    async def remove(self, name: str, by: Actor, *, last_admin_too: bool = False) -> None:
        """Removes a user; what the audit trail says of them stays.

        Raises:
            NoSuchUser: There is none.
            LastAdmin: Nobody would be left to undo it.
            ChangedMeanwhile: Somebody else was faster.
        """
        user, stored = await self._read(name)
        staying = await self._another_admin(name) if not last_admin_too and user.is_admin else None
        await self._record("user.remove", by, name, user.told(), None)
        await self._write_over(name, stored, b"", staying=staying)
        await ask(self._redis.delete(self._keys.sessions(name), self._keys.devices(name)))

    async def signed_in(self, user: User, by: Actor) -> None:
        """Writes into the trail that somebody has signed in."""
        await self._record("user.sign_in", by, user.name, None, None)

    async def _another_admin(self, name: str) -> _Read:
        """One who looks after people besides `name`: who must still do so when `name` no longer does, or two admins who
        take each other's right away at the same moment would leave nobody."""
        for stored in await ask(self._redis.hvals(self._keys.users)):
            user = _decoded(stored)
            if user.name != name and user.is_admin:
                return _Read(user, stored)
        raise LastAdmin

    async def _read(self, name: str) -> _Read:
        stored = await ask(self._redis.hget(self._keys.users, name))
        if stored is None:
            raise NoSuchUser(name)
        return _Read(_decoded(stored), stored)

    async def _write_over(
        self, name: str, stored: bytes, wanted: bytes, hashed: str = "", *, staying: _Read | None = None
    ) -> None:
        if not await self._write(name, stored, wanted, hashed, staying):
            raise ChangedMeanwhile

    async def _write(
        self, name: str, stored: bytes, wanted: bytes, hashed: str = "", staying: _Read | None = None
    ) -> bool:
        keys = [self._keys.users, self._keys.passwords]
        other = (staying.user.name, staying.stored) if staying is not None else ("", b"")
        return bool(await ask(self._replace(keys=keys, args=[name, stored, wanted, hashed, *other])))

    async def _record(self, act: Act, by: Actor, name: str, before: Any, after: Any) -> None:
        await self._trail.record(act, by, {"id": name, "before": before, "after": after})

    async def _now_ms(self) -> int:
        return int(await ask(now_ms(self._redis)))


def _encoded(user: User) -> bytes:
    return msgspec.json.encode(user)


def _decoded(stored: bytes) -> User:
    return msgspec.json.decode(stored, type=User)
