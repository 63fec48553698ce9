"""Workers for tests: the whole room as the roof joins it, on a real store and a real hub, without sockets.

A :class:`Tab` stands for the gateway's session: the same attributes, and a transport that keeps what it was sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, cast

import msgspec
from redis.asyncio import Redis

from gateway.hub import Hub
from gateway.session import Session
from gateway.tasks import Caretaker
from presence.counter import Presence
from presence.holding import Holding
from presence.identity import Identity
from presence.leases import Leases
from presence.ledger import Ledger
from presence.naming import Naming
from presence.secret import SharedSecret
from presence.settings import PresenceSettings
from store.connection import connect
from store.settings import RedisSettings
from tests.patience import PATIENCE_SECONDS

# All times are short, so that a test sees a lease lapse; the proportions are those of the defaults.
BRISK = PresenceSettings(
    renew_seconds=0.5, grace_seconds=0.9, lease_seconds=2.0, count_seconds=0.1, batch_ms=10, history_ms=20
)


def zone_with_midnight_in(seconds: float) -> tzinfo:
    """A time zone where it is so many seconds to midnight."""
    now = datetime.now(UTC)
    since = (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
    return timezone(timedelta(seconds=86_400 - seconds - since))


class Wire:
    """A transport that keeps what it was sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, frame: bytes) -> None:
        self.sent.append(frame)

    def get_write_buffer_size(self) -> int:
        return 0


class Tab:
    """One open page."""

    def __init__(
        self,
        site: str,
        visitor: str = "",
        watching: bool = False,
        *,
        path: str = "/",
        section: str = "",
        show: str = "",
        state: str = "",
        apart: str = "",
        again: bool = False,
    ) -> None:
        self.site = site
        self.visitor = visitor
        self.watching = watching
        self.path = path
        self.section = section
        self.show = show
        self.state = state
        self.apart = apart
        self.again = again
        self.address = ""
        self.reader: object | None = None
        self.descriptor = -1
        self.paused_at = 0.0
        self.closing = False
        self.transport = Wire()
        self.send = self.transport.write
        self.welcome: dict[str, Any] = {}

    @property
    def token(self) -> str:
        """The visitor token this browser now keeps."""
        token = self.welcome["visitor"]
        assert isinstance(token, str)
        return token

    @property
    def heard(self) -> list[dict[str, Any]]:
        """The frames pushed to it."""
        # Two bytes of header, or four where the frame has more than 125.
        return [msgspec.json.decode(frame[4 if frame[1] == 126 else 2 :]) for frame in self.transport.sent]

    @property
    def pushed(self) -> list[dict[str, Any]]:
        """Those with the number of the site."""
        return [frame for frame in self.heard if "scope" not in frame]

    def told(self, scope: str) -> dict[str, Any]:
        """What it was told last of another scope; empty if nothing."""
        return next((frame for frame in reversed(self.heard) if frame.get("scope") == scope), {})


class Worker:
    """One worker's presence."""

    def __init__(
        self,
        redis: Redis,
        prefix: str,
        identity: Identity,
        *,
        settings: PresenceSettings,
        zone: tzinfo,
        clock: Callable[[], float],
    ) -> None:
        self.hub = Hub(65536)
        self.ledger = Ledger(redis, prefix, settings.shards, clock)
        self.holding = Holding("demo", Naming(identity, "demo", zone), settings)
        self.secret = SharedSecret(redis, prefix)
        self.leases = Leases(self.ledger, settings, {"demo": self.holding}, self.secret, clock)
        self.presence = Presence(settings, identity, self.leases, self.hub, detection_seconds=40.0, clock=clock)
        self.caretaker = Caretaker()

    def open(self, visitor: str = "", watching: bool = False, again: bool = False, **where: str) -> Tab:
        """A browser opens a page here, and answers; `where` as in the query."""
        tab = self.greet(visitor, watching, again, **where)
        self.answer(tab)
        return tab

    def answer(self, tab: Tab) -> None:
        """A browser that was greeted answers its first ping."""
        self.presence.answered(cast(Session, tab))

    def greet(self, visitor: str = "", watching: bool = False, again: bool = False, **where: str) -> Tab:
        """A browser opens a page here, and has not answered yet."""
        tab = Tab("demo", visitor, watching, again=again, **where)
        session = cast(Session, tab)
        self.hub.join(session)
        tab.welcome = msgspec.json.decode(b"{" + self.presence.greet(session) + b"}")
        return tab

    def move(self, tab: Tab, path: str, section: str = "", /, **more: object) -> None:
        """It goes to another page over the same connection."""
        if "tab" not in more:
            tab.path, tab.section = path, section
        self.presence.moved(cast(Session, tab), {"path": path, "section": section, **more})

    def turn(self, tab: Tab, state: str, /, **more: object) -> None:
        """The reader turns to the page or away from it."""
        self.presence.turned(cast(Session, tab), {"state": state, **more})

    def gone(self, tab: Tab, name: str) -> None:
        """Another page of the browser, which shared the connection, was closed."""
        self.presence.gone(cast(Session, tab), {"tab": name})

    def close(self, tab: Tab) -> None:
        """It closes the page."""
        session = cast(Session, tab)
        self.hub.leave(session)
        self.presence.depart(session)

    @property
    def online(self) -> int | None:
        """The number by the last count alone, without those held here."""
        return self.holding.gauge.online

    @property
    def states(self) -> tuple[int, int, int] | None:
        """Readers who read, are idle, and have turned away, by the last count."""
        return self.holding.gauge.states

    @property
    def stale(self) -> bool:
        return self.holding.gauge.stale

    @property
    def failures(self) -> dict[str, BaseException]:
        """Tasks that died; a test that expects one takes it out."""
        return self.caretaker._failures

    async def stop(self) -> None:
        """It is killed: nothing is said to anybody."""
        await self.caretaker.stop()


@asynccontextmanager
async def worker(
    url: str,
    prefix: str,
    *,
    settings: PresenceSettings = BRISK,
    zone: tzinfo | None = None,
    clock: Callable[[], float] = time.monotonic,
    command_seconds: float = 1.0,
) -> AsyncIterator[Worker]:
    """A running worker that has counted for the first time; without `zone` it is noon there, whatever the time here."""
    zone = zone or zone_with_midnight_in(43_200)
    redis = connect(RedisSettings(command_seconds=command_seconds), url, connections=1, name="presence")
    identity = Identity(await SharedSecret(redis, prefix).get())
    one = Worker(redis, prefix, identity, settings=settings, zone=zone, clock=clock)
    await one.secret.get()
    one.presence.start(one.caretaker)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await one.presence.counted()
        yield one
        assert not one.failures
    finally:
        await one.stop()
        await redis.aclose()
