"""The room as the rest of the house sees it: who comes is greeted with the number, who answers is counted, who goes is
let go.

`greet`, `answered` and `depart` run inside the handshake and the farewell of a session: they touch memory only and take
a few microseconds. Two tasks do the rest: one keeps the leases (:mod:`presence.leases`), one pushes the number when
:mod:`presence.push` says so and marks it stale when nothing was counted for a while.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from gateway import frames
from gateway.handshake import page_path, page_section
from presence.apart import ROBOT, Newcomer
from presence.bounds import Bounds, bounds, patience
from presence.figures import Figures
from presence.gauge import Count
from presence.holding import Holding
from presence.identity import Identity, reader_of
from presence.leases import Leases
from presence.ledger import Epoch
from presence.places import Place
from presence.push import Pace
from presence.roster import Attention, Tab
from presence.settings import PresenceSettings

if TYPE_CHECKING:
    from gateway.hub import Delivery, Hub
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
        self._hub = hub
        self._detection_seconds = detection_seconds
        self._clock = clock
        self._pace = Pace()
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
            return self._told(holding)
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
        return b'"visitor":"%b",%b%b' % (token.encode(), self._keeping, self._told(holding, more))

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
            self._watch(holding, session, tab)
            self._say(holding, session, [tab])
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
        tabs = [own, *(own.others or {}).values()]
        session.reader = own.others = None
        for tab in tabs:
            self._unwatch(holding, session, tab, [])
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
        rest = [one for one in _tabs(own) if one is not tab]
        self._unwatch(holding, session, tab, rest)
        holding.move(tab, section, path, session.address, self._clock())
        if "show" in said:
            tab.shows = _shown(said["show"])
        self._watch(holding, session, tab)
        self._say(holding, session, [tab])

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
            self._unwatch(holding, session, tab, [*_tabs(own)])
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

    def _told(self, holding: Holding, more: bool = False) -> bytes:
        """The number as a browser is greeted with it, where there is one reader `more` than this worker holds."""
        held = len(holding.roster) + more
        holding.pushes.greeted(holding.gauge.shown(held))
        return holding.gauge.members(held)

    def _interval(self) -> float:
        # Every session may be told of its site, and every tab of its places.
        told = self._hub.total + sum([holding.watchers for holding in self._holdings.values()])
        return self._pace.interval(told, self._settings.count_seconds)

    def _watch(self, holding: Holding, session: Session, tab: Tab) -> None:
        """A tab shows numbers besides the site's: whoever hears of them tells its session."""
        if "states" in tab.shows:
            holding.states_watchers += 1
            self._hub.enter(session, holding)
        for place in _watched(tab):
            holding.places.watch(place)
            self._hub.enter(session, place)

    def _unwatch(self, holding: Holding, session: Session, tab: Tab, rest: list[Tab]) -> None:
        """The opposite, where `rest` are the other tabs of the session."""
        if "states" in tab.shows:
            holding.states_watchers -= 1
            if not any("states" in other.shows for other in rest):
                self._hub.exit(session, holding)
        for place in _watched(tab):
            holding.places.unwatch(place)
            if not any(place in _watched(other) for other in rest):
                self._hub.exit(session, place)

    @staticmethod
    def _say(holding: Holding, session: Session, tabs: list[Tab]) -> None:
        """Tells one session what its tabs show besides the number of the site."""
        for scope in _scopes(holding, tabs):
            session.send(frames.text(_SCOPED % (scope, holding.gauge.when())))

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
                message = self._message(holding)
                self._hub.broadcast(message, (site,), urgent=False, done=self._learn)
            if holding.watchers and holding.gauge.rounds != holding.pushed_rounds:
                holding.pushed_rounds = holding.gauge.rounds
                self._tell_scopes(now, holding, interval)
        for session in self._hub.caught_up():
            holding = self._holdings[session.site]
            session.send(frames.text(self._message(holding)))
            own = session.reader
            if isinstance(own, Tab):
                self._say(holding, session, [*_tabs(own)])

    def _tell_scopes(self, now: float, holding: Holding, interval: float) -> None:
        """Pushes what has changed of the numbers that not every tab shows. Whether they are stale, the site's says."""
        when = holding.gauge.when()
        turned = holding.states_watchers and holding.gauge.states != holding.pushed_states
        if turned and now - holding.states_pushed_at >= interval:
            holding.pushed_states, holding.states_pushed_at = holding.gauge.states, now
            self._hub.broadcast(_SCOPED % (_states(holding), when), (holding,), urgent=False, done=self._learn)
        for place in holding.places.watched:
            if place.shown != place.pushed and now - place.pushed_at >= interval:
                place.pushed, place.pushed_at = place.shown, now
                self._hub.broadcast(_SCOPED % (_place(place), when), (place,), urgent=False, done=self._learn)

    @staticmethod
    def _message(holding: Holding) -> bytes:
        return b'{"type":"presence",%b}' % holding.gauge.members(len(holding.roster))

    def _learn(self, delivery: Delivery) -> None:
        self._pace.learn(delivery.sessions, delivery.seconds)


_SCOPED = b'{"type":"presence",%b,%b}'


def _nobody_listens(site: str, reader: bytes, viewed: bool) -> None:
    """What is seen where no history is kept."""


@lru_cache(64)
def _shown(words: str) -> frozenset[str]:
    """What a browser asks to be told of, as far as we know it."""
    return _SHOWABLE.intersection(words.split(","))


def _tabs(own: Tab) -> Iterator[Tab]:
    """The tabs of a session, its own first."""
    yield own
    if own.others:
        yield from own.others.values()


def _watched(tab: Tab) -> list[Place]:
    """The places whose numbers a tab shows; of one that is not kept count of, there is none."""
    shown = (tab.section if "section" in tab.shows else None, tab.page if "page" in tab.shows else None)
    return [place for place in shown if place is not None]


def _scopes(holding: Holding, tabs: list[Tab]) -> Iterator[bytes]:
    """What tabs show besides the number of the site, as JSON members without braces, for them alone.

    If that is not what the others were told, the next push must set all right.
    """
    if any("states" in tab.shows for tab in tabs):
        if holding.gauge.states != holding.pushed_states:
            holding.pushed_states = None
        yield _states(holding)
    for place in dict.fromkeys(place for tab in tabs for place in _watched(tab)):
        if place.shown != place.pushed:
            place.pushed = None
        yield _place(place)


def _place(place: Place) -> bytes:
    """A place's number as JSON members without braces."""
    shown = place.shown
    member = b"section" if place.kind == "section" else b"path"
    return b'"scope":"%b","%b":%b,"online":%b' % (
        place.kind.encode(),
        member,
        msgspec.json.encode(place.name),
        b"null" if shown is None else b"%d" % shown,
    )


def _states(holding: Holding) -> bytes:
    """The site's readers by what they do, as JSON members without braces."""
    if holding.gauge.states is None:
        return b'"scope":"states","reading":null,"idle":null,"background":null'
    return b'"scope":"states","reading":%d,"idle":%d,"background":%d' % holding.gauge.states
