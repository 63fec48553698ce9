"""Who may use the API, and how much: bearer tokens, a budget for each, and patience with wrong ones.

Every token is looked up, whatever came before it: wrong tokens from an address make it wait for the answer to further
wrong ones, never lock out a right one that comes from there. Nothing here is shared between workers; each
grants its own budget.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from aiohttp import web

from gateway.limits import TokenBucket
from gateway.problems import Problem
from notifications.settings import NotificationsSettings
from notifications.tokens import Token, Tokens

# So many tokens, and so many addresses, are remembered: the latest.
_REMEMBERED = 4_096
_SCHEME = "bearer"
_CHALLENGE = 'Bearer realm="loa"'


class Admission:
    """Lets requests in.

    Args:
        tokens: Where they are looked up.
        settings: How much each may do.
        address_of: The key under which a client's address is limited; empty if it is exempt.
        clock: Seconds, never going back.
    """

    def __init__(
        self,
        tokens: Tokens,
        settings: NotificationsSettings,
        address_of: Callable[[web.Request], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._address_of = address_of
        per_minute = settings.failed_logins_per_minute
        self._budgets = _Buckets(settings.publishes_per_second, settings.publish_burst, clock)
        self._wrong = _Buckets(per_minute / 60, per_minute, clock)

    async def reader(self, request: web.Request) -> Token:
        """The token of a request that asks.

        Raises:
            Problem: 401 without a valid token, 403 without the right role, 429 after too many wrong ones.
            StoreAway: The store does not answer.
        """
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            raise Problem(401, detail="Send a token: Authorization: Bearer loa_…", headers=_challenge(""))
        if scheme.lower() != _SCHEME:
            # Not named: a header may hold bytes that are no text.
            raise Problem(401, detail="Tokens are sent as Authorization: Bearer loa_…", headers=_challenge(""))
        token = await self._tokens.verify(text.strip())
        if token is None:
            raise self._refusal(request)
        if token.role != "editor":
            raise Problem(403, detail=f"A token of the role {token.role} may not do this; it takes editor.")
        return token

    async def editor(self, request: web.Request) -> Token:
        """The token of a request that acts; takes one act from its budget.

        Raises:
            Problem: As `reader`, and 429 if the budget is spent.
            StoreAway: The store does not answer.
        """
        token = await self.reader(request)
        if wait_seconds := self._budgets.take(token.owner):
            detail = "This token publishes faster than notifications.publishes_per_second allows."
            raise Problem(429, detail=detail, headers=_retry_after(wait_seconds))
        return token

    def _refusal(self, request: web.Request) -> Problem:
        address = self._address_of(request)
        if address and (wait_seconds := self._wrong.take(address)):
            detail = "Too many wrong tokens came from your address."
            return Problem(429, detail=detail, headers=_retry_after(wait_seconds))
        detail = "The token is not valid: it is mistyped, revoked or expired."
        return Problem(401, detail=detail, headers=_challenge(', error="invalid_token"'))


class _Buckets:
    """A token bucket for each key, of those that came last."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, key: str) -> float:
        """Takes one from the bucket of `key`; 0 if there was one, else how many seconds to wait for it."""
        bucket = self._buckets.pop(key, None) or TokenBucket(self._rate, self._burst)
        self._buckets[key] = bucket
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if bucket.take(self._clock()) else max(bucket.retry_after_seconds, 0.001)


def _challenge(parameters: str) -> dict[str, str]:
    return {"WWW-Authenticate": _CHALLENGE + parameters}


def _retry_after(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, math.ceil(seconds)))}
