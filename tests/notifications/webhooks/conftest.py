"""What the tests of webhooks share: a receiver, a registry, and workers that deliver, on real servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from notifications.settings import NotificationsSettings
from notifications.webhooks.deliverer import Deliverer
from notifications.webhooks.registry import Registry
from notifications.webhooks.sender import Sender
from notifications.webhooks.wanted import WantedWebhook
from notifications.webhooks.webhook import EVENTS, Webhook
from store.connection import connect
from store.settings import RedisSettings
from tests.notifications.conftest import SETTINGS as LOG_SETTINGS
from tests.notifications.making import by
from tests.notifications.webhooks.office import Office, serving
from tests.notifications.webhooks.receiver import Receiver

# A retry after almost nothing, so that a whole life of a delivery fits into a test.
SETTINGS = replace(LOG_SETTINGS, webhooks_private=True, webhook_retries=[0.02] * 8)
LEASE_SECONDS = 1.0


@contextlib.asynccontextmanager
async def delivering(
    url: str, prefix: str, settings: NotificationsSettings = SETTINGS, **options: Any
) -> AsyncIterator[Deliverer]:
    """A worker's part that delivers, on connections of its own."""
    client = connect(RedisSettings(), url, connections=4, name="webhooks")
    async with Sender(settings.webhook_seconds, private=settings.webhooks_private) as sender:
        deliverer = Deliverer(client, prefix, sender, settings, **{"lease_seconds": LEASE_SECONDS, **options})
        task = asyncio.create_task(deliverer.run())
        try:
            yield deliverer
        finally:
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=0.5)
            await client.aclose()
    if not task.cancelled() and (failure := task.exception()) is not None:
        raise failure


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """One that takes everything."""
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
def registry(redis: Redis, prefix: str) -> Registry:
    """Of this test's own, on both servers."""
    return Registry(redis, prefix, SETTINGS)


async def tell(registry: Registry, url: str, *events: str, **members: Any) -> tuple[Webhook, str]:
    """A webhook to `url` for `events`, all but expiries if none are named; and its secret."""
    wanted = {"url": url, "sites": (), "events": events or EVENTS[:4], "tests": False, **members}
    return await registry.add(WantedWebhook(**wanted), by("operator"))


@pytest.fixture
async def office(redis: Redis, prefix: str) -> AsyncIterator[Office]:
    """The API and hooks, on both servers."""
    async with serving(redis, prefix, SETTINGS) as office:
        yield office
