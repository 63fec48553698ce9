"""``/api/v1/webhooks``: operators keep webhooks, and the hooks of their CMS, over the API.

It takes the right `operate` on each of a webhook's sites; whoever has it nowhere is told so, and a webhook of other
sites is not there for them. A secret is in the answer that makes it, and in no other.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable

import msgspec
from aiohttp import web

from gateway.problems import Problem
from gateway.sites import Sites
from notifications import reading
from notifications.actor import Actor, Principal
from notifications.answers import answer
from notifications.errors import Forbidden
from notifications.people.rights import may, role_on
from notifications.problems import explaining
from notifications.webhooks import event, wanted
from notifications.webhooks.answers import (
    AllDead,
    AllHooks,
    AllWebhooks,
    MadeHook,
    MadeWebhook,
    NewSecret,
    Standing,
    Tried,
    shown_dead,
    shown_hook,
    shown_webhook,
)
from notifications.webhooks.errors import NoSuchWebhook
from notifications.webhooks.registry import Registry
from notifications.webhooks.sender import Sender
from notifications.webhooks.webhook import Hook, Webhook

PATH = "/api/v1/webhooks"
HOOKS_PATH = f"{PATH}/in"
DEAD_PATH = f"{PATH}/dead"
_ID = re.compile(r"wh[0-9a-f]{8}", re.ASCII)
_DEAD_ID = re.compile(r"[0-9]{1,15}-[0-9]{1,10}", re.ASCII)


class WebhooksApi:
    """The handlers.

    Args:
        registry: Where they are kept.
        sender: For tests.
        sites: The portals.
        asking: Whose request that asks is.
        acting: Whose request that acts is.
    """

    def __init__(
        self,
        registry: Registry,
        sender: Sender,
        sites: Sites,
        *,
        asking: Callable[[web.Request], Awaitable[Principal]],
        acting: Callable[[web.Request], Awaitable[Principal]],
    ) -> None:
        self._registry = registry
        self._sender = sender
        self._sites = sites
        self._asking = asking
        self._acting = acting

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application behind the gate, under the problems middleware."""
        return [
            web.post(PATH, explaining(self._add)),
            web.get(PATH, explaining(self._list)),
            web.post(HOOKS_PATH, explaining(self._add_hook)),
            web.get(HOOKS_PATH, explaining(self._list_hooks)),
            web.delete(HOOKS_PATH + "/{name}", explaining(self._remove_hook)),
            web.post(HOOKS_PATH + "/{name}/rotate", explaining(self._rotate_hook)),
            web.get(DEAD_PATH, explaining(self._list_dead)),
            web.delete(DEAD_PATH + "/{id}", explaining(self._drop)),
            web.post(DEAD_PATH + "/{id}/retry", explaining(self._retry)),
            web.get(PATH + "/{id}", explaining(self._show)),
            web.delete(PATH + "/{id}", explaining(self._remove)),
            web.post(PATH + "/{id}/test", explaining(self._test)),
            web.post(PATH + "/{id}/rotate", explaining(self._rotate)),
            web.post(PATH + "/{id}/enable", explaining(self._enable)),
        ]

    async def _add(self, request: web.Request) -> web.Response:
        by = await self._acting(request)
        private = self._registry.settings.webhooks_private
        asked = wanted.webhook(await reading.document(request), self._sites.keys(), private=private)
        webhook, secret = await self._registry.add(asked, self._operator(by, asked.sites))
        shown = shown_webhook(Standing(webhook, "", 0))
        made = MadeWebhook(**msgspec.structs.asdict(shown), secret=secret)
        return answer(made, status=201, headers={"Location": f"{PATH}/{webhook.id}"})

    async def _list(self, request: web.Request) -> web.Response:
        by = await self._operating(request)
        all = [one for one in await self._registry.all() if self._may(by, one.webhook.sites)]
        return answer(AllWebhooks(webhooks=[shown_webhook(one) for one in all]))

    async def _show(self, request: web.Request) -> web.Response:
        return answer(shown_webhook(await self._found(request, await self._operating(request))))

    async def _remove(self, request: web.Request) -> web.Response:
        by, webhook = await self._acted_on(request)
        await self._registry.remove(webhook.id, by)
        return web.Response(status=204)

    async def _test(self, request: web.Request) -> web.Response:
        by, webhook = await self._acted_on(request)
        return answer(await tried(self._registry, self._sender, webhook, by))

    async def _rotate(self, request: web.Request) -> web.Response:
        by, webhook = await self._acted_on(request)
        secret = await self._registry.rotate(webhook.id, by)
        return answer(NewSecret(secret=secret, hours=self._registry.settings.webhook_rotation_hours))

    async def _enable(self, request: web.Request) -> web.Response:
        by, webhook = await self._acted_on(request)
        await self._registry.enable(webhook.id, by)
        return answer(shown_webhook(await self._registry.get(webhook.id)))

    async def _add_hook(self, request: web.Request) -> web.Response:
        by = await self._acting(request)
        asked = wanted.hook(await reading.document(request), self._sites.keys())
        hook, secret = await self._registry.add_hook(asked, self._operator(by, asked.sites))
        made = MadeHook(**msgspec.structs.asdict(shown_hook(hook)), secret=secret)
        return answer(made, status=201)

    async def _list_hooks(self, request: web.Request) -> web.Response:
        by = await self._operating(request)
        all = [one for one in await self._registry.hooks() if self._may(by, one.sites)]
        return answer(AllHooks(hooks=[shown_hook(one) for one in all]))

    async def _remove_hook(self, request: web.Request) -> web.Response:
        by, hook = await self._hook_acted_on(request)
        await self._registry.remove_hook(hook.name, by)
        return web.Response(status=204)

    async def _rotate_hook(self, request: web.Request) -> web.Response:
        by, hook = await self._hook_acted_on(request)
        secret = await self._registry.rotate_hook(hook.name, by)
        return answer(NewSecret(secret=secret, hours=self._registry.settings.webhook_rotation_hours))

    async def _list_dead(self, request: web.Request) -> web.Response:
        by = await self._operating(request)
        mine = {one.webhook.id for one in await self._registry.all() if self._may(by, one.webhook.sites)}
        all = [one for one in await self._registry.dead() if one.webhook in mine or self._may(by, ())]
        return answer(AllDead(dead=[shown_dead(one) for one in all]))

    async def _drop(self, request: web.Request) -> web.Response:
        by, id = await self._dead_acted_on(request)
        await self._registry.drop(id, by)
        return web.Response(status=204)

    async def _retry(self, request: web.Request) -> web.Response:
        by, id = await self._dead_acted_on(request)
        await self._registry.retry(id, by)
        return web.Response(status=204)

    async def _operating(self, request: web.Request) -> Principal:
        by = await self._asking(request)
        if not may(by.roles, "operate", ()):
            raise Problem(403, detail="This takes the role operator or admin.")
        return by

    async def _acted_on(self, request: web.Request) -> tuple[Actor, Webhook]:
        by = await self._acting(request)
        if not may(by.roles, "operate", ()):
            raise Problem(403, detail="This takes the role operator or admin.")
        webhook = (await self._found(request, by)).webhook
        return self._operator(by, webhook.sites), webhook

    async def _hook_acted_on(self, request: web.Request) -> tuple[Actor, Hook]:
        by, name = await self._acting(request), request.match_info["name"]
        hook = await self._registry.hook(name) if wanted.NAME.fullmatch(name) else None
        if hook is None:
            raise NoSuchWebhook("hook", _printable(name[: wanted.MOST_NAME]))
        return self._operator(by, hook.sites), hook

    async def _dead_acted_on(self, request: web.Request) -> tuple[Actor, str]:
        by, id = await self._acting(request), request.match_info["id"]
        if _DEAD_ID.fullmatch(id) is None:
            raise NoSuchWebhook("dead delivery", _printable(id[:20]))
        dead = await self._registry.find_dead(id)
        try:
            sites = (await self._registry.get(dead.webhook)).webhook.sites
        except NoSuchWebhook:
            # It was removed: whoever operates all sites may clear up after it.
            sites = ()
        return self._operator(by, sites), id

    async def _found(self, request: web.Request, by: Principal) -> Standing:
        id = request.match_info["id"]
        found = await self._registry.get(id) if _ID.fullmatch(id) else None
        if found is None or not self._may(by, found.webhook.sites):
            raise NoSuchWebhook("webhook", _printable(id[:20]))
        return found

    def _may(self, by: Principal, sites: Iterable[str]) -> bool:
        """Whether `by` operates each of `sites`; none named: all there are."""
        return may(by.roles, "operate", [*sites] or self._sites.keys())

    def _operator(self, by: Principal, sites: tuple[str, ...]) -> Actor:
        """Whoever acts, as they are written down.

        Raises:
            Forbidden: They may not.
        """
        if not self._may(by, sites):
            raise Forbidden("this takes the role operator or admin on each of its sites", "operate")
        held = [role for site in (sites or self._sites.keys()) if (role := role_on(by.roles, site))]
        return by.acting_as(held[0] if held else "")


async def tried(registry: Registry, sender: Sender, webhook: Webhook, by: Actor) -> Tried:
    """Sends a test to `webhook`, once, and says what came of it."""
    body = event.test_body(webhook, await registry.now_ms())
    sent = await sender.send(webhook, f"msg_test_{secrets.token_hex(8)}", body)
    await registry.note_test(webhook.id, by, sent.outcome)
    return Tried(outcome=sent.outcome, status=sent.status, why=sent.why)


def _printable(text: str) -> str:
    """What a client has named, without halves of surrogate pairs, which cannot be answered."""
    return text.encode("utf-8", "backslashreplace").decode()
