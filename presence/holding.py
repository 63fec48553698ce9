"""What one worker holds of one site: its readers, the number, the terms, and what Redis has yet to be told.

What waits for Redis is a set of readers, not a list of commands: however long the store is away, a reader waits once.
Departures wait no longer than a lease, after which there is nothing left to shorten: one for the site, and one for
each place that was left.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from typing import NamedTuple

from presence.apart import Aside
from presence.gauge import Gauge, States
from presence.naming import Names, Naming
from presence.places import Kind, Place, Places
from presence.push import Pushes
from presence.roster import Attention, Reader, Roster, Tab
from presence.settings import PresenceSettings
from presence.terms import Terms

# Empty places are given up when even a lease that was written late has lapsed.
LINGER_LEASES = 2


class Departure(NamedTuple):
    """A reader that has gone from the site, or from one place of it.

    Attributes:
        reader: The id.
        place: From where; None for the site.
        at: When.
    """

    reader: bytes
    place: Place | None
    at: float


class Holding:
    """One site on one worker.

    Attributes:
        site: Its id.
        roster: The readers.
        places: Where they are.
        gauge: The number.
        terms: How long leases run now.
        pushes: What browsers have been told.
        draining: The worker is leaving: a session that closes is a reader on the way to another worker.
        aside: Sessions that are no readers.
        states_watchers: Tabs that show how many readers read, are idle, or elsewhere.
        pushed_states, states_pushed_at: What these were told last, and when.
        pushed_rounds: The round of counting of which those that show more than the site's number have been told.
    """

    __slots__ = (
        "_joins",
        "_leaves",
        "_naming",
        "_scopes",
        "aside",
        "draining",
        "gauge",
        "places",
        "pushed_rounds",
        "pushed_states",
        "pushes",
        "roster",
        "site",
        "states_pushed_at",
        "states_watchers",
        "terms",
    )

    def __init__(self, site: str, naming: Naming, settings: PresenceSettings) -> None:
        self.site = site
        self.roster = Roster()
        self.places = Places(settings.places, settings.places_per_address)
        self.gauge = Gauge()
        self.terms = Terms(settings)
        self.pushes = Pushes()
        self.aside = Aside()
        self.draining = False
        self.states_watchers = 0
        self.pushed_states: States | None = None
        self.states_pushed_at = float("-inf")
        self.pushed_rounds = 0
        self._naming = naming
        self._scopes = frozenset(settings.scopes)
        self._joins: dict[bytes, Reader] = {}
        self._leaves: dict[tuple[bytes, Place | None], float] = {}

    @property
    def watchers(self) -> int:
        """How many numbers besides the site's the tabs here show."""
        return self.states_watchers + self.places.watchers

    @property
    def zone(self) -> tzinfo:
        """Where the site's midnight is."""
        return self._naming.zone

    def counts(self, kind: Kind) -> bool:
        """Whether places of this kind are counted at all."""
        return kind in self._scopes

    def join(
        self,
        reader: bytes,
        *,
        section: str = "",
        page: str = "",
        attention: Attention = Attention.READING,
        address: str = "",
    ) -> Tab:
        """A tab of `reader` has opened."""
        before = self._attention_of(reader)
        tab, new = self.roster.join(reader, attention)
        if new:
            self._joins[reader] = tab.reader
            self._leaves.pop((reader, None), None)
        elif attention < before:
            self._joins[reader] = tab.reader
        tab.section = self._enter(tab.reader, "section", section, address)
        tab.page = self._enter(tab.reader, "page", page, address)
        return tab

    def move(self, tab: Tab, section: str, page: str, address: str, now: float) -> None:
        """A tab has gone to another page, perhaps of another section."""
        reader = tab.reader
        if tab.section is None or tab.section.name != section:
            left, tab.section = tab.section, None
            self._left(reader, left, now)
            tab.section = self._enter(reader, "section", section, address)
        if tab.page is None or tab.page.name != page:
            left, tab.page = tab.page, None
            self._left(reader, left, now)
            tab.page = self._enter(reader, "page", page, address)

    def turn(self, tab: Tab, attention: Attention) -> None:
        """The reader of a tab has turned to it, or away from it.

        Away is noticed by Redis when the lease has not been renewed as before for a grace, see ``lua/renew.lua``.
        """
        before = tab.reader.attention
        tab.attention = attention
        if tab.reader.attention < before:
            self._joins[tab.reader.id] = tab.reader

    def leave(self, tab: Tab, now: float) -> None:
        """A tab has closed; leases that nobody else holds here are shortened to the grace."""
        reader = tab.reader
        last = self.roster.leave(tab)
        for place in (tab.section, tab.page):
            self._left(reader, place, now)
        # One that Redis was not told of yet stays among the joins: its visit, however short, is counted for the grace.
        if last and not self.draining:
            self._leaves[reader.id, None] = now

    def take_joins(self) -> list[Reader]:
        """Readers whose leases are to be written, to be written before departures.

        Should that fail, all that are held are renewed before the next count.
        """
        joins = list(self._joins.values())
        self._joins.clear()
        return joins

    def take_all(self) -> list[Reader]:
        """All readers held, to be renewed: Redis may have lost any of them."""
        self._joins.clear()
        return self.roster.everyone()

    def take_due(self, now: float) -> list[Reader]:
        """Whose leases are to be renewed now: those at one place stand together, and the places of one section.

        So a command has as many readers for as few places as can be; the store pays for both.
        """
        at: dict[tuple[Place | None, Place | None], list[Reader]] = {}
        for reader in self.roster.due(now, self.terms.renew_seconds):
            tab = reader.tabs[0]
            at.setdefault((tab.section, tab.page), []).append(reader)
        return [reader for where in sorted(at, key=_by_section) for reader in at[where]]

    def take_leaves(self, now: float) -> list[Departure]:
        """Who left, what, and when; those whose lease has lapsed by now are forgotten.

        One whose coming Redis has yet to be told of stays: told in the wrong order it would be given a whole lease.
        """
        leaves = self._unlapsed(now)
        self._leaves = {key: at for key, at in leaves.items() if key[0] in self._joins}
        return [Departure(*key, at) for key, at in leaves.items() if key[0] not in self._joins]

    def _unlapsed(self, now: float) -> dict[tuple[bytes, Place | None], float]:
        lapsed = now - self.terms.lease_seconds
        return {key: at for key, at in self._leaves.items() if at > lapsed}

    def put_back(self, leaves: Iterable[Departure]) -> None:
        """Redis could not be told; who has come back meanwhile has not left."""
        waiting = {(one.reader, one.place): one.at for one in leaves if not self._is_at(one.reader, one.place)}
        self._leaves = {**waiting, **self._leaves}

    def forget_lapsed(self, now: float) -> None:
        """Drops those that left and need not be told of any more, while the store is away."""
        self._leaves = self._unlapsed(now)
        leaving = {reader for reader, _ in self._leaves}
        self._joins = {one: reader for one, reader in self._joins.items() if one in self.roster or one in leaving}
        # Nothing can be renewed now; the hand goes on all the same, since it clears the wheel of those that left.
        self.roster.due(now, self.terms.renew_seconds)
        self.forget_places(now)

    def forget_places(self, now: float) -> None:
        """Gives up places that everybody has left so long ago that no lease is left there either."""
        self.places.forget(now - LINGER_LEASES * self.terms.lease_seconds)

    def names(self, store_ms: int) -> Names:
        """How readers are named at this time of Redis's clock."""
        return self._naming.at(store_ms, round(1000 * self.terms.lease_seconds))

    def _enter(self, reader: Reader, kind: Kind, name: str, address: str) -> Place | None:
        """The place `name`, for one more tab of a reader, which has none there yet."""
        if kind not in self._scopes:
            return None
        place = self.places.get(kind, name)
        if place is not None and reader.is_at(place):
            return place
        place = self.places.enter(kind, name, address)
        if place is not None:
            self._joins[reader.id] = reader
            self._leaves.pop((reader.id, place), None)
        return place

    def _left(self, reader: Reader, place: Place | None, now: float) -> None:
        """A tab of `reader` is at `place` no more; perhaps another is."""
        if place is None or reader.is_at(place):
            return
        self.places.leave(place, now)
        if not self.draining:
            self._leaves[reader.id, place] = now

    def _attention_of(self, reader: bytes) -> Attention:
        held = self.roster.get(reader)
        return held.attention if held is not None else Attention.BACKGROUND

    def _is_at(self, reader: bytes, place: Place | None) -> bool:
        held = self.roster.get(reader)
        return held is not None and (place is None or held.is_at(place))


def _by_section(where: tuple[Place | None, Place | None]) -> tuple[str, str]:
    section, page = where
    return section.name if section is not None else "", page.name if page is not None else ""
