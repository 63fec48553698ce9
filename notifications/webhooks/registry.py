"""Which webhooks and hooks there are, and what could not be delivered; kept by operators.

Every act is written into the audit trail in the same step.

Each method raises :class:`~notifications.errors.StoreAway` if the store does not answer.
"""

from __future__ import annotations

import secrets
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from redis.asyncio import Redis

from notifications.actor import Actor
from notifications.asking import ask
from notifications.audit import Act, members
from notifications.settings import NotificationsSettings
from notifications.trail import Trail
from notifications.webhooks import signature
from notifications.webhooks.answers import Dead, Standing
from notifications.webhooks.board import Waiting
from notifications.webhooks.errors import NameTaken, NoSuchWebhook, TooManyWebhooks
from notifications.webhooks.keys import WebhookKeys
from notifications.webhooks.wanted import WantedHook, WantedWebhook
from notifications.webhooks.webhook import MOST_WEBHOOKS, Hook, Secret, Webhook, rotated, without_path
from store.clock import now_ms
from store.scripts import load

_PACKAGE = "notifications.webhooks"
_TRIES = 5

_Kept = TypeVar("_Kept", Webhook, Hook)


class Registry:
    """The webhooks below `prefix`."""

    def __init__(self, redis: Redis, prefix: str, settings: NotificationsSettings) -> None:
        self.settings = settings
        self._redis = redis
        self._keys = WebhookKeys(prefix)
        self._trail = Trail(redis, prefix)
        self._add, self._remove, self._replace, self._revive = (
            redis.register_script("\n".join([load("notifications", "audit"), load(_PACKAGE, name)]))
            for name in ("add", "remove", "replace", "revive")
        )

    # Webhooks

    async def add(self, wanted: WantedWebhook, by: Actor) -> tuple[Webhook, str]:
        """Makes a webhook, which is told of what happens from now on; returns it and its secret.

        Raises:
            TooManyWebhooks: See there.
        """
        text = signature.new_secret()
        webhook = Webhook(
            id="wh" + secrets.token_hex(4),
            url=wanted.url,
            sites=wanted.sites,
            events=wanted.events,
            tests=wanted.tests,
            secrets=(Secret(text=text),),
            created_ms=await self.now_ms(),
        )
        deed = _deed("webhook.add", by, webhook.id, None, told(webhook))
        if not await self._written(webhook.id, msgspec.json.encode(webhook), deed):
            raise TooManyWebhooks(MOST_WEBHOOKS)
        return webhook, text

    async def all(self) -> list[Standing]:
        """All, the oldest first."""
        stored: Any = await ask(self._redis.hvals(self._keys.all))
        known = sorted((msgspec.json.decode(one, type=Webhook) for one in stored), key=lambda one: one.created_ms)
        return [await self._standing(one) for one in known]

    async def get(self, id: str) -> Standing:
        """One of them.

        Raises:
            NoSuchWebhook: See there.
        """
        return await self._standing((await self._webhook(id))[0])

    async def remove(self, id: str, by: Actor) -> None:
        """Tells it nothing more, nor what waits for it.

        Raises:
            NoSuchWebhook: See there.
        """
        webhook, _ = await self._webhook(id)
        keys = self._keys
        of_it = [keys.all, keys.cursor, keys.disabled, keys.waiting(id), keys.expiring(id), keys.changes]
        deed = _deed("webhook.remove", by, id, told(webhook), None)
        # If it has gone since it was read, then by this or by another who wanted the same.
        await ask(self._remove(keys=[*of_it, keys.audit, keys.audit_head], args=[id, deed]))

    async def rotate(self, id: str, by: Actor) -> str:
        """Makes a new secret for it; the one before is signed with besides, for as long as the settings say.

        Raises:
            NoSuchWebhook: See there.
        """
        for _ in range(_TRIES):
            webhook, stored = await self._webhook(id)
            deed = _deed("webhook.rotate", by, id, None, None)
            if (text := await self._rotated(self._keys.all, id, webhook, stored, deed)) is not None:
                return text
        raise NoSuchWebhook("webhook", id)

    async def enable(self, id: str, by: Actor) -> None:
        """Tells one that was disabled what happens from now on.

        Raises:
            NoSuchWebhook: See there; also if it is not disabled.
        """
        if not await ask(self._redis.hexists(self._keys.disabled, id)):
            raise NoSuchWebhook("disabled webhook", id)
        # If it is enabled since that was read, then by this or by another who wanted the same.
        await self._written(id, b"", _deed("webhook.enable", by, id, None, None))

    # Hooks

    async def add_hook(self, wanted: WantedHook, by: Actor) -> tuple[Hook, str]:
        """Makes a hook by which a CMS makes announcements; returns it and its secret.

        Raises:
            NameTaken, TooManyWebhooks: See there.
        """
        text = signature.new_secret()
        hook = Hook(
            name=wanted.name,
            sites=wanted.sites,
            then=wanted.then,
            secrets=(Secret(text=text),),
            created_ms=await self.now_ms(),
        )
        deed = _deed("hook.add", by, hook.name, None, told(hook))
        if not await self._replaced(self._keys.hooks, hook.name, b"", msgspec.json.encode(hook), deed):
            taken = await self.hook(hook.name) is not None
            raise NameTaken(hook.name) if taken else TooManyWebhooks(MOST_WEBHOOKS)
        return hook, text

    async def hooks(self) -> list[Hook]:
        """All, the oldest first."""
        stored: Any = await ask(self._redis.hvals(self._keys.hooks))
        return sorted((msgspec.json.decode(one, type=Hook) for one in stored), key=lambda one: one.created_ms)

    async def hook(self, name: str) -> Hook | None:
        """The one of this name; None if there is none."""
        stored = await ask(self._redis.hget(self._keys.hooks, name))
        return msgspec.json.decode(stored, type=Hook) if stored is not None else None

    async def remove_hook(self, name: str, by: Actor) -> None:
        """Believes it no more, from now on.

        Raises:
            NoSuchWebhook: See there.
        """
        for _ in range(_TRIES):
            hook, stored = await self._hook(name)
            deed = _deed("hook.remove", by, name, told(hook), None)
            if await self._replaced(self._keys.hooks, name, stored, b"", deed):
                return
        raise NoSuchWebhook("hook", name)

    async def rotate_hook(self, name: str, by: Actor) -> str:
        """Makes a new secret for it; the one before is believed as long as the settings say.

        Raises:
            NoSuchWebhook: See there.
        """
        for _ in range(_TRIES):
            hook, stored = await self._hook(name)
            deed = _deed("hook.rotate", by, name, None, None)
            if (text := await self._rotated(self._keys.hooks, name, hook, stored, deed)) is not None:
                return text
        raise NoSuchWebhook("hook", name)

    # What could not be delivered

    async def dead(self, limit: int = 100) -> list[Dead]:
        """The latest so many, the latest first."""
        found: Any = await ask(self._redis.xrevrange(self._keys.dead, count=limit))
        return [_dead(*one) for one in found]

    async def find_dead(self, id: str) -> Dead:
        """One of them.

        Raises:
            NoSuchWebhook: See there.
        """
        found: Any = await ask(self._redis.xrange(self._keys.dead, min=id, max=id))
        if not found:
            raise NoSuchWebhook("dead delivery", id)
        return _dead(*found[0])

    async def retry(self, id: str, by: Actor) -> None:
        """Has a dead delivery tried again, from the beginning.

        Raises:
            NoSuchWebhook: See there; also if its webhook was removed or is disabled.
        """
        dead = await self.find_dead(id)
        waiting = replace(dead.waiting, tries=0, due_ms=await self.now_ms())
        deed = _deed("webhook.retry", by, dead.webhook, {"dead": id}, None)
        if not await self._revived(dead, msgspec.json.encode(waiting), deed):
            raise NoSuchWebhook("webhook that is told of anything", dead.webhook)

    async def drop(self, id: str, by: Actor) -> None:
        """Gives a dead delivery up for good.

        Raises:
            NoSuchWebhook: See there.
        """
        dead = await self.find_dead(id)
        await self._revived(dead, b"", _deed("webhook.drop", by, dead.webhook, {"dead": id}, None))

    async def note_test(self, id: str, by: Actor, outcome: str) -> None:
        """Writes down that a test was sent."""
        await self._trail.record("webhook.test", by, {"id": id, "before": None, "after": {"outcome": outcome}})

    async def now_ms(self) -> int:
        """The store's time."""
        return int(await ask(now_ms(self._redis)))

    async def _webhook(self, id: str) -> tuple[Webhook, bytes]:
        stored = await ask(self._redis.hget(self._keys.all, id))
        if stored is None:
            raise NoSuchWebhook("webhook", id)
        return msgspec.json.decode(stored, type=Webhook), stored

    async def _hook(self, name: str) -> tuple[Hook, bytes]:
        stored = await ask(self._redis.hget(self._keys.hooks, name))
        if stored is None:
            raise NoSuchWebhook("hook", name)
        return msgspec.json.decode(stored, type=Hook), stored

    async def _standing(self, webhook: Webhook) -> Standing:
        disabled = await ask(self._redis.hget(self._keys.disabled, webhook.id))
        waiting = await ask(self._redis.hlen(self._keys.waiting(webhook.id)))
        return Standing(webhook, (disabled or b"").decode(), waiting)

    async def _written(self, id: str, webhook: bytes, deed: bytes) -> bool:
        keys = self._keys
        of_it = [keys.all, keys.cursor, keys.disabled, keys.changes, keys.audit, keys.audit_head]
        return bool(await ask(self._add(keys=of_it, args=[id, webhook, MOST_WEBHOOKS, deed])))

    async def _revived(self, dead: Dead, waiting: bytes, deed: bytes) -> bool:
        keys = self._keys
        of_it = [keys.dead, keys.all, keys.disabled, keys.waiting(dead.webhook), keys.changes]
        arguments: list[str | bytes] = [dead.id, dead.webhook, dead.happening, waiting, deed]
        return bool(await ask(self._revive(keys=[*of_it, keys.audit, keys.audit_head], args=arguments)))

    async def _rotated(self, key: str, id: str, kept: _Kept, stored: bytes, deed: bytes) -> str | None:
        """The new secret; None if it was changed meanwhile."""
        text, now_ms = signature.new_secret(), await self.now_ms()
        keep_ms = self.settings.webhook_rotation_hours * 3_600_000
        after = replace(kept, secrets=rotated(kept.secrets, text, now_ms, keep_ms))
        return text if await self._replaced(key, id, stored, msgspec.json.encode(after), deed) else None

    async def _replaced(self, key: str, field: str, before: bytes, after: bytes, deed: bytes) -> bool:
        of_it = [key, self._keys.changes, self._keys.audit, self._keys.audit_head]
        return bool(await ask(self._replace(keys=of_it, args=[field, before, after, MOST_WEBHOOKS, deed])))


def told(kept: Webhook | Hook) -> dict[str, object]:
    """What the audit trail says of it: no secret, and no path of an address, which may be one."""
    if isinstance(kept, Hook):
        return {"sites": kept.sites, "then": kept.then}
    return {"url": without_path(kept.url), "sites": kept.sites, "events": kept.events, "tests": kept.tests}


def _deed(act: Act, by: Actor, id: str, before: object, after: object) -> bytes:
    """What an entry of the audit trail says, JSON without braces."""
    return members(act, by) + b"," + msgspec.json.encode({"id": id, "before": before, "after": after})[1:-1]


def _dead(id: bytes, fields: dict[bytes, bytes]) -> Dead:
    waiting = msgspec.json.decode(fields[b"waiting"], type=Waiting)
    at_ms = int(id.partition(b"-")[0])
    return Dead(id.decode(), at_ms, fields[b"webhook"].decode(), fields[b"happening"].decode(), waiting)
