"""A service for CAP messages alone: in and out on a real socket, with a log on a real store, and a feed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import web
from redis.asyncio import Redis

from gateway.problems import problems
from gateway.sites import SiteSettings
from notifications.actor import Principal
from notifications.admission import Admission
from notifications.announcement import Announcement
from notifications.cap.api import PATH, CapApi
from notifications.cap.feeds import CapFeeds
from notifications.cap.index import Index
from notifications.cap.intake import Intake
from notifications.editorial import Editorial
from notifications.feeds import Feeds
from notifications.log import Log
from notifications.people.rights import Role
from notifications.settings import NotificationsSettings
from notifications.tokens import Tokens
from notifications.trail import Trail
from tests.notifications.conftest import SETTINGS, Told, feeding
from tests.notifications.service import Answer

SITES = {"demo": SiteSettings(name="Cổng thông tin"), "tinh": SiteSettings(language="en")}
PUBLIC_URL = "https://loa.example.vn"


def principal(owner: str = "kttv", role: Role = "editor", site: str = "*") -> Principal:
    """Somebody with a role on a site."""
    return Principal(owner=owner, name=f"the token {owner}", roles={site: role}, address="192.0.2.7")


class Desk:
    """What acts on a log of a test's own."""

    def __init__(self, redis: Redis, prefix: str, settings: NotificationsSettings = SETTINGS) -> None:
        self.log = Log(redis, prefix, settings)
        self.trail = Trail(redis, prefix)
        self.editorial = Editorial(self.log, self.trail)
        self.index = Index(redis, prefix, 3600)
        self.intake = Intake(self.editorial, self.index, SITES, settings)

    async def all(self) -> list[Announcement]:
        """Every announcement there is, the oldest first."""
        return [found.announcement for found in (await self.log.page()).found][::-1]


class Hub:
    """A client with a token, as an alert hub or a weather service has it."""

    def __init__(self, http: aiohttp.ClientSession, base: str, token: str, told: Told, desk: Desk) -> None:
        self._http = http
        self.base = base
        self.token = token
        self.told = told
        self.desk = desk

    async def send(self, message: bytes, site: str = "demo", **headers: str) -> Answer:
        """Sends a message."""
        usual = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/cap+xml"}
        return await self.ask("POST", PATH.format(site=site), data=message, headers={**usual, **headers})

    async def get(self, path: str, **headers: str) -> Answer:
        """Fetches a document."""
        return await self.ask("GET", path, headers=headers)

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        """Any request."""
        async with self._http.request(method, self.base + path, **options) as response:
            return Answer(response.status, response.headers, await response.read())


@contextlib.asynccontextmanager
async def serving_cap(
    redis: Redis, store_url: str, prefix: str, settings: NotificationsSettings = SETTINGS
) -> AsyncIterator[Hub]:
    """Serves; everything is delivered to three sessions."""

    async def delivered(_: Announcement) -> int:
        return 3

    tokens = Tokens(redis, prefix)
    desk = Desk(redis, prefix, settings)
    admission = Admission(tokens, settings, lambda request: "", lambda request: "192.0.2.7", time.monotonic)
    async with feeding(store_url, prefix, settings) as (feed, told):
        await feed.followed_once()
        app = web.Application(middlewares=[problems])
        app.add_routes(CapApi(desk.intake, admission.acting, SITES, delivered).routes())
        app.add_routes(CapFeeds(feed, SITES, PUBLIC_URL, settings.cap_sender).routes())
        app.add_routes(Feeds(feed, SITES, PUBLIC_URL).routes())
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        try:
            async with aiohttp.ClientSession() as http:
                token = (await tokens.create("test")).text
                yield Hub(http, f"http://{host}:{port}", token, told, desk)
        finally:
            await runner.cleanup()
