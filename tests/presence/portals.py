"""A portal for tests: the gate on a real port, presence behind it, and the API beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientWebSocketResponse, web

from gateway import compat
from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.heads import limit_heads, neighbour
from gateway.hub import Hub
from gateway.listening import listen
from gateway.problems import Problem, problems
from gateway.settings import GatewaySettings
from gateway.sites import Sites, SiteSettings
from gateway.tasks import Caretaker
from presence import api, badge
from presence.counter import Presence
from presence.enquiry import Enquiry
from presence.history.api import Api as History
from presence.history.chronicle import Chronicle
from presence.history.pages import Pages, TopPages
from presence.history.reading import Reader
from presence.history.recorder import Recorder
from presence.identity import Identity
from presence.leases import Leases, holdings
from presence.ledger import Ledger
from presence.secret import SharedSecret
from presence.settings import PresenceSettings
from store.connection import connect
from store.settings import RedisSettings
from tests.patience import PATIENCE_SECONDS
from tests.presence.workers import BRISK

EDITOR = "Bearer of an editor"
# On these sites.
EDITED = ("demo",)
ORIGIN = "https://portal.example.vn"
SITES = {
    "demo": SiteSettings(origins=[ORIGIN]),
    "other": SiteSettings(timezone="America/Havana"),
    "shy": SiteSettings(small_counts=10),
}


# As aiohttp calls itself, its clients are robots.
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}


async def answered(socket: ClientWebSocketResponse) -> dict[str, Any]:
    """The welcome, to which the browser has answered."""
    welcome: dict[str, Any] = await socket.receive_json()
    await socket.send_json({"type": "state", "state": "reading"})
    return welcome


@dataclass
class Portal:
    """A running portal."""

    port: int
    hub: Hub
    door: Door
    presence: Presence
    recorder: Recorder
    chronicle: Chronicle
    pages: Pages

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def _authorize(request: web.Request, site: str) -> None:
    if request.headers.get("Authorization") != EDITOR:
        raise Problem(401)
    if site not in EDITED:
        raise Problem(403)


@asynccontextmanager
async def portal(
    store_url: str, prefix: str, settings: PresenceSettings = BRISK, *, sites: Sites = SITES
) -> AsyncIterator[Portal]:
    """A portal of one worker, joined as the roof does it."""
    gateway = GatewaySettings()
    redis = connect(RedisSettings(command_seconds=1.0), store_url, connections=1, name="presence")
    secret = SharedSecret(redis, prefix, settings.secret)
    identity = Identity(await secret.get())
    hub = Hub(gateway.slow_bytes)
    desk = FrontDesk(gateway, sites, hub)
    door = Door(gateway, desk)
    ledger = Ledger(redis, prefix, settings.shards)
    leases = Leases(ledger, settings, holdings(sites, settings, identity), secret)
    presence = Presence(settings, identity, leases, hub, detection_seconds=gateway.ping_seconds + gateway.pong_seconds)
    enquiring = connect(RedisSettings(command_seconds=1.0), store_url, connections=2, name="api")
    enquiry = Enquiry(
        Ledger(enquiring, prefix, settings.shards), presence.holdings, lambda: presence.epoch, settings.count_seconds
    )
    recording = connect(RedisSettings(command_seconds=1.0), store_url, connections=1, name="history")
    recorder = Recorder(
        Chronicle(recording, prefix),
        Pages(recording, prefix, Ledger(recording, prefix, settings.shards)),
        presence.holdings,
        identity,
        store_ms=presence.store_ms,
        write_ms=settings.history_ms,
    )
    presence.seen = recorder.seen
    chronicle = Chronicle(enquiring, prefix)
    pages = Pages(enquiring, prefix, Ledger(enquiring, prefix, settings.shards))
    history = History(
        presence,
        chronicle,
        Reader(chronicle, sites, store_ms=presence.store_ms),
        TopPages(pages, presence.holdings, store_ms=presence.store_ms),
        sites,
        authorize=_authorize,
        store_ms=presence.store_ms,
    )
    desk.greet_with(presence.greet)
    desk.on_answer(presence.answered)
    desk.on_departure(presence.depart)
    desk.on_message("page", presence.moved)
    desk.on_message("state", presence.turned)
    desk.on_message("gone", presence.gone)
    caretaker = Caretaker()
    app = web.Application(middlewares=[problems, limit_heads(gateway)])
    served = [*api.routes(presence, enquiry, sites), *badge.routes(presence, enquiry, sites)]
    served += history.routes()
    app.add_routes([compat.route(door), *served])
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    assert runner.server is not None
    server = await listen(door, neighbour(runner.server, gateway), "127.0.0.1", 0)
    caretaker.start("wheel", door.wheel.run)
    caretaker.start("sweep", door.sweep)
    presence.start(caretaker)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await presence.counted()
        caretaker.start("history", recorder.loop)
        yield Portal(server.sockets[0].getsockname()[1], hub, door, presence, recorder, chronicle, pages)
        assert not caretaker.failures
    finally:
        server.close()
        for session in hub.everyone():
            session.abort()
        await caretaker.stop()
        await runner.cleanup()
        await recorder.finish()
        await recording.aclose()
        await enquiring.aclose()
        await redis.aclose()
