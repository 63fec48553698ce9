"""The API of webhooks and the hooks of a CMS on a real socket, with people of several roles who may use it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator

import aiohttp
import msgspec
from aiohttp import web
from redis.asyncio import Redis

from gateway.problems import Problem, problems
from gateway.sites import SiteSettings
from notifications.actor import Principal
from notifications.announcement import Announcement
from notifications.editorial import Editorial
from notifications.log import Log
from notifications.people.rights import Roles
from notifications.settings import NotificationsSettings
from notifications.trail import Trail
from notifications.webhooks import signature
from notifications.webhooks.api import WebhooksApi
from notifications.webhooks.hooks import Hooks
from notifications.webhooks.registry import Registry
from notifications.webhooks.sender import Sender
from tests.notifications.service import Answer

SITES = {"demo": SiteSettings(), "tinh": SiteSettings()}
PEOPLE: dict[str, Roles] = {
    "operator": {"*": "operator"},
    "local-operator": {"tinh": "operator"},
    "editor": {"*": "editor"},
    "admin": {"*": "admin"},
}


class Office:
    """What is served, and the store behind it."""

    def __init__(self, http: aiohttp.ClientSession, base: str, log: Log, registry: Registry) -> None:
        self._http = http
        self._base = base
        self.log = log
        self.registry = registry

    async def ask(self, who: str, method: str, path: str = "", body: object = None) -> Answer:
        """Asks the API as one of ``PEOPLE``, below the webhooks."""
        headers = {"Authorization": f"Bearer {who}"} if who else {}
        url = f"{self._base}/api/v1/webhooks{path}"
        async with self._http.request(method, url, json=body, headers=headers) as response:
            return Answer(response.status, response.headers, await response.read())

    async def hook(self, then: str = "live", *sites: str, name: str = "cms") -> str:
        """A hook of a CMS; its secret."""
        made = await self.ask("operator", "POST", "/in", {"name": name, "sites": [*sites] or ["demo"], "then": then})
        assert made.status == 201, made.body
        return str(made.json["secret"])

    async def post(
        self, body: object, secret: str, *, id: str = "msg_1", name: str = "cms", off: int = 0, **further: str
    ) -> Answer:
        """Posts as a CMS does, signed `off` seconds from now."""
        sent = body if isinstance(body, bytes) else msgspec.json.encode(body)
        signed = signature.headers(id, int(time.time()) + off, sent, [secret])
        headers = {"Content-Type": "application/json", **signed, **further}
        url = f"{self._base}/api/v1/hooks/{name}"
        async with self._http.post(url, data=sent, headers=headers) as response:
            return Answer(response.status, response.headers, await response.read())


@contextlib.asynccontextmanager
async def serving(redis: Redis, prefix: str, settings: NotificationsSettings) -> AsyncIterator[Office]:
    """Serves."""
    log = Log(redis, prefix, settings)
    registry = Registry(redis, prefix, settings)
    editorial = Editorial(log, Trail(redis, prefix))

    async def who(request: web.Request) -> Principal:
        name = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if name not in PEOPLE:
            raise Problem(401)
        return Principal(owner=f"user:{name}", name=name, roles=PEOPLE[name], address="192.0.2.1")

    async def delivered(announcement: Announcement) -> int:
        return 3

    async with Sender(settings.webhook_seconds, private=settings.webhooks_private) as sender:
        app = web.Application(middlewares=[problems])
        app.add_routes(WebhooksApi(registry, sender, SITES, asking=who, acting=who).routes())
        hooks = Hooks(
            registry,
            editorial,
            settings,
            SITES,
            delivered=delivered,
            client_of=lambda _: "192.0.2.9",
            store_ms=lambda: int(time.time() * 1000),
        )
        app.add_routes(hooks.routes())
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        try:
            async with aiohttp.ClientSession() as http:
                yield Office(http, f"http://{host}:{port}", log, registry)
        finally:
            await runner.cleanup()
