"""What a reader has open: a browser with its token, and its tabs, each with a connection or on another tab's."""

from __future__ import annotations

import asyncio
from random import Random

from tests.truth.browser import Connection
from tests.truth.history import Place, Visit

# One reader of so many shows all numbers; all show the site's.
WITNESSES = 8


class Tab:
    """One tab: where it is, what its reader does with it, and its connection if it has one now.

    A guest has no connection of its own: it shares its host's, under a name.
    """

    def __init__(self, browser: Browser, place: Place, host: Tab | None = None, name: str = "") -> None:
        self.browser = browser
        self.place = place
        self.host = host
        self.named = {"tab": name} if name else {}
        self.guests: list[Tab] = []
        self.attention = 0
        # Of the connection: its own, and those of the guests.
        self.visits: list[Visit] = []
        self.connection: Connection | None = None
        self.visit: Visit | None = None
        self.wanted = True
        self.coming: asyncio.Task[None] | None = None


class Browser:
    """One reader's: the token it keeps, and its tabs by number."""

    def __init__(self, reader: int, random: Random) -> None:
        self.reader = reader
        self.random = random
        self.token = ""
        self.tabs: dict[int, Tab] = {}
        self.show = "section,page,states" if reader % WITNESSES == 0 else ""
