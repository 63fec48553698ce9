"""Who may use the API, and how much: bearer tokens and signed-in users, a budget for each, patience with wrong tokens.

Every token is looked up, whatever came before it: wrong tokens from an address make it wait for the answer to further
wrong ones, never lock out a right one that comes from there. Nothing here is shared between workers; each
grants its own budget.

A request with a session's cookie and no token comes from a page of the console; a browser would send that cookie for
another site's page too, so one that changes something must show where it comes from (``people/crossing.py``).
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection

from aiohttp import web

from gateway.limits import TokenBucket
from gateway.problems import Problem
from notifications.actor import Principal
from notifications.people.cookies import SESSION
from notifications.people.crossing import Crossing
from notifications.people.rights import may
from notifications.people.sessions import Sessions
from notifications.people.signin import USER, principal
from notifications.settings import NotificationsSettings
from notifications.tokens import Tokens

# So many tokens, and so many addresses, are remembered: the latest.
_REMEMBERED = 4_096
_SCHEME = "bearer"
_CHALLENGE = 'Bearer realm="loa"'

# A page of the console sends it with what it asks by itself, as long as it lies open: no person, no longer session.
UNATTENDED = "X-Loa-Unattended"


class Admission:
    """Lets requests in.

    Args:
        tokens: Where they are looked up.
        settings: How much each may do.
        address_of: The key under which a client's address is limited; empty if it is exempt.
        client_of: The address a request came from, for the audit trail.
        clock: Seconds, never going back.
        sessions: Who is signed in; None where only tokens are taken.
        crossing: Which pages are ours.
    """

    def __init__(
        self,
        tokens: Tokens,
        settings: NotificationsSettings,
        address_of: Callable[[web.Request], str],
        client_of: Callable[[web.Request], str],
        clock: Callable[[], float] = time.monotonic,
        *,
        sessions: Sessions | None = None,
        crossing: Crossing | None = None,
    ) -> None:
        self._tokens = tokens
        self._sessions = sessions
        self._crossing = crossing or Crossing()
        self._address_of = address_of
        self._client_of = client_of
        self._budgets = _Buckets(lambda: (settings.publishes_per_second, settings.publish_burst), clock)
        self._wrong = _Buckets(
            lambda: (settings.failed_logins_per_minute / 60, settings.failed_logins_per_minute), clock
        )

    async def principal(self, request: web.Request, *, used: bool = True) -> Principal:
        """Whose request it is: by its token, else by its session's cookie.

        Args:
            request: What came.
            used: Whether a person does it; an answer that stays open and looks again keeps no session alive.

        Raises:
            Problem: 401 without a valid token or session, 403 where a request with a cookie comes from another site's
                page, 429 after too many wrong tokens.
            StoreAway: The store does not answer.
        """
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return await self._signed_in(request, used=used and UNATTENDED not in request.headers)
        if scheme.lower() != _SCHEME:
            # Not named: a header may hold bytes that are no text.
            raise Problem(401, detail="Tokens are sent as Authorization: Bearer loa_…", headers=_challenge(""))
        token = await self._tokens.verify(text.strip())
        if token is None:
            raise self._refusal(request)
        return token.principal(self._client_of(request))

    async def acting(self, request: web.Request) -> Principal:
        """Whose request that acts is; takes one act from their budget.

        Raises:
            Problem: As `principal`, and 429 if the budget is spent.
            StoreAway: The store does not answer.
        """
        by = await self.principal(request)
        self.spend(by)
        return by

    def spend(self, by: Principal) -> None:
        """Takes one act from somebody's budget.

        Raises:
            Problem: 429 if it is spent.
        """
        if wait_seconds := self._budgets.take(by.owner):
            whose = "You publish" if by.owner.startswith(USER) else "This token publishes"
            detail = f"{whose} faster than notifications.publishes_per_second allows."
            raise Problem(429, detail=detail, headers=_retry_after(wait_seconds))

    async def reader(self, request: web.Request, sites: Collection[str] = (), *, used: bool = True) -> Principal:
        """Whose request that asks for what only editors may know is, of all of `sites`.

        Raises:
            Problem: As `principal`, and 403 without the right to see it there, or with none to see anything.
            StoreAway: The store does not answer.
        """
        by = await self.principal(request, used=used)
        if not may(by.roles, "see", sites):
            raise Problem(403, detail="A token of this role may not see this.")
        return by

    async def _signed_in(self, request: web.Request, *, used: bool) -> Principal:
        cookie = request.cookies.get(SESSION, "")
        if not cookie or self._sessions is None:
            raise Problem(401, detail="Send a token: Authorization: Bearer loa_…", headers=_challenge(""))
        if why := self._crossing.refused(request):
            raise Problem(403, detail=f"A request with a cookie must come from a page of the console. {why}")
        found = await self._sessions.find(cookie, used=used)
        if found is None:
            raise Problem(401, detail="The session is over: sign in again.", headers=_challenge(""))
        return principal(found.user, self._client_of(request))

    def _refusal(self, request: web.Request) -> Problem:
        address = self._address_of(request)
        if address and (wait_seconds := self._wrong.take(address)):
            detail = "Too many wrong tokens came from your address."
            return Problem(429, detail=detail, headers=_retry_after(wait_seconds))
        detail = "The token is not valid: it is mistyped, revoked or expired."
        return Problem(401, detail=detail, headers=_challenge(', error="invalid_token"'))


class _Buckets:
    """A token bucket for each key, of those that came last."""

    def __init__(self, terms: Callable[[], tuple[float, float]], clock: Callable[[], float]) -> None:
        self._terms = terms
        self._filled = terms()
        self._clock = clock
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, key: str) -> float:
        """Takes one from the bucket of `key`; 0 if there was one, else how many seconds to wait for it."""
        if (terms := self._terms()) != self._filled:
            # They were changed while the worker runs; a budget begins anew with them.
            self._filled = terms
            self._buckets.clear()
        bucket = self._buckets.pop(key, None) or TokenBucket(*terms)
        self._buckets[key] = bucket
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if bucket.take(self._clock()) else max(bucket.retry_after_seconds, 0.001)


def _challenge(parameters: str) -> dict[str, str]:
    return {"WWW-Authenticate": _CHALLENGE + parameters}


def _retry_after(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, math.ceil(seconds)))}
