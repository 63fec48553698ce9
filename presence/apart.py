"""Those who have a connection and are no readers: robots, pages nobody has looked at, and who has not answered yet.

They are told everything and counted apart, so that the number of readers is one of people, and nothing is hidden.

Pure.
"""

from __future__ import annotations

from typing import NamedTuple

from presence.roster import Attention

ROBOT = "robot"


class Newcomer(NamedTuple):
    """A session that is not counted among the readers, or not yet.

    Attributes:
        reader: The id it will be counted under.
        attention: What its reader does with the page.
        shows: Which numbers the page shows besides the site's.
        apart: Why it is no reader: ``robot``, ``hidden`` (never looked at since it was opened), ``prerender`` (rendered
            ahead); empty while its first answer is waited for.
    """

    reader: bytes
    attention: Attention
    shows: frozenset[str]
    apart: str


class Apart(NamedTuple):
    """How many sessions are no readers, by why.

    Attributes:
        robots: Say that they are programs, or are known as such.
        hidden: Pages that were opened in the background and have not been looked at.
        prerendered: Pages that a browser has rendered ahead, for a click that may never come.
        unanswered: Connections that have not answered their first ping.
    """

    robots: int = 0
    hidden: int = 0
    prerendered: int = 0
    unanswered: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self)


class Aside:
    """Counts the sessions of one site on one worker that are no readers."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts = {ROBOT: 0, "hidden": 0, "prerender": 0, "": 0}

    def enter(self, newcomer: Newcomer) -> None:
        """One more."""
        self._counts[newcomer.apart] += 1

    def leave(self, newcomer: Newcomer) -> None:
        """One that `enter` counted is a reader now, or has gone."""
        self._counts[newcomer.apart] -= 1

    @property
    def apart(self) -> Apart:
        """How many there are."""
        return Apart(*self._counts.values())
