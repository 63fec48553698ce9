"""A service of this room alone for tests: the API on a real socket, with a log on a real store."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from redis.asyncio import Redis

from gateway.problems import problems
from gateway.sites import SiteSettings
from notifications.admission import Admission
from notifications.announcement import Announcement
from notifications.api import Api
from notifications.editorial import Editorial
from notifications.log import Log
from notifications.settings import NotificationsSettings
from notifications.tokens import Tokens
from notifications.trail import Trail
from notifications.wire import ANNOUNCEMENTS

SITES = {"demo": SiteSettings(), "tinh": SiteSettings()}


class Answer:
    """An answer of the API, read."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)

    @property
    def wrong(self) -> dict[str, str]:
        """Field → pointer of a problem's errors."""
        assert self.headers["Content-Type"].startswith("application/problem+json")
        return {error["field"]: error["pointer"] for error in self.json["errors"]}


class Editor:
    """A client with a token."""

    def __init__(self, http: aiohttp.ClientSession, base: str, token: str) -> None:
        self.http = http
        self.base = base
        self.token = token

    async def send(self, method: str, path: str = "", body: object = None, **options: Any) -> Answer:
        """Sends `body` as JSON to a path below the announcements, or as it is where it is bytes."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        if isinstance(body, bytes | AsyncIterator):
            options["data"] = body
        elif body is not None:
            options["json"] = body
        url = self.base + (path if path.startswith("/api") else ANNOUNCEMENTS + path)
        async with self.http.request(method, url, headers=headers, **options) as response:
            return Answer(response.status, response.headers, await response.read())


class Room:
    """The service, and an editor who may use it."""

    def __init__(self, editor: Editor, log: Log, tokens: Tokens) -> None:
        self.editor = editor
        self.log = log
        self.tokens = tokens


def api(
    editorial: Editorial,
    settings: NotificationsSettings,
    admission: Admission,
    delivered: Callable[[Announcement], Awaitable[int]],
) -> Api:
    """The API of this room's sites, by this machine's clock."""
    return Api(editorial, settings, admission, SITES, delivered=delivered, store_ms=lambda: int(time.time() * 1000))


@contextlib.asynccontextmanager
async def serving_api(
    redis: Redis, prefix: str, settings: NotificationsSettings, *, address: str = "192.0.2.1", sessions: int = 3
) -> AsyncIterator[Room]:
    """Serves; every client has `address`, and everything is delivered to so many `sessions`."""
    tokens = Tokens(redis, prefix)
    log = Log(redis, prefix, settings)

    async def delivered(announcement: Announcement) -> int:
        return sessions

    admission = Admission(tokens, settings, lambda request: address, lambda request: address)
    app = web.Application(middlewares=[problems])
    editorial = Editorial(log, Trail(redis, prefix))
    app.add_routes(api(editorial, settings, admission, delivered).routes())
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with aiohttp.ClientSession() as http:
            token = (await tokens.create("test")).text
            yield Room(Editor(http, f"http://{host}:{port}", token), log, tokens)
    finally:
        await runner.cleanup()
