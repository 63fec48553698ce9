"""The room as the rest of the house sees it: who comes is greeted with the number, who answers is counted, who goes is
let go.

`greet`, `answered` and `depart` run inside the handshake and the farewell of a session: they touch memory only and take
a few microseconds. Two tasks do the rest: one keeps the leases (:mod:`presence.leases`), one tells browsers the numbers
(:mod:`presence.telling`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gateway.handshake import page_path, page_section
from presence.apart import ROBOT, Newcomer
from presence.bounds import Bounds, bounds
from presence.figures import Figures
from presence.gauge import Count
from presence.holding import Holding
from presence.identity import Identity, reader_of
from presence.leases import Leases
from presence.ledger import Epoch
from presence.roster import Attention, Tab
from presence.settings import PresenceSettings
from presence.telling import Teller, tabs_of

if TYPE_CHECKING:
    from gateway.hub import Hub
    from gateway.session import Session
    from gateway.tasks import Caretaker

# Tabs that may share one connection; a browser with more opens another.
TABS = 32
_TAB = re.compile(r"[A-Za-z0-9_-]{1,16}")
_SHOWABLE = frozenset({"section", "page", "states"})


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
        self._teller = Teller(settings, leases.holdings, hub, clock)
        self._detection_seconds = detection_seconds
        self._clock = clock
        # What a browser is told of its id: nothing, or that it must not keep it.
        self._keeping = b"" if settings.identity == "browser" else b'"identity":"session",'
        # Told of every reader that is counted, and whether it has opened a page: the roof joins the history here.
        self.seen: Callable[[str, bytes, bool], None] = _nobody_listens

    @property
    def figures(self) -> Figures:
        """What this worker's presence counts about itself."""
        return self._leases.ledger.figures

    @property
    def epoch(self) -> Epoch | None:
        """The store's, by which it is known whether it has kept what numbers are counted from."""
        return self._leases.ledger.epoch

    @property
    def holdings(self) -> Mapping[str, Holding]:
        """What this worker holds, by site; to be read, not written."""
        return self._holdings

    @staticmethod
    def reader_of(session: Session) -> bytes | None:
        """The id of the reader that a session is counted for; None if it is counted for none."""
        return session.reader.reader.id if isinstance(session.reader, Tab) else None

    def greet(self, session: Session) -> bytes:
        """Knows the reader of a new session; returns the JSON members of its welcome, without braces.

        It is counted when its browser has answered (:meth:`answered`): whoever only opens connections is nobody.

        A token that is missing, forged or of another site makes a new reader. A session that only watches is no reader.
        """
        site = session.site
        holding = self._holdings[site]
        if session.watching:
            return self._teller.greeting(holding)
        token = session.visitor
        reader = self._identity.verify(site, token) if token else None
        if reader is None:
            if token:
                self.figures.forged += 1
            token = self._identity.issue(site)
            reader = reader_of(token)
        newcomer = Newcomer(reader, Attention.named(session.state), _shown(session.show), session.apart)
        holding.aside.enter(newcomer)
        session.reader = newcomer
        # The number that a reader is told includes the reader, who is one as soon as the browser has answered.
        more = not newcomer.apart and reader not in holding.roster
        return b'"visitor":"%b",%b%b' % (token.encode(), self._keeping, self._teller.greeting(holding, more))

    def answered(self, session: Session) -> None:
        """The browser of a new session was heard of: it is there, and its reader is counted."""
        newcomer = session.reader
        if isinstance(newcomer, Newcomer) and not newcomer.apart:
            self._admit(session, newcomer, newcomer.attention)

    def _admit(self, session: Session, newcomer: Newcomer, attention: Attention) -> Tab:
        """A session becomes that of a reader."""
        holding = self._holdings[session.site]
        holding.aside.leave(newcomer)
        session.reader = tab = holding.join(
            newcomer.reader,
            section=session.section,
            page=session.path,
            attention=attention,
            address=session.address,
        )
        self.seen(session.site, newcomer.reader, not session.again)
        if newcomer.shows:
            tab.shows = newcomer.shows
            self._teller.watch(holding, session, tab)
            self._teller.say(holding, session, [tab])
        return tab

    def depart(self, session: Session) -> None:
        """A session is over; its reader is counted for the grace if it was the last."""
        own = session.reader
        holding = self._holdings[session.site]
        if isinstance(own, Newcomer):
            session.reader = None
            holding.aside.leave(own)
        if not isinstance(own, Tab):
            return
        tabs = [*tabs_of(own)]
        session.reader = own.others = None
        for tab in tabs:
            self._teller.unwatch(holding, session, tab, [])
            holding.leave(tab, self._clock())

    def moved(self, session: Session, said: Mapping[str, Any]) -> None:
        """The browser says that one of its tabs is on another page now, or that it has opened another one."""
        own = session.reader
        name = said.get("tab", "")
        if isinstance(own, Newcomer) and own.apart != ROBOT:
            if "show" in said and not name:
                session.reader = own = own._replace(shows=_shown(said["show"]))
            # Another tab is told of only once it has been looked at.
            if name:
                own = self._admit(session, own, Attention.BACKGROUND)
        if not isinstance(own, Tab):
            return
        holding = self._holdings[session.site]
        tab = own
        section, path = session.section, session.path
        if name:
            section, path = page_section(said.get("section", "")), page_path(said.get("path", ""))
            others = own.others or {}
            if name not in others:
                if _TAB.fullmatch(name) is None or len(others) >= TABS - 1:
                    return
                others[name] = holding.join(own.reader.id, attention=Attention.BACKGROUND)
                own.others = others
            tab = others[name]
        self.seen(session.site, own.reader.id, said.get("again") is not True and page_path(said.get("path", "")) != "")
        rest = [one for one in tabs_of(own) if one is not tab]
        self._teller.unwatch(holding, session, tab, rest)
        holding.move(tab, section, path, session.address, self._clock())
        if "show" in said:
            tab.shows = _shown(said["show"])
        self._teller.watch(holding, session, tab)
        self._teller.say(holding, session, [tab])

    def turned(self, session: Session, said: Mapping[str, Any]) -> None:
        """The browser says what the reader does with one of its tabs."""
        own = session.reader
        if isinstance(own, Newcomer):
            if said.get("seen") and own.apart != ROBOT and not said.get("tab"):
                self._admit(session, own, Attention.named(said.get("state", "")))
        elif isinstance(own, Tab):
            tab = (own.others or {}).get(said["tab"]) if said.get("tab") else own
            if tab is not None:
                self._holdings[session.site].turn(tab, Attention.named(said.get("state", "")))

    def gone(self, session: Session, said: Mapping[str, Any]) -> None:
        """The browser says that a tab that shared its connection was closed."""
        own = session.reader
        tab = own.others.pop(said.get("tab", ""), None) if isinstance(own, Tab) and own.others else None
        if isinstance(own, Tab) and tab is not None:
            holding = self._holdings[session.site]
            self._teller.unwatch(holding, session, tab, [*tabs_of(own)])
            holding.leave(tab, self._clock())

    def store_ms(self) -> int:
        """What Redis's clock says now, as far as is known, in milliseconds since the epoch.

        Raises:
            LookupError: Redis has not answered yet.
        """
        return self._leases.ledger.store_clock.at(self._clock())

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
        return bounds(self._settings, self._holdings[site].terms, self._detection_seconds, self._teller.interval())

    def start(self, caretaker: Caretaker) -> None:
        """Starts the two tasks."""
        caretaker.start("presence leases", self._leases.run)
        caretaker.start("presence pushes", self._teller.run)

    async def counted(self) -> None:
        """Returns once every site has been counted for the first time: the worker has something to say."""
        await self._leases.counted.wait()

    def drain(self) -> None:
        """The worker is about to send its sessions away: they are on their way to another, so they have not left."""
        for holding in self._holdings.values():
            holding.draining = True


def _nobody_listens(site: str, reader: bytes, viewed: bool) -> None:
    """What is seen where no history is kept."""


@lru_cache(64)
def _shown(words: str) -> frozenset[str]:
    """What a browser asks to be told of, as far as we know it."""
    return _SHOWABLE.intersection(words.split(","))
