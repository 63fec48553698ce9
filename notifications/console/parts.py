"""What the pages about people work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from aiohttp import hdrs, web

from gateway.sites import Sites
from notifications.console.shell import Shell
from notifications.console.wording import Wording
from notifications.console.words import text
from notifications.people.cookies import DEVICE, SESSION, put
from notifications.people.errors import MustWait, TooManyHashes
from notifications.people.known import Known
from notifications.people.lockout import DEVICE_DAYS
from notifications.people.signin import Entered, Origin
from notifications.tokens import Tokens
from notifications.trail import Trail


class TurnedAway(NamedTuple):
    """A status, what is said beside the password, and in how many seconds to come again."""

    status: int
    text: str
    retry_seconds: int


@dataclass(frozen=True, slots=True)
class Parts:
    """One of each.

    Attributes:
        shell: The frame of the pages.
        sites: The portals.
        address_of: The key under which a client's address is limited; empty if it is exempt.
        client_of: The address a request came from.
    """

    shell: Shell
    people: Known
    tokens: Tokens
    trail: Trail
    sites: Sites
    address_of: Callable[[web.Request], str]
    client_of: Callable[[web.Request], str]

    def words(self, request: web.Request) -> Wording:
        """How a page calls sites, times and the like."""
        return Wording(self.shell, request, self.sites)

    def turned_away(self, request: web.Request, error: MustWait | TooManyHashes) -> TurnedAway:
        """What is answered where a password was not looked at."""
        say = self.shell.say
        if isinstance(error, MustWait):
            wait = text("Too many sign-ins failed. Wait %(seconds)s seconds, then try again.")
            return TurnedAway(429, say(request, wait, seconds=error.seconds), error.seconds)
        crowded = text("Too many people sign in at this moment. Try again in a moment.")
        return TurnedAway(503, say(request, crowded), error.retry_seconds)

    def let_in(self, answer: web.StreamResponse, entered: Entered) -> None:
        """Gives the browser what it is known by from now on."""
        put(answer, SESSION, entered.session, self.people.sessions.lifetime_seconds)
        put(answer, DEVICE, entered.device, DEVICE_DAYS * 86_400)

    def origin(self, request: web.Request) -> Origin:
        """Where a password comes from."""
        return Origin(
            address=self.client_of(request),
            limited=self.address_of(request),
            device=request.cookies.get(DEVICE, ""),
            agent=request.headers.get(hdrs.USER_AGENT, "")[:500],
        )
