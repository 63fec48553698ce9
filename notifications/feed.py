"""Each worker's ear on the log: hears every publication, its own included, and passes it to the browsers it holds.

What it promises:

- Whatever the log holds is told to every session of this worker, in order, as long as the store can be reached; after
  an outage, a gap or a loss of the store it tells the difference, taking away what is no more.
- Browsers that connect are greeted without a question to the store, also while the store is away.
- What is a test is told only to sessions that have asked for tests; nothing of it, its recall neither, to any other.
- It outlives the store: it tries again, with pauses that grow to a few seconds and are not the same on all workers.

Taking in a change and beginning to broadcast it happen without an ``await`` between, as do joining the hub and greeting
at the desk. So a browser hears of every change in its greeting or in a frame, never in neither.

It works on a connection of its own, which blocks in ``XREAD``. In the same command it hears this worker's canary; where
the store has taken one that does not come, it hangs up and begins anew, since its connection may lead elsewhere.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from gateway.tasks import told_to_stop
from notifications.greeting import Greetings, frame
from notifications.log import Log
from notifications.view import Difference, Head, Position, View
from store.errors import reason

if TYPE_CHECKING:
    from gateway.hub import Delivery, Hub
    from gateway.session import Session
    from gateway.tasks import Caretaker
    from notifications.announcement import Announcement
    from notifications.canary import Canary
    from notifications.singing import Singer

log = structlog.get_logger(__name__)

# The read timeout of the feed's connection must be longer.
BLOCK_SECONDS = 2.0

# A silent store is taken for lost by those who greet long before its connection is given up.
_ANSWER_SECONDS = 1.0

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 3.0

# Where canaries are told: no session is ever there.
_NOBODY = ("canary",)
_NOTHING = b"{}"


class Feed:
    """Applies the log to this worker.

    Args:
        log: With a client of its own whose read timeout is longer than ``BLOCK_SECONDS``.
        hub: Whom to tell.
        clock: Unix time in seconds; how far the store's clock is from it is measured.
        singer: Whose canary it listens for; None: nobody's.

    Attributes:
        on_told: Called with the announcement when it is about to be told to this worker's sessions; `told` is then the
            number of that telling.
        told: How many announcements were told so far. Each session keeps how many there were when it was greeted.
        on_delivered: Called with the announcement and its Delivery when a publication has reached this worker's
            sessions.
        followed: How many entries were applied one by one.
        snapshots: How many snapshots were taken, the first included.
        outages: How often the store was lost.
    """

    def __init__(
        self, log: Log, hub: Hub, clock: Callable[[], float] = time.time, singer: Singer | None = None
    ) -> None:
        self.on_told: list[Callable[[Announcement], None]] = []
        self.told = 0
        self.on_delivered: list[Callable[[Announcement, Delivery], None]] = []
        self.followed = 0
        self.snapshots = 0
        self.outages = 0
        self._log = log
        self._hub = hub
        self._clock = clock
        self._singer = singer
        self._canary_read = 0
        self._view = View()
        self._greetings = Greetings(self._view)
        self._connected = False
        self._first = asyncio.Event()
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._contact = -math.inf
        self._ahead_seconds = 0.0
        self._block_seconds = min(BLOCK_SECONDS, log.settings.check_seconds)

    @property
    def applied(self) -> Position | None:
        """How far this worker has got; None before the first snapshot."""
        return self._view.position

    @property
    def active(self) -> int:
        """How many announcements are shown somewhere."""
        self._expire()
        return len(self._view.active)

    @property
    def fresh(self) -> bool:
        """Whether what this worker tells browsers is what the store holds; False while it is cut off."""
        return self._connected and self.lag_seconds < self._log.settings.check_seconds + 2 * BLOCK_SECONDS

    @property
    def _near(self) -> bool:
        """Whether the store answered so lately that nothing can be amiss which the next answer would not tell."""
        return self._connected and self.lag_seconds < self._block_seconds + _ANSWER_SECONDS

    @property
    def lag_seconds(self) -> float:
        """How long ago the store last answered; infinite if it never has."""
        return time.monotonic() - self._contact

    @property
    def canary(self) -> Canary | None:
        """What came of this worker's canaries; None where it sends none."""
        return self._singer.canary if self._singer is not None else None

    def start(self, caretaker: Caretaker) -> None:
        """Begins to listen."""
        caretaker.start("feed", self.run)
        if self._singer is not None:
            caretaker.start("canary", self._singer.loop)

    async def followed_once(self) -> None:
        """Returns once the store was heard for the first time: from then on greetings say what is active."""
        await self._first.wait()

    def store_time(self) -> float:
        """Unix time in seconds by the store's clock, by which announcements expire."""
        return self._clock() + self._ahead_seconds

    def current(self) -> list[Announcement]:
        """All that has not run out, see :meth:`View.current`; as this worker last heard, also while it is cut off."""
        return self._view.current(int(self.store_time() * 1000))

    def revisions(self) -> dict[str, list[Announcement]]:
        """What was told of each announcement lately, the oldest first, see :meth:`View.revisions`."""
        return self._view.revisions()

    def greet(self, session: Session) -> bytes:
        """The members ``announcements``, ``full`` and ``cursor`` of this session's welcome.

        If its browser has asked for tests, it hears of them from now on, until it `depart`s.
        """
        self._expire()
        session.told = self.told
        members = self._greetings.members(session.site, session.since, self._near, session.tests)
        if session.tests:
            self._hub.enter(session, _tests(session.site))
        return members

    def depart(self, session: Session) -> None:
        """The session is over."""
        if session.tests:
            self._hub.exit(session, _tests(session.site))

    def take_greeted(self) -> dict[tuple[str, int], int]:
        """How many sessions were greeted with which announcement, by id and revision, since this was last asked."""
        return self._greetings.take_greeted()

    async def run(self) -> None:
        """Listens until it is cancelled."""
        while not told_to_stop():
            try:
                await self._renew()
                await self._follow()
            except (RedisError, OSError) as error:
                if self._connected:
                    self.outages += 1
                    log.warning("feed lost the store", why=reason(error))
                self._connected = False
                pause_seconds = self._pause_seconds
                self._pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
                await asyncio.sleep(random.uniform(pause_seconds / 2, pause_seconds))  # noqa: S311  spreads load

    async def _renew(self) -> None:
        """Takes a snapshot and tells the difference."""
        snapshot = await self._log.snapshot()
        self._heard(snapshot.head)
        self.snapshots += 1
        differences = self._view.replace(snapshot)
        self._tell(differences)
        if not self._connected:
            log.info("feed follows the log", version=snapshot.head.version, active=len(snapshot.active))
        self._connected = True
        self._first.set()

    async def _follow(self) -> None:
        """Applies entry after entry; returns when a snapshot is needed."""
        loop = asyncio.get_running_loop()
        check_at = loop.time() + self._log.settings.check_seconds
        while True:
            checking = loop.time() >= check_at
            # The head is read before the entries: whatever it names has then been followed.
            head = await self._log.head() if checking else None
            if head is not None:
                self._heard(head)
            going_on = await self._take(0.0 if checking else self._block_seconds)
            if not going_on or told_to_stop():
                return
            if checking:
                if not self._view.agrees(head):
                    log.warning("feed disagrees with the store", applied=self.applied, store=head)
                    return
                check_at = loop.time() + self._log.settings.check_seconds
            self._expire()

    async def _take(self, block_seconds: float) -> bool:
        """Applies what has come, or comes within `block_seconds`; False at a gap."""
        position = self._view.position
        if position is None:
            return False
        key = self._singer.key if self._singer is not None else ""
        entries, canary = await self._log.listen(position.version, key, self._canary_read, block_seconds=block_seconds)
        self._contact = time.monotonic()
        # Not sooner: a store that gives snapshots and refuses to be followed must not be asked in a storm.
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        for entry in entries:
            differences = self._view.follow(entry)
            if differences is None:
                log.warning("feed found a gap", applied=self.applied, entry=entry.version)
                return False
            self.followed += 1
            self._tell(differences)
        if self._singer is not None:
            await self._mind(self._singer, canary)
        return True

    async def _mind(self, singer: Singer, number: int) -> None:
        """Passes on the canary that has come; behind what came with it, as through the hub."""
        if number:
            self._canary_read = number
            heard = partial(_heard, singer, number)
            self._hub.broadcast(_NOTHING, (_NOBODY,), urgent=True, done=heard)
        elif singer.canary.deaf(singer.clock()):
            singer.canary.forgive()
            await self._log.hang_up()
            raise OSError("what the store takes does not arrive here")

    def _tell(self, differences: list[Difference]) -> None:
        self._greetings.forget()
        for announcement, cursor, version in differences:
            self.told += 1
            for listener in self.on_told:
                listener(announcement)
            message = frame(announcement, cursor)
            done = partial(self._delivered, announcement) if version is not None else None
            self._hub.broadcast(message, channels(announcement), urgent=True, done=done)

    def _delivered(self, announcement: Announcement, delivery: Delivery) -> None:
        for listener in self.on_delivered:
            listener(announcement, delivery)

    def _heard(self, head: Head) -> None:
        self._contact = time.monotonic()
        self._ahead_seconds = head.now_ms / 1000 - self._clock()

    def _expire(self) -> None:
        """Forgets what has expired; browsers end it by themselves, so nobody is told."""
        if self._view.expire(int(self.store_time() * 1000)):
            self._greetings.forget()


def _heard(singer: Singer, number: int, _delivery: Delivery) -> None:
    singer.canary.hear(number, singer.clock())


def channels(announcement: Announcement) -> Iterable[Hashable]:
    """The hub's channels on which those are who are told of it."""
    return map(_tests, announcement.sites) if announcement.test else announcement.sites


def _tests(site: str) -> tuple[str, str]:
    """The channel of those of a site who have asked for tests."""
    return ("tests", site)
