"""The room as the rest of the house sees it: who comes is counted and greeted with the number, who goes is let go.

`greet` and `depart` run inside the handshake and the farewell of a session: they touch memory only and take a few
microseconds. Two tasks do the rest: one keeps the leases (:mod:`presence.leases`), one pushes the number when
:mod:`presence.push` says so and marks it stale when nothing was counted for a while.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gateway import frames
from presence.bounds import Bounds, bounds, patience
from presence.figures import Figures
from presence.gauge import Count
from presence.holding import Holding
from presence.identity import Identity, reader_of
from presence.leases import Leases
from presence.push import Pace
from presence.roster import Reader
from presence.settings import PresenceSettings

if TYPE_CHECKING:
    from gateway.hub import Delivery, Hub
    from gateway.session import Session
    from gateway.tasks import Caretaker


class Presence:
    """Counts the readers of every site, and tells them.

    Args:
        settings: The room's settings.
        identity: Issues and verifies readers' ids.
        leases: This worker's leases.
        hub: Reaches the sessions.
        detection_seconds: How long the gateway takes to notice that a browser has vanished.
        clock: Seconds, steady.
    """

    def __init__(
        self,
        settings: PresenceSettings,
        identity: Identity,
        leases: Leases,
        hub: Hub,
        *,
        detection_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._leases = leases
        self._holdings = leases.holdings
        self._hub = hub
        self._detection_seconds = detection_seconds
        self._clock = clock
        self._pace = Pace()

    @property
    def figures(self) -> Figures:
        """What this worker's presence counts about itself."""
        return self._leases.ledger.figures

    @property
    def holdings(self) -> Mapping[str, Holding]:
        """What this worker holds, by site; to be read, not written."""
        return self._holdings

    def greet(self, session: Session) -> bytes:
        """Counts the reader of a new session; returns the JSON members of its welcome, without braces.

        A token that is missing, forged or of another site makes a new reader. A session that only watches is no reader.
        """
        site = session.site
        holding = self._holdings[site]
        if session.watching:
            return self._told(holding)
        token = session.visitor
        reader = self._identity.verify(site, token) if token else None
        if reader is None:
            if token:
                self.figures.forged += 1
            token = self._identity.issue(site)
            reader = reader_of(token)
        session.reader = holding.join(reader)
        return b'"visitor":"%b",%b' % (token.encode(), self._told(holding))

    def depart(self, session: Session) -> None:
        """A session is over; its reader is counted for the grace if it was the last."""
        reader = session.reader
        if isinstance(reader, Reader):
            session.reader = None
            self._holdings[session.site].leave(reader, self._clock())

    def count(self, site: str) -> Count:
        """The number of a site as its readers are shown it here.

        Raises:
            KeyError: There is no such site.
        """
        holding = self._holdings[site]
        return holding.gauge.count(len(holding.roster))

    def bounds(self, site: str) -> Bounds:
        """How late the number may be, by the terms in force now.

        Raises:
            KeyError: There is no such site.
        """
        return bounds(self._settings, self._holdings[site].terms, self._detection_seconds, self._interval())

    def start(self, caretaker: Caretaker) -> None:
        """Starts the two tasks."""
        caretaker.start("presence leases", self._leases.run)
        caretaker.start("presence pushes", self._push)

    async def counted(self) -> None:
        """Returns once every site has been counted for the first time: the worker has something to say."""
        await self._leases.counted.wait()

    def drain(self) -> None:
        """The worker is about to send its sessions away: they are on their way to another, so they have not left."""
        for holding in self._holdings.values():
            holding.draining = True

    def _told(self, holding: Holding) -> bytes:
        held = len(holding.roster)
        holding.pushes.greeted(holding.gauge.shown(held))
        return holding.gauge.members(held)

    def _interval(self) -> float:
        return self._pace.interval(self._hub.total, self._settings.count_seconds)

    async def _push(self) -> None:
        beat_seconds = self._settings.batch_ms / 1000
        while True:
            await asyncio.sleep(beat_seconds)
            self._tell(self._clock())

    def _tell(self, now: float) -> None:
        """Pushes every number that is due at `now`, and the present one to those that missed a push."""
        interval = self._interval()
        patience_seconds = patience(self._settings)
        for site, holding in self._holdings.items():
            holding.gauge.watch(now, patience_seconds)
            if not self._hub.sessions(site):
                continue
            held = len(holding.roster)
            if holding.pushes.due(now, holding.gauge.shown(held), holding.gauge.stale, interval):
                self.figures.pushes += 1
                message = self._message(holding)
                self._hub.broadcast(message, (site,), urgent=False, done=self._learn)
        for session in self._hub.caught_up():
            session.send(frames.text(self._message(self._holdings[session.site])))

    @staticmethod
    def _message(holding: Holding) -> bytes:
        return b'{"type":"presence",%b}' % holding.gauge.members(len(holding.roster))

    def _learn(self, delivery: Delivery) -> None:
        self._pace.learn(delivery.sessions, delivery.seconds)
