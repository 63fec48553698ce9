"""Does what the schedule says, and writes down what was done and when: the history.

Every reader is a task that does its acts one after the other; so a busy machine does them later, never in another
order. A tab whose connection is lost comes back by itself, to any worker, as the widget does. Faults are one task.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from functools import partial
from math import inf
from random import Random

from tests.truth.browser import Connection, Refused
from tests.truth.faults import Faults
from tests.truth.history import History, How, Place, Stay, Turn, Visit
from tests.truth.nodes import Service
from tests.truth.schedule import Act
from tests.truth.segments import STATES
from tests.truth.spans import Span
from tests.truth.tabs import Browser, Tab

# As the widget waits, somewhat brisker.
RECONNECT_SECONDS = 0.4
OPEN_SECONDS = 20.0
CLOSE_SECONDS = 5.0


class Driver:
    """Drives one run.

    Args:
        service: What is driven.
        seed: Of what is left to chance while things happen: the waits before a tab comes back.

    Attributes:
        history: What has been done so far.
        done: Acts done.
    """

    def __init__(self, service: Service, seed: int) -> None:
        self._service = service
        self._seed = seed
        self._browsers: dict[int, Browser] = {}
        self._silent: list[Connection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.history = History(began=time.monotonic())
        self.done = 0

    @property
    def tabs(self) -> Iterable[Tab]:
        """All that are open."""
        return (tab for browser in self._browsers.values() for tab in browser.tabs.values())

    async def run(self, acts: Iterable[Act]) -> None:
        """Does all of it; returns when the last act is done."""
        self.history.began = time.monotonic()
        lives: dict[int, list[Act]] = {}
        for act in acts:
            lives.setdefault(act.reader, []).append(act)
        async with asyncio.TaskGroup() as tasks:
            for reader, life in lives.items():
                if reader < 0:
                    tasks.create_task(self._break(life))
                else:
                    tasks.create_task(self._live(reader, life))

    async def settle(self) -> None:
        """Waits until every tab that is to have a connection has one."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def end(self) -> None:
        """Closes everything; nothing of it is history any more."""
        self.history.ended = time.monotonic()
        for tab in self.tabs:
            tab.wanted = False
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        connections = [*self._silent, *(tab.connection for tab in self.tabs if tab.connection is not None)]
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.over.wait()

    async def _break(self, life: list[Act]) -> None:
        faults = Faults(self._service, self.history)
        for act in life:
            await self._until(act.at)
            await faults.do(act)
            self.done += 1

    # -- readers

    async def _live(self, reader: int, life: list[Act]) -> None:
        browser = self._browsers[reader] = Browser(reader, Random(f"{self._seed}/{reader}/waits"))
        for act in life:
            await self._until(act.at)
            await self._act(browser, act)
            self.done += 1

    async def _until(self, at: float) -> None:
        await asyncio.sleep(self.history.began + at - time.monotonic())

    async def _act(self, browser: Browser, act: Act) -> None:
        if act.kind == "open":
            tab = browser.tabs[act.tab] = Tab(browser, act.place)
            await self._open(tab, act.worker)
            return
        if act.kind == "share":
            host = browser.tabs[act.host]
            guest = browser.tabs[act.tab] = Tab(browser, act.place, host, f"t{act.tab}")
            host.guests.append(guest)
            self._share(guest)
            return
        tab = browser.tabs[act.tab]
        if act.kind == "move":
            self._move(tab, act.place)
        elif act.kind == "turn":
            self._turn(tab, act.attention)
        elif act.kind == "gone":
            del browser.tabs[act.tab]
            self._gone(tab)
        elif act.kind == "reload":
            self._dismiss(tab)
            await self._close(tab)
            await asyncio.sleep(act.seconds)
            tab.place, tab.attention, tab.wanted = act.place, 0, True
            await self._open(tab, act.worker)
        else:
            del browser.tabs[act.tab]
            self._dismiss(tab)
            if act.kind == "close":
                await self._close(tab)
            elif act.kind == "abort":
                await self._close(tab, politely=False)
            else:
                await self._vanish(tab)

    async def _open(self, tab: Tab, worker: int) -> None:
        """Connects a tab, to `worker` or, if it does not let it in, to whichever does."""
        count = len(self._service.nodes)
        while tab.wanted:
            if await self._attempt(tab, worker):
                return
            worker = (worker + 1 + tab.browser.random.randrange(count)) % count
            await asyncio.sleep(RECONNECT_SECONDS * tab.browser.random.random())

    async def _attempt(self, tab: Tab, worker: int) -> bool:
        node = self._service.nodes[worker]
        browser = tab.browser
        now = time.monotonic()
        at = Span(now, inf)
        visit = Visit(browser.reader, worker, at, [Stay(at, tab.place)], [Turn(at, tab.attention)])
        visits = [visit]
        connection = Connection(
            node.url,
            browser.token,
            tab.place,
            tab.attention,
            show=browser.show,
            lost=partial(self._over, tab, visits),
        )
        self.history.visits.append(visit)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                welcome = await connection.open()
        except (Refused, TimeoutError, OSError):
            if connection.connected:
                connection.abort()
            else:
                # Nobody took the connection, so nobody can have counted it.
                self.history.visits.remove(visit)
            return False
        at = Span(now, time.monotonic())
        visit.opened = at
        visit.stays[0] = Stay(at, visit.stays[0].place)
        visit.turns[0] = Turn(at, visit.turns[0].attention)
        browser.token = welcome["visitor"]
        if connection.over.is_set():
            return False
        tab.connection, tab.visit, tab.visits = connection, visit, visits
        # What was done with it meanwhile.
        if tab.place != visit.stays[0].place:
            self._move(tab, tab.place)
        if tab.attention != visit.turns[0].attention:
            self._turn(tab, tab.attention)
        for guest in tab.guests:
            self._share(guest)
        return True

    def _over(self, tab: Tab, visits: list[Visit], connection: Connection) -> None:
        """A connection has ended, by us or not."""
        now = time.monotonic()
        _end(visits, Span(now, now), How.LOST)
        for visit in visits:
            if visit.ended.done == inf:
                visit.ended = Span(visit.ended.began, now)
        if tab.connection is connection:
            for one in (tab, *tab.guests):
                one.connection = one.visit = None
            if tab.wanted:
                tab.coming = asyncio.create_task(self._come_back(tab))
                self._tasks.add(tab.coming)
                tab.coming.add_done_callback(self._tasks.discard)

    async def _come_back(self, tab: Tab) -> None:
        await asyncio.sleep(RECONNECT_SECONDS * tab.browser.random.random())
        await self._open(tab, tab.browser.random.randrange(len(self._service.nodes)))

    def _move(self, tab: Tab, place: Place) -> None:
        tab.place = place
        if tab.connection is None or tab.visit is None:
            return
        began = time.monotonic()
        # What is told of other places from now on is ignored, as by a page that has moved.
        _forget(tab)
        if tab.connection.say(type="page", path=place.path, section=place.section, **tab.named):
            tab.visit.stays.append(Stay(Span(began, time.monotonic()), place))

    def _turn(self, tab: Tab, attention: int) -> None:
        tab.attention = attention
        if tab.connection is None or tab.visit is None:
            return
        began = time.monotonic()
        if tab.connection.say(type="state", state=STATES[attention], **tab.named):
            tab.visit.turns.append(Turn(Span(began, time.monotonic()), attention))

    def _share(self, guest: Tab) -> None:
        """A guest is opened, or said again, over its host's connection if there is one now."""
        host = guest.host
        if host is None or host.connection is None or host.visit is None:
            return
        began = time.monotonic()
        place = guest.place
        # It asks for its own numbers: what its host is told of where it was for a moment is not kept up to date.
        show = {"show": guest.browser.show} if guest.browser.show else {}
        if not host.connection.say(type="page", path=place.path, section=place.section, **guest.named, **show):
            return
        host.connection.say(type="state", state=STATES[guest.attention], **guest.named)
        at = Span(began, time.monotonic())
        visit = Visit(guest.browser.reader, host.visit.worker, at, [Stay(at, place)], [Turn(at, guest.attention)])
        self.history.visits.append(visit)
        host.visits.append(visit)
        guest.connection, guest.visit = host.connection, visit
        _forget(guest)

    def _gone(self, guest: Tab) -> None:
        """A guest is closed; its host's connection stays."""
        if guest.host is not None:
            guest.host.guests.remove(guest)
        if guest.connection is None or guest.visit is None:
            return
        began = time.monotonic()
        if guest.connection.say(type="gone", **guest.named):
            _end([guest.visit], Span(began, time.monotonic()), How.CLOSED)

    @staticmethod
    def _dismiss(host: Tab) -> None:
        """A host is closed: its guests go with it."""
        for guest in host.guests:
            guest.connection = guest.visit = None
        host.guests.clear()

    async def _close(self, tab: Tab, *, politely: bool = True) -> None:
        connection, visit = await self._take(tab)
        if connection is None or visit is None:
            return
        _end(tab.visits, Span(time.monotonic(), inf), How.CLOSED)
        if politely:
            connection.close()
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await connection.over.wait()
                return
            except TimeoutError:
                # A browser does not wait for ever either.
                pass
        connection.abort()
        await connection.over.wait()

    async def _vanish(self, tab: Tab) -> None:
        connection, visit = await self._take(tab)
        if connection is None or visit is None:
            return
        now = time.monotonic()
        _end(tab.visits, Span(now, now), How.VANISHED)
        connection.vanish()
        self._silent.append(connection)

    async def _take(self, tab: Tab) -> tuple[Connection | None, Visit | None]:
        """The connection of a tab that is to have none any more."""
        tab.wanted = False
        connection, visit = tab.connection, tab.visit
        tab.connection = tab.visit = None
        if connection is None and tab.coming is not None:
            # It was on its way back; it goes on until it is in or has failed, and is then closed.
            await asyncio.wait([tab.coming])
            connection, visit = tab.connection, tab.visit
            tab.connection = tab.visit = None
        return connection, visit


def _end(visits: Iterable[Visit], at: Span, how: How) -> None:
    """Those that have not ended yet have now."""
    for visit in visits:
        if visit.ended.began == inf:
            visit.ended, visit.how = at, how


def _forget(tab: Tab) -> None:
    """A tab is at another place now: what its connection was told of places at which no other tab is, is old."""
    host = tab.host or tab
    others = {one.place for one in (host, *host.guests) if one is not tab}
    if tab.connection is not None:
        tab.connection.forget_places(others)
