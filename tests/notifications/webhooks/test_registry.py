"""What a registry does that the API's tests do not see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from notifications.audit import Entry
from notifications.trail import Trail
from notifications.webhooks.board import Waiting
from notifications.webhooks.errors import NoSuchWebhook, TooManyWebhooks
from notifications.webhooks.keys import WebhookKeys
from notifications.webhooks.registry import Registry
from notifications.webhooks.wanted import WantedHook, WantedWebhook
from tests.notifications.making import by

WANTED = WantedWebhook(url="https://a.example.vn/", sites=("*",), events=("announcement.live",), tests=False)


def _twice(script: AsyncScript) -> Callable[..., Awaitable[Any]]:
    async def twice(**sent: Any) -> Any:
        await script(**sent)
        return await script(**sent)

    return twice


@pytest.fixture
def lossy(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """One whose answers are lost once: the client sends the same again, and hears of the second time alone."""
    for name in ("_add", "_remove", "_replace", "_revive"):
        monkeypatch.setattr(registry, name, _twice(getattr(registry, name)))
    return registry


async def test_a_rotation_whose_answer_was_lost_is_one(lossy: Registry) -> None:
    """Another would take the secret away that the receiver knows."""
    webhook, first = await lossy.add(WANTED, by("t"))
    second = await lossy.rotate(webhook.id, by("t"))
    kept = (await lossy.get(webhook.id)).webhook
    assert {secret.text for secret in kept.secrets} == {first, second}


async def test_a_webhook_has_one_life_whatever_answers_are_lost(
    lossy: Registry, redis: Redis, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.webhooks.registry.MOST_WEBHOOKS", 1)
    keys, one = WebhookKeys(prefix), by("t")
    webhook, _ = await lossy.add(WANTED, one)
    with pytest.raises(TooManyWebhooks):
        await lossy.add(WANTED, one)
    await redis.hset(keys.disabled, webhook.id, "gone")
    await lossy.enable(webhook.id, one)
    with pytest.raises(NoSuchWebhook):
        await lossy.enable(webhook.id, one)
    waiting = msgspec.json.encode(Waiting(announcement="a", event="announcement.live", at_ms=1, due_ms=1))
    failed = {"webhook": webhook.id, "waiting": waiting}
    await redis.xadd(keys.dead, {**failed, "happening": "1-0"}, id="1-0")
    await redis.xadd(keys.dead, {**failed, "happening": "2-0"}, id="2-0")
    await lossy.retry("1-0", one)
    await lossy.drop("2-0", one)
    assert (await redis.hkeys(keys.waiting(webhook.id)), await lossy.dead()) == ([b"1-0"], [])
    await lossy.remove(webhook.id, one)
    with pytest.raises(NoSuchWebhook):
        await lossy.remove(webhook.id, one)
    # Each is written down once.
    lines, _ = await Trail(redis, prefix).page()
    acts = [msgspec.json.decode(line.entry, type=Entry).act for line in lines]
    assert acts == ["webhook.remove", "webhook.drop", "webhook.retry", "webhook.enable", "webhook.add"]


async def test_a_hook_whose_making_was_answered_by_nobody_is_made_and_gone_once(lossy: Registry) -> None:
    hook, first = await lossy.add_hook(WantedHook(name="cms", sites=("demo",), then="draft"), by("t"))
    second = await lossy.rotate_hook("cms", by("t"))
    kept = await lossy.hook("cms")
    assert kept is not None
    assert {secret.text for secret in kept.secrets} == {first, second}
    await lossy.remove_hook(hook.name, by("t"))
    assert await lossy.hook("cms") is None
