"""Signing in and out, and changing one's own password: what the sign-in page does, without a page.

The order at a sign-in is fixed: first the count (cheap, refuses a flood), then the password (slow, at the same cost for
names that nobody has), then whether the user may come in. Only who has shown the right password learns anything, and a
disabled user not even then.
"""

from __future__ import annotations

from typing import NamedTuple

import structlog

from notifications.actor import Actor, Principal
from notifications.people.browser import described
from notifications.people.errors import ChangedMeanwhile, WrongPassword
from notifications.people.lockout import Lockout
from notifications.people.passwords import Hasher
from notifications.people.register import Register
from notifications.people.rights import role_on
from notifications.people.sessions import Sessions
from notifications.people.user import MAX_PASSWORD, NAME, User, typed_name

log = structlog.get_logger(__name__)


# What a user's owner begins with, see :class:`notifications.actor.Actor`.
USER = "user:"


class Origin(NamedTuple):
    """Where a sign-in comes from.

    Attributes:
        address: The client's.
        limited: Under which its tries are counted together; empty if it is exempt.
        device: What the device's cookie says; empty if none came.
        agent: How the browser calls itself.
    """

    address: str
    limited: str
    device: str
    agent: str


class Entered(NamedTuple):
    """Somebody has signed in: who, and what their cookies are to say."""

    user: User
    session: str
    device: str


class SignIn:
    """Lets people in. Each method raises :class:`StoreAway` if the store does not answer.

    Args:
        register: Who there is.
        sessions: Who is in.
        lockout: How often may be tried.
        hasher: Checks passwords.
    """

    def __init__(self, register: Register, sessions: Sessions, lockout: Lockout, hasher: Hasher) -> None:
        self._register = register
        self._sessions = sessions
        self._lockout = lockout
        self._hasher = hasher

    async def enter(self, typed: str, password: str, origin: Origin) -> Entered:
        """Begins a session.

        Raises:
            WrongPassword: Name and password do not belong together, or the user is disabled.
            MustWait: Too many failed before; the password was not looked at.
            TooManyHashes: Too many sign in at this moment.
        """
        name = typed_name(typed)
        if NAME.fullmatch(name) is None or len(password) > MAX_PASSWORD:
            # Of no user, whatever the store says; not a key's name, and no text of a megabyte to be hashed.
            raise WrongPassword
        attempt = await self._lockout.begin(
            name, address=origin.limited or origin.address, limited=bool(origin.limited), device=origin.device
        )
        user, hashed = await self._register.credentials(name)
        right = await self._hasher.check(hashed, password, stranger=not attempt.known)
        if not right or user is None or hashed is None or user.disabled:
            log.info("sign-in failed", address=origin.address, known_device=attempt.known)
            raise WrongPassword
        device = await self._lockout.succeeded(attempt)
        if self._hasher.outdated(hashed):
            await self._register.rehash(user, await self._hasher.hash(password))
        await self._register.signed_in(user, actor(user, origin.address))
        session = await self._sessions.begin(user, address=origin.address, browser=described(origin.agent))
        return Entered(user, session, device)

    async def change_password(self, user: User, current: str, new: str, origin: Origin) -> Entered:
        """Changes a signed-in user's own password; all other sessions of theirs end, and this one begins anew.

        Args:
            user: Whose.
            current: To show that it is them; counted like a sign-in.
            new: What it is to be, already found good.
            origin: Where the request comes from.

        Raises:
            WrongPassword: The current one is another.
            MustWait: Too many failed before.
            TooManyHashes: Too many sign in at this moment.
            ChangedMeanwhile: Somebody else was faster.
        """
        attempt = await self._lockout.begin(
            user.name, address=origin.limited or origin.address, limited=bool(origin.limited), device=origin.device
        )
        now, hashed = await self._register.credentials(user.name)
        if len(current) > MAX_PASSWORD or not await self._hasher.check(hashed, current):
            raise WrongPassword
        if now != user:
            raise ChangedMeanwhile
        device = await self._lockout.succeeded(attempt)
        by = actor(user, origin.address)
        changed = await self._register.set_password(user.name, await self._hasher.hash(new), by)
        session = await self._sessions.begin(changed, address=origin.address, browser=described(origin.agent))
        return Entered(changed, session, device)


def principal(user: User, address: str) -> Principal:
    """A signed-in user as whoever asks."""
    return Principal(owner=f"{USER}{user.name}", roles=user.roles, name=user.full_name, address=address)


def actor(user: User, address: str) -> Actor:
    """A user as the audit trail writes them where they act on no site."""
    return principal(user, address).acting_as(role_on(user.roles, "*") or "")
