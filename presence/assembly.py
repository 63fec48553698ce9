"""Puts this room together for one worker: who is here, who was, and all that answers over HTTP.

The roof hands in what is not this room's: how to reach the store, the hub, and who may ask for what only editors may
know. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from aiohttp import web
from redis.asyncio import Redis

import presence.api
import presence.badge
import presence.embed
import presence.history.api
from gateway.hub import Hub
from gateway.sites import Sites
from gateway.tasks import Caretaker
from presence.asking import Asking, Audience
from presence.audience import Asked
from presence.counter import Presence
from presence.enquiry import Enquiry
from presence.history.api import Authorize
from presence.history.chronicle import Chronicle
from presence.history.pages import Pages, TopPages
from presence.history.reading import Reader
from presence.history.recorder import Recorder
from presence.identity import Identity, derived
from presence.leases import Leases, holdings
from presence.ledger import Ledger
from presence.secret import SharedSecret
from presence.settings import PresenceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the room stands on.

    Attributes:
        client: A client of the store, by its name and the options of ``store.connection.connect``; closed in the end.
        leases: The same of the store that leases are in.
        prefix: First part of every key.
        settings: Its own.
        sites: The portals.
        detection_seconds: How long a connection that is gone may seem to be there.
        reconnect_seconds: How long another worker may wait for a connection or an answer before it tries again.
    """

    client: Callable[..., Redis]
    leases: Callable[..., Redis]
    prefix: str
    settings: PresenceSettings
    sites: Sites
    detection_seconds: float
    reconnect_seconds: float


class Here:
    """The room in one worker.

    Attributes:
        readers: Who is here.
        recorder: Writes down who was.
    """

    def __init__(self, ground: Ground, hub: Hub, secret: SharedSecret, known: bytes) -> None:
        prefix, settings, sites = ground.prefix, ground.settings, ground.sites
        self._ground = ground
        self._secret = known
        identity = Identity(known)
        self._identity = identity
        self._held = held = holdings(sites, settings, identity)
        ledger = Ledger(ground.leases("loa-leases", connections=1), prefix, settings.shards)
        leases = Leases(ledger, settings, held, secret, reconnect_seconds=ground.reconnect_seconds)
        self.readers = Presence(settings, identity, leases, hub, detection_seconds=ground.detection_seconds)
        redis = ground.client("loa-history", connections=1)
        # Whoever asks how many there are waits for no renewal.
        self._asked = Ledger(ground.leases("loa-enquiries"), prefix, settings.shards)
        self.recorder = Recorder(
            Chronicle(redis, prefix),
            Pages(redis, prefix, self._asked),
            held,
            identity,
            store_ms=self.readers.store_ms,
            write_ms=settings.history_ms,
        )
        self.readers.seen = self.recorder.seen
        self._redis = ground.client("loa-reading")
        self._enquiry = Enquiry(self._asked, held, lambda: self.readers.epoch, settings.count_seconds)
        self._asking = Asking(
            self._redis,
            ground.client("loa-audience", connections=1, read_timeout_seconds=None),
            prefix,
            held,
            self._enquiry,
            online=lambda site: self.readers.count(site).online,
            key=self.key("loa audience name v1"),
            store_ms=self.readers.store_ms,
        )

    def key(self, purpose: str) -> bytes:
        """A key for one purpose, the same on all workers, from which no other can be told."""
        return derived(self._secret, purpose)

    async def audience(
        self, sites: Collection[str], sections: Collection[str], paths: Collection[str], visible: bool
    ) -> Audience | None:
        """How many readers an audience has now, over all workers."""
        asked = Asked(sites=tuple(sites), sections=tuple(sections), paths=tuple(paths), visible=visible)
        return await self._asking.answer(asked)

    def adopt(self, sites: Sites) -> None:
        """Begins to count sites that have come. One that goes is held on to: its readers are still there."""
        new = {site: one for site, one in sites.items() if site not in self._held}
        self._held.update(holdings(new, self._ground.settings, self._identity))

    def add_routes(self, app: web.Application, authorize: Authorize) -> None:
        """Adds all that the room answers; `authorize` raises for who may not know what only editors of a site may."""
        prefix, sites = self._ground.prefix, self._ground.sites
        chronicle = Chronicle(self._redis, prefix)
        pages = Pages(self._redis, prefix, self._asked)
        store_ms = self.readers.store_ms
        history = presence.history.api.Api(
            self.readers,
            chronicle,
            Reader(chronicle, sites, store_ms=store_ms),
            TopPages(pages, self.readers.holdings, store_ms=store_ms),
            sites,
            authorize=authorize,
            store_ms=store_ms,
        )
        app.add_routes(presence.api.routes(self.readers, self._enquiry, sites))
        app.add_routes(history.routes())
        app.add_routes(presence.badge.routes(self.readers, self._enquiry, sites))
        app.add_routes(presence.embed.routes(sites))

    def start(self, caretaker: Caretaker) -> None:
        """Begins to count."""
        self.readers.start(caretaker)

    def start_answering(self, caretaker: Caretaker) -> None:
        """Begins what waits for the first count."""
        caretaker.start("history", self.recorder.loop)
        caretaker.start("audience", self._asking.loop)


async def here(ground: Ground, hub: Hub) -> Here:
    """The room, once the store has told the secret by which readers are known."""
    secret = SharedSecret(ground.client("loa-secret", connections=1), ground.prefix, ground.settings.secret)
    return Here(ground, hub, secret, await secret.get())
