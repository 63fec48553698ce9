"""What the API answers about webhooks, hooks and dead deliveries: all but the secrets, which are shown once.

Pure.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from gateway.instants import rfc3339
from notifications.webhooks.board import Waiting
from notifications.webhooks.webhook import Hook, Then, Webhook


class Standing(NamedTuple):
    """A webhook and how it stands: why nothing is sent to it any more, if so; how much waits for it."""

    webhook: Webhook
    disabled: str
    waiting: int


class Dead(NamedTuple):
    """A delivery that failed at every try."""

    id: str
    at_ms: int
    webhook: str
    happening: str
    waiting: Waiting


class ShownWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook in an answer; `disabled`: why nothing is sent to it any more; `waiting`: how much waits for it."""

    id: str
    url: str
    sites: tuple[str, ...]
    events: tuple[str, ...]
    tests: bool
    created_at: str
    disabled: str
    waiting: int


class MadeWebhook(ShownWebhook, frozen=True, kw_only=True):
    """A webhook just made, with its secret, which is shown only now."""

    secret: str


class ShownHook(msgspec.Struct, frozen=True, kw_only=True):
    """A hook in an answer; `path`: where the CMS posts to."""

    name: str
    path: str
    sites: tuple[str, ...]
    then: Then
    created_at: str


class MadeHook(ShownHook, frozen=True, kw_only=True):
    """A hook just made, with its secret, which is shown only now."""

    secret: str


class NewSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The secret from now on; the one before is good for so many hours more."""

    secret: str
    hours: int


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a test: `delivered`, `failed` or `gone`; `status`: what was answered, 0 if nothing was."""

    outcome: str
    status: int
    why: str


class ShownDead(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that failed at every try: of what, how often it was tried, and what came of the last."""

    id: str
    webhook: str
    event: str
    announcement: str
    happened_at: str
    given_up_at: str
    tries: int
    why: str


class AllWebhooks(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest first."""

    webhooks: list[ShownWebhook]


class AllHooks(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest first."""

    hooks: list[ShownHook]


class AllDead(msgspec.Struct, frozen=True, kw_only=True):
    """The latest first."""

    dead: list[ShownDead]


def shown_webhook(standing: Standing) -> ShownWebhook:
    """It as operators are shown it: all but its secrets."""
    webhook = standing.webhook
    return ShownWebhook(
        id=webhook.id,
        url=webhook.url,
        sites=webhook.sites,
        events=webhook.events,
        tests=webhook.tests,
        created_at=rfc3339(webhook.created_ms),
        disabled=standing.disabled,
        waiting=standing.waiting,
    )


def shown_hook(hook: Hook) -> ShownHook:
    """It as operators are shown it: all but its secrets."""
    path = f"/api/v1/hooks/{hook.name}"
    return ShownHook(name=hook.name, path=path, sites=hook.sites, then=hook.then, created_at=rfc3339(hook.created_ms))


def shown_dead(dead: Dead) -> ShownDead:
    """It as operators are shown it."""
    waiting = dead.waiting
    return ShownDead(
        id=dead.id,
        webhook=dead.webhook,
        event=waiting.event,
        announcement=waiting.announcement,
        happened_at=rfc3339(waiting.at_ms),
        given_up_at=rfc3339(dead.at_ms),
        tries=waiting.tries,
        why=waiting.why,
    )
