"""The console with its pages about announcements on a real socket, and forms as its pages send them."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial

import aiohttp
from aiohttp import web
from redis.asyncio import Redis

from gateway.problems import problems
from gateway.sites import SiteSettings
from notifications.actor import Principal
from notifications.announcement import Announcement
from notifications.console import history
from notifications.console.announcement_pages import add_routes as add_pages
from notifications.console.console import add_routes
from notifications.console.desk import Desk
from notifications.console.parts import Parts
from notifications.console.sample_store import Samples
from notifications.console.shell import Shell
from notifications.editorial import Editorial
from notifications.log import Log
from notifications.people.known import known
from notifications.people.rights import Role
from notifications.settings import NotificationsSettings
from notifications.tokens import Tokens
from notifications.trail import Trail
from tests.notifications.console.visitor import House, Shown, Visitor
from tests.notifications.people.conftest import CHEAP, added

ADDRESS = "192.0.2.1"
SITES = {
    "demo": SiteSettings(name="Cổng tỉnh"),
    "bao": SiteSettings(name="Báo Tân An"),
    "paris": SiteSettings(name="Paris", timezone="Europe/Paris", language="en"),
}
SETTINGS = NotificationsSettings(acknowledge_seconds=1.5, approvals=["bao/breaking 1"])
ROOT = Principal(owner="test", name="Test", roles={"*": "admin"})


class DeskHouse(House):
    """A console with announcements.

    Attributes:
        desk: What its pages work with.
    """

    desk: Desk

    async def somebody(self, name: str, role: Role = "editor", site: str = "*") -> Visitor:
        """Adds a user and signs them in."""
        await added(self.people, name, role, site=site)
        return await self.inside(name)

    async def get(self, id: str) -> Announcement:
        """An announcement as it is."""
        return (await self.desk.editorial.get(id, by=ROOT)).announcement

    async def all(self) -> list[Announcement]:
        """All of them, the newest first."""
        return [found.announcement for found in (await self.desk.editorial.page(by=ROOT)).found]


@contextlib.asynccontextmanager
async def serving_desk(redis: Redis, prefix: str) -> AsyncIterator[DeskHouse]:
    """Serves."""
    people = known(redis, prefix, SETTINGS, cost=CHEAP)
    shell = Shell(people.sessions, people.crossing, lambda _: ADDRESS, "Asia/Ho_Chi_Minh")
    parts = Parts(
        shell=shell,
        people=people,
        tokens=Tokens(redis, prefix),
        trail=Trail(redis, prefix),
        sites=SITES,
        address_of=lambda _: ADDRESS,
        client_of=lambda _: ADDRESS,
    )
    desk = Desk(
        shell=shell,
        editorial=Editorial(Log(redis, prefix, SETTINGS), Trail(redis, prefix)),
        settings=SETTINGS,
        samples=Samples(redis, prefix),
        sites=SITES,
        history=partial(history.of, redis, prefix),
        store_ms=lambda: int(time.time() * 1000),
    )
    app = web.Application(middlewares=[problems])
    add_routes(app, parts)
    add_pages(app, desk)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            house = DeskHouse(f"http://{host}:{port}", http, people, parts)
            house.desk = desk
            yield house
    finally:
        await runner.cleanup()
        people.hasher.close()


def written(
    title: str = "Lũ trên sông Đà", severity: str = "notice", sites: Sequence[str] = ("demo",), **more: str
) -> list[tuple[str, str]]:
    """The form of an announcement; ``do`` and whatever else in `more`, dashes of names as underscores."""
    fields = [("sites", site) for site in sites]
    fields += [("severity", severity), ("test", ""), ("language-0", ""), ("title-0", title)]
    fields += [("body-0", ""), ("url-0", ""), ("lasting", "3600"), ("when", ""), ("starts_at", "")]
    changed = {re.sub(r"_(\d)$", r"-\1", name): value for name, value in more.items()}
    return [(name, value) for name, value in fields if name not in changed] + [*changed.items()]


def id_of(shown: Shown) -> str:
    """The announcement that an answer leads to."""
    found = re.search(r"/console/announcements/([0-9a-z]{26})", shown.location)
    assert found is not None, (shown.status, shown.location, shown.text[:3000])
    return found[1]


def hidden(shown: Shown, name: str, form: str = "") -> str:
    """The value of a hidden field, of the form that leads to an address ending in `form`."""
    text = shown.text
    if form:
        text = text[text.index(f'{form}"') :]
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)">', text)
    assert found is not None, text[:3000]
    return found[1]
