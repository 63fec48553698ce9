"""What tests about people share: everything that knows them, on both servers, with passwords that cost nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from notifications.actor import OPERATOR
from notifications.people.known import Known, known
from notifications.people.passwords import Cost
from notifications.people.rights import Role
from notifications.people.user import User
from notifications.settings import NotificationsSettings

CHEAP = Cost(passes=1, memory_kib=8)
PASSWORD = "dòng sông mùa thu"


@pytest.fixture
async def people(redis: Redis, prefix: str) -> AsyncIterator[Known]:
    """Nobody yet."""
    known_people = known(redis, prefix, NotificationsSettings(), cost=CHEAP)
    yield known_people
    known_people.hasher.close()


async def added(people: Known, name: str = "an", role: Role = "editor", site: str = "*") -> User:
    """A user who was added just now, with `PASSWORD`."""
    user = User(name=name, full_name=f"Nguyễn {name}", roles={site: role})
    return await people.register.add(user, await people.hasher.hash(PASSWORD), OPERATOR)
