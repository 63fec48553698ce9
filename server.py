"""The roof: reads the settings, builds the rooms of a worker, joins them, and starts them. No logic lives here.

    loa serve ──▶ supervisor (operations) ──▶ N × worker ──▶ rooms(), below

What joins the rooms is only this: the front desk greets with what presence and the feed say; a session that ends is
told to presence; what the feed delivered is told to the supervisor, which adds up the workers for the API.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from ssl import SSLContext
from typing import Any, NoReturn, cast

import click
import msgspec
from aiohttp import web
from redis.asyncio import Redis

import notifications.commands
import operations.commands
import presence.api
import presence.badge
import presence.commands
import presence.embed
from gateway import compat, listening, widget
from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.heads import limit_heads, neighbour
from gateway.hub import Hub
from gateway.problems import problems
from gateway.settings import GatewaySettings
from gateway.sites import SITE_ID, SiteSettings, with_own_pages
from gateway.tasks import Caretaker
from notifications.admission import Admission
from notifications.announcement import Announcement
from notifications.api import Api
from notifications.feed import BLOCK_SECONDS, Feed
from notifications.log import Log
from notifications.settings import NotificationsSettings
from notifications.tokens import Tokens
from operations import demo, readings, snippet, worker
from operations.archive import Archive
from operations.intercom import Intercom, Start
from operations.settings import OperationsSettings, ServerSettings
from presence.counter import Presence
from presence.description import DESCRIBED
from presence.enquiry import Enquiry
from presence.identity import Identity
from presence.leases import Leases, holdings
from presence.ledger import Ledger
from presence.secret import SharedSecret
from presence.settings import PresenceSettings
from settings.commandline import Blueprint, run
from store.connection import connect
from store.settings import RedisSettings

BROWSER_HALVES = (("gateway", "connect"), ("presence", "counter"), ("notifications", "banner"))
KEEPALIVE_SECONDS = 75.0
# A request still in progress at the end of a drain is given so long; all must be gone within 15 s.
SHUTDOWN_SECONDS = 1.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings, one section a room; `config.toml` explains each."""

    server: ServerSettings = ServerSettings()
    gateway: GatewaySettings = GatewaySettings()
    sites: dict[str, SiteSettings] = {}
    redis: RedisSettings = RedisSettings()
    presence: PresenceSettings = PresenceSettings()
    notifications: NotificationsSettings = NotificationsSettings()
    operations: OperationsSettings = OperationsSettings()

    def __post_init__(self) -> None:
        """Refuses a site id that could not stand in an address or a key."""
        for site in self.sites:
            if SITE_ID.fullmatch(site) is None:
                raise ValueError(f"sites.{site}: an id is lower-case letters, digits and dashes, at most 64")


def joined() -> widget.Widget:
    """The browser halves as one file."""
    return widget.join([widget.half(room, name) for room, name in BROWSER_HALVES])


@asynccontextmanager
async def rooms(start: Start, intercom: Intercom) -> AsyncIterator[worker.Rooms]:
    """The rooms of one worker, joined and open; closed when the context is left."""
    settings = msgspec.json.decode(start.settings, type=Settings)
    settings = msgspec.structs.replace(settings, sites=with_own_pages(settings.sites, start.public_url))
    async with AsyncExitStack() as stack:
        caretaker = Caretaker()
        hub = Hub(settings.gateway.slow_bytes)
        feed = _feed(settings, start, stack, hub)
        desk = FrontDesk(settings.gateway, settings.sites, hub, clock=feed.store_time)
        door = Door(settings.gateway, desk)
        readers = await _presence(settings, start, stack, hub)

        desk.greet_with(readers.greet)
        desk.greet_with(feed.greet)
        desk.on_departure(readers.depart)
        desk.on_message("page", readers.moved)
        desk.on_message("state", readers.turned)
        desk.on_message("gone", readers.gone)
        feed.on_delivered.append(
            lambda one, delivery: intercom.report_delivered(one.name, delivery.sessions, delivery.seconds)
        )

        async def delivered(one: Announcement) -> int:
            return await intercom.delivered_total(one.name, settings.notifications.acknowledge_seconds)

        redis = _client(settings, start, stack, "loa-api")
        script = joined()
        archive = Archive(redis, settings.redis.prefix)
        await archive.keep(script)
        app = _application(settings, redis, door, readers, delivered)
        app.add_routes(widget.routes(script, archive.find))
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=SHUTDOWN_SECONDS, auto_decompress=False)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        stack.push_async_callback(caretaker.stop)
        caretaker.start("timer wheel", door.wheel.run)
        caretaker.start("slow readers", door.sweep)
        readers.start(caretaker)
        feed.start(caretaker)
        # Nobody is let in before there is something to say: all that is active, and a number.
        await feed.followed_once()
        await readers.counted()

        pages = neighbour(cast(web.Server, runner.server), settings.gateway, keepalive_timeout=KEEPALIVE_SECONDS)
        listener = await listening.listen(door, pages, start.host, start.port, tls=_tls(settings, start))
        stack.callback(listener.close)

        async def drain(seconds: float) -> None:
            listener.close()
            readers.drain()
            await listening.drain(door, desk, hub, seconds)

        yield worker.Rooms(
            figures=lambda: readings.read(
                settings.sites, door=door, desk=desk, hub=hub, presence=readers, feed=feed, caretaker=caretaker
            ),
            drain=drain,
            failures=lambda: caretaker.failures,
        )


async def _presence(settings: Settings, start: Start, stack: AsyncExitStack, hub: Hub) -> Presence:
    redis = _client(settings, start, stack, "loa-leases", connections=1)
    secret = SharedSecret(redis, settings.redis.prefix, settings.presence.secret)
    identity = Identity(await secret.get())
    ledger = Ledger(redis, settings.redis.prefix, settings.presence.shards)
    held = holdings(settings.sites, settings.presence, identity)
    return Presence(
        settings.presence,
        identity,
        Leases(
            ledger,
            settings.presence,
            held,
            secret,
            reconnect_seconds=max(settings.redis.command_seconds, 2 * settings.redis.connect_seconds),
        ),
        hub,
        detection_seconds=settings.gateway.ping_seconds + settings.gateway.pong_seconds,
    )


def _feed(settings: Settings, start: Start, stack: AsyncExitStack, hub: Hub) -> Feed:
    patience = BLOCK_SECONDS + settings.redis.command_seconds
    redis = _client(settings, start, stack, "loa-feed", connections=1, read_timeout_seconds=patience)
    return Feed(Log(redis, settings.redis.prefix, settings.notifications), hub)


def _application(
    settings: Settings, redis: Redis, door: Door, readers: Presence, delivered: Callable[[Announcement], Awaitable[int]]
) -> web.Application:
    prefix = settings.redis.prefix
    admission = Admission(Tokens(redis, prefix), settings.notifications, door.address_of)
    log = Log(redis, prefix, settings.notifications)
    api = Api(log, admission, settings.sites, delivered, described=DESCRIBED)
    app = web.Application(middlewares=[problems, limit_heads(settings.gateway)])
    app.add_routes([compat.route(door)])
    enquiry = Enquiry(Ledger(redis, prefix, settings.presence.shards), readers.holdings)
    app.add_routes(presence.api.routes(readers, enquiry, settings.sites))
    app.add_routes(presence.badge.routes(readers, settings.sites))
    app.add_routes(presence.embed.routes(settings.sites))
    app.add_routes(api.routes())
    if settings.operations.demo and settings.sites:
        site = next(iter(settings.sites))
        demo.install(app, site, settings.sites[site].timezone)
    return app


def _client(settings: Settings, start: Start, stack: AsyncExitStack, name: str, **options: Any) -> Redis:
    redis = connect(settings.redis, start.store_url, name=name, **options)
    stack.push_async_callback(redis.aclose)
    return redis


def _tls(settings: Settings, start: Start) -> SSLContext | None:
    if not settings.server.certificate:
        return None
    base = Path(start.base_dir)
    return listening.tls_context(base / settings.server.certificate, base / settings.server.private_key)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="loa", prog_name="loa")
def root() -> None:
    """Loa tells a portal's readers how many they are, and what has just happened."""


@click.command("worker", hidden=True)
@click.option("--fd", type=int, required=True)
def work(fd: int) -> None:
    """One worker; the supervisor starts it."""
    sys.exit(worker.run(fd, rooms))


for command in (
    *operations.commands.commands,
    *notifications.commands.commands,
    *presence.commands.commands,
    snippet.command(joined),
    work,
):
    root.add_command(command)


def main() -> NoReturn:
    """The command line."""
    run(root, Blueprint(Settings, lambda settings: settings.server.data_dir))


if __name__ == "__main__":
    main()
