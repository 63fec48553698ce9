"""The parts that know people, put together once a worker."""

from __future__ import annotations

from typing import NamedTuple

from redis.asyncio import Redis

from notifications.people.crossing import Crossing
from notifications.people.lockout import Lockout
from notifications.people.passwords import Cost, Hasher
from notifications.people.register import Register
from notifications.people.sessions import Sessions
from notifications.people.signin import SignIn
from notifications.settings import NotificationsSettings


class Known(NamedTuple):
    """One of each; `hasher` is to be closed in the end."""

    register: Register
    sessions: Sessions
    sign_in: SignIn
    hasher: Hasher
    crossing: Crossing


def known(
    redis: Redis, prefix: str, settings: NotificationsSettings, public_url: str = "", cost: Cost | None = None
) -> Known:
    """The people below `prefix`.

    Args:
        redis: The store.
        prefix: Of its keys.
        settings: How long a session lasts.
        public_url: How browsers reach the service.
        cost: What a password's hash costs, where it is not as usual.
    """
    register = Register(redis, prefix)
    sessions = Sessions(
        redis,
        prefix,
        idle_seconds=settings.session_idle_minutes * 60,
        lifetime_seconds=settings.session_hours * 3_600,
    )
    hasher = Hasher(cost)
    sign_in = SignIn(register, sessions, Lockout(redis, prefix), hasher)
    return Known(register, sessions, sign_in, hasher, Crossing(public_url))
