from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.notifications.console.desk_house import DeskHouse, serving_desk
from tests.notifications.console.visitor import House, serving_console


@pytest.fixture
async def house(redis: Redis, prefix: str) -> AsyncIterator[House]:
    """A console that knows nobody yet."""
    async with serving_console(redis, prefix) as house:
        yield house


@pytest.fixture
async def desk(redis: Redis, prefix: str) -> AsyncIterator[DeskHouse]:
    """A console with its pages about announcements."""
    async with serving_desk(redis, prefix) as house:
        yield house
