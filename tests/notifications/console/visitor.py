"""The console on a real socket, and a visitor who has a browser's headers and cookies, but no browser."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from html import unescape
from http.cookies import SimpleCookie
from typing import TypeAlias

import aiohttp
from aiohttp import web
from redis.asyncio import Redis

from gateway.problems import problems
from gateway.sites import SiteSettings
from notifications.console.console import add_routes
from notifications.console.parts import Parts
from notifications.console.shell import Shell
from notifications.people.known import Known, known
from notifications.settings import NotificationsSettings
from notifications.tokens import Tokens
from notifications.trail import Trail
from tests.notifications.people.conftest import CHEAP, PASSWORD

SITES = {"demo": SiteSettings(), "tinh": SiteSettings(name="Cổng tỉnh")}


Fields: TypeAlias = "Mapping[str, str] | list[tuple[str, str]]"


class Shown:
    """A page as it came."""

    def __init__(self, status: int, headers: Mapping[str, str], text: str, cookies: SimpleCookie) -> None:
        self.status = status
        self.headers = headers
        self.raw = text
        self.text = unescape(text)
        self.cookies = cookies

    @property
    def location(self) -> str:
        """Where it leads."""
        return self.headers.get("Location", "")

    @property
    def heading(self) -> str:
        """Its first heading, without what stands in it as an element."""
        found = re.search(r"<h1>(.*?)</h1>", self.text, re.DOTALL)
        return re.sub(r"<.*?>.*?</.*?>", "", found[1]).strip() if found else ""


class Visitor:
    """Keeps cookies as a browser does over HTTPS."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self._http = http
        self._base = base
        self.cookies: dict[str, str] = {}

    async def get(self, path: str, **headers: str) -> Shown:
        """Opens a page; does not follow where it leads."""
        return await self._ask("GET", path, None, headers)

    async def send(self, path: str, fields: Fields | None = None, **headers: str) -> Shown:
        """Sends a form, as from a page of ours."""
        return await self._ask("POST", path, fields or {}, {"Sec_Fetch_Site": "same-origin", **headers})

    async def sign_in(self, name: str, password: str = PASSWORD) -> Shown:
        """Sends the sign-in's form."""
        return await self.send("/console/sign-in", {"name": name, "password": password})

    async def _ask(
        self,
        method: str,
        path: str,
        fields: Fields | None,
        headers: Mapping[str, str],
    ) -> Shown:
        sent = {name.replace("_", "-"): value for name, value in headers.items() if value}
        sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self._http.request(
            method, self._base + path, data=fields, headers=sent, allow_redirects=False
        ) as answer:
            for name, morsel in answer.cookies.items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
            return Shown(answer.status, answer.headers, await answer.text(), answer.cookies)


class House:
    """The console, and who is known there."""

    def __init__(self, base: str, http: aiohttp.ClientSession, people: Known, parts: Parts) -> None:
        self._base = base
        self._http = http
        self.people = people
        self.parts = parts

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._base.rpartition(":")[2])

    def visitor(self) -> Visitor:
        """Somebody who was never here."""
        return Visitor(self._http, self._base)

    async def inside(self, name: str) -> Visitor:
        """Somebody signed in."""
        visitor = self.visitor()
        assert (await visitor.sign_in(name)).status == 303
        return visitor


@contextlib.asynccontextmanager
async def serving_console(
    redis: Redis,
    prefix: str,
    address: str = "192.0.2.1",
    packages: Sequence[str] = (),
    more: Callable[[web.Application, Shell], None] = lambda app, shell: None,
) -> AsyncIterator[House]:
    """Serves; every visitor has `address`. `more` adds pages of other rooms, which lie in `packages`."""
    people = known(redis, prefix, NotificationsSettings(), cost=CHEAP)
    parts = Parts(
        shell=Shell(people.sessions, people.crossing, lambda _: address, "Asia/Ho_Chi_Minh", packages),
        people=people,
        tokens=Tokens(redis, prefix),
        trail=Trail(redis, prefix),
        sites=dict(SITES),
        address_of=lambda _: address,
        client_of=lambda _: address,
    )
    app = web.Application(middlewares=[problems])
    add_routes(app, parts)
    more(app, parts.shell)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield House(f"http://{host}:{port}", http, people, parts)
    finally:
        await runner.cleanup()
        people.hasher.close()
