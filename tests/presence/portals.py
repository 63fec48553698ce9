"""A portal for tests: the gate on a real port, presence behind it, and the API beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from gateway import compat
from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.heads import limit_heads, neighbour
from gateway.hub import Hub
from gateway.listening import listen
from gateway.problems import problems
from gateway.settings import GatewaySettings
from gateway.sites import SiteSettings
from gateway.tasks import Caretaker
from presence import api, badge
from presence.counter import Presence
from presence.enquiry import Enquiry
from presence.identity import Identity
from presence.leases import Leases, holdings
from presence.ledger import Ledger
from presence.secret import SharedSecret
from presence.settings import PresenceSettings
from store.connection import connect
from store.settings import RedisSettings
from tests.presence.workers import BRISK, PATIENCE_SECONDS

ORIGIN = "https://portal.example.vn"
SITES = {"demo": SiteSettings(origins=[ORIGIN]), "other": SiteSettings(timezone="America/Havana")}


@dataclass
class Portal:
    """A running portal."""

    port: int
    hub: Hub
    door: Door
    presence: Presence

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def portal(store_url: str, prefix: str, settings: PresenceSettings = BRISK) -> AsyncIterator[Portal]:
    """A portal of one worker, joined as the roof does it."""
    gateway = GatewaySettings()
    redis = connect(RedisSettings(command_seconds=1.0), store_url, connections=1, name="presence")
    secret = SharedSecret(redis, prefix, settings.secret)
    identity = Identity(await secret.get())
    hub = Hub(gateway.slow_bytes)
    desk = FrontDesk(gateway, SITES, hub)
    door = Door(gateway, desk)
    ledger = Ledger(redis, prefix, settings.shards)
    leases = Leases(ledger, settings, holdings(SITES, settings, identity), secret)
    presence = Presence(settings, identity, leases, hub, detection_seconds=gateway.ping_seconds + gateway.pong_seconds)
    enquiring = connect(RedisSettings(command_seconds=1.0), store_url, connections=2, name="api")
    enquiry = Enquiry(Ledger(enquiring, prefix, settings.shards), presence.holdings)
    desk.greet_with(presence.greet)
    desk.on_departure(presence.depart)
    desk.on_message("page", presence.moved)
    desk.on_message("state", presence.turned)
    desk.on_message("gone", presence.gone)
    caretaker = Caretaker()
    app = web.Application(middlewares=[problems, limit_heads(gateway)])
    served = [*api.routes(presence, enquiry, SITES), *badge.routes(presence, SITES)]
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
        yield Portal(server.sockets[0].getsockname()[1], hub, door, presence)
        assert not caretaker.failures
    finally:
        server.close()
        for session in hub.everyone():
            session.abort()
        await caretaker.stop()
        await runner.cleanup()
        await enquiring.aclose()
        await redis.aclose()
