"""Tells browsers the numbers: to all of a site when :mod:`presence.push` says so, to one when it comes or turns a page.

One task does it for all. Nothing is awaited while it writes. What tabs show besides the number of the site, that of
their section or page or of what readers do, goes to those alone that show it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from gateway import frames
from presence.bounds import patience
from presence.holding import Holding
from presence.places import Place
from presence.push import Pace
from presence.roster import Tab
from presence.settings import PresenceSettings

if TYPE_CHECKING:
    from gateway.hub import Delivery, Hub
    from gateway.session import Session

_SCOPED = b'{"type":"presence",%b,%b}'


class Teller:
    """Knows who is to be told what, and when.

    Args:
        settings: The room's settings.
        holdings: What this worker holds, by site.
        hub: Reaches the sessions.
        clock: Seconds, steady.
    """

    def __init__(
        self, settings: PresenceSettings, holdings: Mapping[str, Holding], hub: Hub, clock: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._holdings = holdings
        self._hub = hub
        self._clock = clock
        self._pace = Pace()

    def greeting(self, holding: Holding, more: bool = False) -> bytes:
        """The number as a browser is greeted with it, where there is one reader `more` than this worker holds."""
        held = len(holding.roster) + more
        holding.pushes.greeted(holding.gauge.shown(held))
        return holding.gauge.members(held)

    def interval(self) -> float:
        """How many seconds lie between two pushes of a number, at least."""
        # Every session may be told of its site, and every tab of its places.
        told = self._hub.total + sum([holding.watchers for holding in self._holdings.values()])
        return self._pace.interval(told, self._settings.count_seconds)

    def watch(self, holding: Holding, session: Session, tab: Tab) -> None:
        """A tab shows numbers besides the site's: whoever hears of them tells its session."""
        if "states" in tab.shows:
            holding.states_watchers += 1
            self._hub.enter(session, holding)
        for place in _watched(tab):
            holding.places.watch(place)
            self._hub.enter(session, place)

    def unwatch(self, holding: Holding, session: Session, tab: Tab, rest: list[Tab]) -> None:
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
    def say(holding: Holding, session: Session, tabs: list[Tab]) -> None:
        """Tells one session what its tabs show besides the number of the site."""
        for scope in _scopes(holding, tabs):
            session.send(frames.text(_SCOPED % (scope, holding.gauge.when())))

    async def run(self) -> None:
        """Tells what is due, for ever."""
        beat_seconds = self._settings.batch_ms / 1000
        while True:
            await asyncio.sleep(beat_seconds)
            self._tell(self._clock())

    def _tell(self, now: float) -> None:
        """Pushes every number that is due at `now`, and the present one to those that missed a push."""
        interval = self.interval()
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
                self.say(holding, session, [*tabs_of(own)])

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


def tabs_of(own: Tab) -> Iterator[Tab]:
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
