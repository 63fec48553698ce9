"""What a registry does that the API's tests do not see."""

from __future__ import annotations

from typing import Any

import pytest

from notifications.webhooks.registry import Registry
from notifications.webhooks.wanted import WantedHook, WantedWebhook
from tests.notifications.making import by


@pytest.fixture
def lossy(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """One whose answers are lost once: the client sends the same again, and hears of the second time alone."""
    replace = registry._replace

    async def twice(**sent: Any) -> Any:
        await replace(**sent)
        return await replace(**sent)

    monkeypatch.setattr(registry, "_replace", twice)
    return registry


async def test_a_rotation_whose_answer_was_lost_is_one(lossy: Registry) -> None:
    """Another would take the secret away that the receiver knows."""
    wanted = WantedWebhook(url="https://a.example.vn/", sites=("*",), events=("announcement.live",), tests=False)
    webhook, first = await lossy.add(wanted, by("t"))
    second = await lossy.rotate(webhook.id, by("t"))
    kept = (await lossy.get(webhook.id)).webhook
    assert {secret.text for secret in kept.secrets} == {first, second}


async def test_a_hook_whose_making_was_answered_by_nobody_is_made_and_gone_once(lossy: Registry) -> None:
    hook, first = await lossy.add_hook(WantedHook(name="cms", sites=("demo",), then="draft"), by("t"))
    second = await lossy.rotate_hook("cms", by("t"))
    kept = await lossy.hook("cms")
    assert kept is not None
    assert {secret.text for secret in kept.secrets} == {first, second}
    await lossy.remove_hook(hook.name, by("t"))
    assert await lossy.hook("cms") is None
