"""The roof: reads the settings, builds the rooms of a worker, joins them, and starts them. No logic lives here.

    loa serve ──▶ supervisor (operations) ──▶ N × worker ──▶ rooms(), below

What joins the rooms is only this: the front desk greets with what presence and the feed say; a session that ends is
told to presence; what the feed delivered is told to the supervisor, which adds up the workers for the API.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from ssl import SSLContext
from typing import Any, cast

import click
import msgspec
from aiohttp import web
from redis.asyncio import Redis

import notifications.assembly
import operations.snippet
import presence.asking
import presence.assembly
import presence.audience
import presence.description
import presence.history.api
from gateway import compat, listening, ordinary, request_ids, widget
from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.heads import limit_heads, neighbour
from gateway.hub import Hub
from gateway.inbox import Inboxes
from gateway.problems import problems
from gateway.sites import LiveSites, with_own_pages
from gateway.tasks import Caretaker
from loa import Settings, main
from notifications.admission import Admission
from notifications.announcement import Announcement
from notifications.errors import StoreAway
from notifications.feed import Feed
from notifications.reach.audience_query import Wanted
from notifications.reach.recorder import Recorder
from operations import demo, readings, worker
from operations.archive import Archive
from operations.intercom import NODE, SUPERVISOR, Intercom, Start
from operations.page.page import OpsPage
from presence.counter import Presence
from settings import live
from store.connection import Pool, connect
from store.settings import RedisSettings

# In this order: what a file has at hand while it is read stands before it.
BROWSER_HALVES = (
    ("gateway", "connect"),
    ("gateway", "attention"),
    ("gateway", "place"),
    ("gateway", "ways"),
    ("gateway", "line"),
    ("gateway", "tabs"),
    ("presence", "counter"),
    ("notifications", "banner"),
)
BROWSER_SUPPLEMENT = (("presence", "words"), ("presence", "stats"), ("notifications", "dressing"))
KEEPALIVE_SECONDS = 75.0
# A request still in progress at the end of a drain is given so long; all must be gone within 15 s.
SHUTDOWN_SECONDS = 1.0


def joined() -> widget.Widget:
    """The browser halves as one file, and what it may fetch besides."""
    supplement = widget.join([widget.half(room, name) for room, name in BROWSER_SUPPLEMENT])
    return widget.join([widget.half(room, name) for room, name in BROWSER_HALVES], supplement)


@asynccontextmanager
async def rooms(start: Start, intercom: Intercom) -> AsyncIterator[worker.Rooms]:
    """The rooms of one worker, joined and open; closed when the context is left."""
    in_force = _InForce(msgspec.json.decode(start.settings, type=Settings), start.public_url)
    settings = in_force.settings
    async with AsyncExitStack() as stack:
        caretaker = Caretaker()
        hub = Hub(settings.gateway.slow_bytes)
        pools: list[Pool] = []
        client = partial(_client, settings.redis, start.store_url, stack, pools)
        ground = _ground_of_notifications(settings, start, client)
        feed = notifications.assembly.hearing(ground, hub)
        desk = FrontDesk(settings.gateway, settings.sites, hub, clock=feed.store_time)
        door = Door(settings.gateway, desk)
        inboxes = Inboxes(door, desk, worker=start.index, relay=intercom)
        intercom.answer_with(inboxes.asked)
        here = await presence.assembly.here(_ground_of_presence(settings, client, stack, pools), hub)
        sender = await notifications.assembly.sender(settings.notifications, stack)
        neighbours = _neighbours(settings, door, intercom, here)
        told = notifications.assembly.Notifications(ground, neighbours, feed, hub, sender)
        _join(desk, here.readers, feed, told.reach)
        feed.on_delivered.append(
            lambda one, delivery: intercom.report_delivered(one.name, delivery.sessions, delivery.seconds)
        )

        app = web.Application(middlewares=[request_ids.name_requests(door), problems, limit_heads(settings.gateway)])
        app.on_response_prepare.extend([request_ids.tell, listening.last_answers(door)])
        scripts = await _scripts(settings, client("loa-widgets"))
        app.add_routes([compat.route(door), *ordinary.routes(door, inboxes), *scripts])
        here.add_routes(app, _authorizing(told.admission))
        told.add_routes(app)
        app.add_routes(OpsPage(told.shell, partial(intercom.ask, SUPERVISOR, NODE)).routes())
        _demo(app, settings)
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=SHUTDOWN_SECONDS, auto_decompress=False)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        stack.push_async_callback(here.recorder.finish)
        stack.push_async_callback(told.finish)
        stack.push_async_callback(caretaker.stop)
        caretaker.start("timer wheel", door.wheel.run)
        caretaker.start("slow readers", door.sweep)
        here.start(caretaker)
        feed.start(caretaker)
        # Nobody is let in before there is something to say: all that is active, and a number.
        await feed.followed_once()
        await here.readers.counted()
        here.start_answering(caretaker)
        told.start(caretaker)

        pages = neighbour(cast(web.Server, runner.server), settings.gateway, keepalive_timeout=KEEPALIVE_SECONDS)
        listener = await listening.listen(door, pages, start.host, start.port, tls=_tls(settings, start))
        stack.callback(listener.close)

        async def drain(seconds: float) -> None:
            await listening.shut(listener)
            here.readers.drain()
            await listening.drain(door, desk, hub, seconds)

        yield worker.Rooms(
            figures=lambda: readings.read(
                settings.sites,
                door=door,
                desk=desk,
                hub=hub,
                presence=here.readers,
                recorder=here.recorder,
                feed=feed,
                webhooks=told.deliverer,
                reach=told.reach,
                caretaker=caretaker,
                pools=pools,
            ),
            drain=drain,
            failures=lambda: caretaker.failures,
            adopt=lambda given: in_force.adopt(msgspec.json.decode(given, type=Settings), door, here),
        )


class _InForce:
    """The settings of a worker, of which some change while it runs, see :mod:`settings.live`.

    Attributes:
        settings: Sections that change stand in for whatever is in force.
    """

    def __init__(self, settings: Settings, public_url: str) -> None:
        self._public_url = public_url
        self._sites = LiveSites(with_own_pages(settings.sites, public_url))
        self._gateway = live.stand_in(settings.gateway)
        self._notifications = live.stand_in(settings.notifications)
        self.settings = msgspec.structs.replace(
            settings, sites=self._sites, gateway=self._gateway, notifications=self._notifications
        )

    def adopt(self, settings: Settings, door: Door, here: presence.assembly.Here) -> None:
        """Puts `settings` in force, all in one step: nobody sees half of them."""
        sites = with_own_pages(settings.sites, self._public_url)
        here.adopt(sites)
        self._sites.adopt(sites)
        live.adopt(self._gateway, settings.gateway)
        live.adopt(self._notifications, settings.notifications)
        door.adopt(self._gateway)


def _join(desk: FrontDesk, readers: Presence, feed: Feed, reach: Recorder) -> None:
    """Whom the desk greets with, and who hears what browsers say."""
    desk.greet_with(readers.greet)
    desk.greet_with(feed.greet)
    desk.on_answer(readers.answered)
    desk.on_departure(readers.depart)
    desk.on_departure(feed.depart)
    desk.on_message("page", readers.moved)
    desk.on_message("state", readers.turned)
    desk.on_message("gone", readers.gone)
    desk.on_message("ack", reach.heard)


def _neighbours(
    settings: Settings, door: Door, intercom: Intercom, here: presence.assembly.Here
) -> notifications.assembly.Neighbours:
    """What announcements are told by those who know readers and workers."""

    async def delivered(one: Announcement) -> int:
        return await intercom.delivered_total(one.name, settings.notifications.acknowledge_seconds)

    async def estimate(wanted: Wanted) -> presence.asking.Audience | None:
        return await here.audience(wanted.sites, wanted.sections, wanted.paths, wanted.visible)

    return notifications.assembly.Neighbours(
        address_of=door.address_of,
        client_of=door.client_of,
        delivered=delivered,
        reader_of=here.readers.reader_of,
        reach_key=here.key("loa reach name v1"),
        estimate=estimate,
        estimate_error=presence.audience.ERROR,
        described=presence.description.DESCRIBED,
    )


def _authorizing(admission: Admission) -> Callable[[web.Request, str], Awaitable[None]]:
    """Lets those in who may know what only editors of a site may."""

    async def authorize(request: web.Request, site: str) -> None:
        try:
            await admission.reader(request, [site])
        except StoreAway as error:
            raise presence.history.api.unavailable() from error

    return authorize


def _demo(app: web.Application, settings: Settings) -> None:
    """A portal page that embeds the widget, for the first of the sites."""
    if settings.operations.demo and settings.sites:
        site = next(iter(settings.sites))
        demo.install(app, site, settings.sites[site].timezone)


async def _scripts(settings: Settings, redis: Redis) -> list[web.RouteDef]:
    """The widget, and its earlier versions for pages that pin one."""
    script = joined()
    archive = Archive(redis, settings.redis.prefix)
    for file in script.files:
        await archive.keep(file)
    return widget.routes(script, archive.find)


def _ground_of_presence(
    settings: Settings, client: Callable[..., Redis], stack: AsyncExitStack, pools: list[Pool]
) -> presence.assembly.Ground:
    apart = settings.redis.elsewhere(settings.presence.redis_url)
    return presence.assembly.Ground(
        client=client,
        leases=client if apart is None else partial(_client, *apart, stack, pools),
        prefix=settings.redis.prefix,
        settings=settings.presence,
        sites=settings.sites,
        detection_seconds=settings.gateway.ping_seconds + settings.gateway.pong_seconds,
        reconnect_seconds=max(settings.redis.command_seconds, 2 * settings.redis.connect_seconds),
    )


def _ground_of_notifications(
    settings: Settings, start: Start, client: Callable[..., Redis]
) -> notifications.assembly.Ground:
    return notifications.assembly.Ground(
        client=client,
        prefix=settings.redis.prefix,
        settings=settings.notifications,
        sites=settings.sites,
        public_url=start.public_url,
        command_seconds=settings.redis.command_seconds,
        console=["operations.page"],
    )


def _client(
    settings: RedisSettings, url: str, stack: AsyncExitStack, pools: list[Pool], name: str, **options: Any
) -> Redis:
    redis = connect(settings, url, name=name, **options)
    stack.push_async_callback(redis.aclose)
    pool = getattr(redis, "connection_pool", None)
    if isinstance(pool, Pool):
        pools.append(pool)
    return redis


def _tls(settings: Settings, start: Start) -> SSLContext | None:
    if not settings.server.certificate:
        return None
    base = Path(start.base_dir)
    return listening.tls_context(base / settings.server.certificate, base / settings.server.private_key)


snippet = operations.snippet.command(joined)


@click.command("worker", hidden=True)
@click.option("--fd", type=int, required=True)
def work(fd: int) -> None:
    """One worker; the supervisor starts it."""
    sys.exit(worker.run(fd, rooms))


if __name__ == "__main__":
    main()
