"""Puts this room together for one worker: the feed, which hears, and all that answers over HTTP.

The roof hands in what is not this room's: how to reach the store, where requests come from, whom an announcement was
delivered to, and what other rooms know of readers. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from gateway.hub import Hub
from gateway.session import Session
from gateway.sites import Sites, SiteSettings
from gateway.tasks import Caretaker
from notifications import feeds
from notifications.admission import Admission
from notifications.announcement import Announcement
from notifications.api import Api
from notifications.cap import description as cap_description
from notifications.cap.api import CapApi
from notifications.cap.feeds import CapFeeds
from notifications.cap.index import Index
from notifications.cap.intake import Intake
from notifications.console import Shell, announcement_pages, console, history
from notifications.console.desk import Desk
from notifications.console.parts import Parts
from notifications.console.sample_store import Samples
from notifications.editorial import Editorial
from notifications.feed import BLOCK_SECONDS, Feed
from notifications.log import Log
from notifications.people.known import known
from notifications.reach import description as reach_description
from notifications.reach.api import ReachApi
from notifications.reach.audience import AudienceApi, Estimator
from notifications.reach.ledger import Ledger
from notifications.reach.live import Live
from notifications.reach.recorder import Recorder
from notifications.schedule import Schedule
from notifications.settings import NotificationsSettings
from notifications.singing import Singer
from notifications.tokens import Tokens
from notifications.trail import Trail
from notifications.webhooks import description as webhooks_description
from notifications.webhooks.api import WebhooksApi
from notifications.webhooks.deliverer import Deliverer
from notifications.webhooks.hooks import Hooks
from notifications.webhooks.registry import Registry
from notifications.webhooks.sender import Sender

DESCRIBED: Mapping[str, Any] = {
    **feeds.DESCRIBED,
    **cap_description.DESCRIBED,
    **webhooks_description.DESCRIBED,
    **reach_description.DESCRIBED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the room stands on.

    Attributes:
        client: A client of the store, by its name and the options of ``store.connection.connect``; closed in the end.
        prefix: First part of every key.
        settings: Its own.
        sites: The portals.
        public_url: How browsers reach the service.
        command_seconds: How long the store is given for an answer.
        console: Packages of other rooms that have pages of the console.
    """

    client: Callable[..., Redis]
    prefix: str
    settings: NotificationsSettings
    sites: Sites
    public_url: str
    command_seconds: float
    console: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """What the room is told by others.

    Attributes:
        address_of: The key under which the address of a request is limited; empty if it is exempt.
        client_of: The address a request came from.
        delivered: How many sessions of this node a revision was written to.
        reader_of: What names the reader of a session; None if it is none.
        reach_key: By which readers are named where it is counted whom an announcement reached.
        estimate: How many readers an audience has now.
        estimate_error: How far such an estimate may be off, as a share.
        described: What else the API's description has, by path.
    """

    address_of: Callable[[web.Request], str]
    client_of: Callable[[web.Request], str]
    delivered: Callable[[Announcement], Awaitable[int]]
    reader_of: Callable[[Session], bytes | None]
    reach_key: bytes
    estimate: Estimator
    estimate_error: float
    described: Mapping[str, Any]


def hearing(ground: Ground, hub: Hub) -> Feed:
    """The ear on the log; before the door, which tells its time."""
    patience_seconds = BLOCK_SECONDS + ground.command_seconds
    redis = ground.client("loa-feed", connections=1, read_timeout_seconds=patience_seconds)
    singer = Singer(ground.client("loa-canary", connections=1), ground.prefix)
    return Feed(Log(redis, ground.prefix, ground.settings), hub, singer=singer)


class Notifications:
    """The room in one worker.

    Attributes:
        admission: Who may ask.
        reach: Hears whom announcements reached.
        deliverer: Tells webhooks.
        shell: The frame of the console, for pages of other rooms.
    """

    def __init__(self, ground: Ground, neighbours: Neighbours, feed: Feed, hub: Hub, sender: Sender) -> None:
        prefix, settings = ground.prefix, ground.settings
        self._ground = ground
        self._neighbours = neighbours
        self._feed = feed
        self._sender = sender
        self._redis = redis = ground.client("loa-api")
        self._tokens = Tokens(redis, prefix)
        self._trail = Trail(redis, prefix)
        self._people = known(redis, prefix, settings, ground.public_url)
        timezone = next((site.timezone for site in ground.sites.values()), SiteSettings().timezone)
        self.shell = Shell(self._people.sessions, self._people.crossing, neighbours.client_of, timezone, ground.console)
        self._log = Log(redis, prefix, settings)
        self._editorial = Editorial(self._log, self._trail)
        self._reached = Ledger(redis, prefix, settings.reach_days)
        self._watched = Live(self._reached)
        self.admission = Admission(
            self._tokens,
            settings,
            neighbours.address_of,
            neighbours.client_of,
            sessions=self._people.sessions,
            crossing=self._people.crossing,
        )
        self.reach = Recorder(
            Ledger(ground.client("loa-reach", connections=1), prefix, settings.reach_days),
            neighbours.reach_key,
            feed,
            hub,
            neighbours.reader_of,
            write_ms=settings.reach_ms,
        )
        self.deliverer = Deliverer(ground.client("loa-webhooks"), prefix, sender, settings)

    def add_routes(self, app: web.Application) -> None:
        """Adds all that the room answers."""
        for routes in (self._api(), self._cap(), self._webhooks(), self._reach(), self._feeds()):
            app.add_routes(routes)
        self._console(app)

    def start(self, caretaker: Caretaker) -> None:
        """Begins what goes on by itself, once the feed has been heard."""
        caretaker.start("reach", self.reach.loop)
        caretaker.start("reach watched", self._watched.loop)
        Schedule(self._log).start(caretaker)
        self.deliverer.start(caretaker)

    async def finish(self) -> None:
        """Writes what is left; after the tasks have ended, before clients are closed."""
        await self.reach.finish()
        self._people.hasher.close()

    def _store_ms(self) -> int:
        return int(self._feed.store_time() * 1000)

    def _api(self) -> list[web.RouteDef]:
        return Api(
            self._editorial,
            self._ground.settings,
            self.admission,
            self._ground.sites,
            delivered=self._neighbours.delivered,
            store_ms=self._store_ms,
            described={**self._neighbours.described, **DESCRIBED},
        ).routes()

    def _cap(self) -> list[web.RouteDef]:
        ground = self._ground
        remembered = Index(self._redis, ground.prefix, 2 * ground.settings.max_expiry_seconds)
        intake = Intake(self._editorial, remembered, ground.sites, ground.settings)
        return CapApi(intake, self.admission.acting, ground.sites, self._neighbours.delivered).routes()

    def _webhooks(self) -> list[web.RouteDef]:
        ground, admission = self._ground, self.admission
        registry = Registry(self._redis, ground.prefix, ground.settings)
        kept = WebhooksApi(registry, self._sender, ground.sites, asking=admission.principal, acting=admission.acting)
        hooks = Hooks(
            registry,
            self._editorial,
            ground.settings,
            ground.sites,
            delivered=self._neighbours.delivered,
            client_of=self._neighbours.client_of,
            store_ms=self._store_ms,
        )
        return [*kept.routes(), *hooks.routes()]

    def _reach(self) -> list[web.RouteDef]:
        neighbours = self._neighbours
        reached = ReachApi(self._reached, self._watched, self._editorial, self.admission)
        audience = AudienceApi(neighbours.estimate, self.admission, self._ground.sites, neighbours.estimate_error)
        return [*reached.routes(), *audience.routes()]

    def _feeds(self) -> list[web.RouteDef]:
        ground = self._ground
        hubs = CapFeeds(self._feed, ground.sites, ground.public_url, ground.settings.cap_sender)
        # Those for alert hubs first: the addresses of the others would take theirs as well.
        return [*hubs.routes(), *feeds.Feeds(self._feed, ground.sites, ground.public_url).routes()]

    def _console(self, app: web.Application) -> None:
        ground, people, shell = self._ground, self._people, self.shell
        parts = Parts(
            shell=shell,
            people=people,
            tokens=self._tokens,
            trail=self._trail,
            sites=ground.sites,
            address_of=self._neighbours.address_of,
            client_of=self._neighbours.client_of,
        )
        console.add_routes(app, parts)
        desk = Desk(
            shell=shell,
            editorial=self._editorial,
            settings=ground.settings,
            samples=Samples(self._redis, ground.prefix),
            sites=ground.sites,
            history=partial(history.of, self._redis, ground.prefix),
            store_ms=self._store_ms,
        )
        announcement_pages.add_routes(app, desk)


async def sender(settings: NotificationsSettings, stack: AsyncExitStack) -> Sender:
    """What sends to webhooks; closed with `stack`."""
    return await stack.enter_async_context(Sender(settings.webhook_seconds, private=settings.webhooks_private))
