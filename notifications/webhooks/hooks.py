"""``POST /api/v1/hooks/{name}``: a CMS makes announcements, by requests it signs as ours are signed.

What it promises: nothing is looked at that is not signed by whoever has the hook's secret, within five minutes of now;
a request that comes twice, whoever sends it, does nothing the second time and gets the first answer again, since its
``webhook-id`` is its idempotency key; a hook does no more than an editor of its sites may, and what the policy wants
approved of waits for that. A name there is no hook of is answered as a wrong signature is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec
from aiohttp import web

from gateway.limits import TokenBucket
from gateway.problems import Problem
from gateway.sites import Sites
from notifications import reading, validation, wire
from notifications.actor import Principal
from notifications.announcement import Announcement
from notifications.answers import answer, published
from notifications.editorial import Editorial
from notifications.people.rights import Role
from notifications.problems import KEY, explaining
from notifications.settings import NotificationsSettings
from notifications.webhooks import incoming, signature
from notifications.webhooks.registry import Registry
from notifications.webhooks.wanted import NAME
from notifications.webhooks.webhook import Hook, valid

PATH = "/api/v1/hooks/{name}"
_ROLE: Role = "editor"


class Ignored(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to what is of no type that is taken."""

    ignored: Literal[True] = True
    types: tuple[str, ...] = incoming.TYPES


class Hooks:
    """The handler.

    Args:
        registry: Which hooks there are.
        editorial: Through whom they act.
        settings: Limits.
        sites: The portals.
        delivered: How many sessions of this node a revision was written to.
        client_of: The address a request came from, for the audit trail.
        store_ms: The store's time, Unix time in milliseconds.
        clock: Seconds, never going back.
    """

    def __init__(
        self,
        registry: Registry,
        editorial: Editorial,
        settings: NotificationsSettings,
        sites: Sites,
        *,
        delivered: Callable[[Announcement], Awaitable[int]],
        client_of: Callable[[web.Request], str],
        store_ms: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._editorial = editorial
        self._settings = settings
        self._sites = sites
        self._delivered = delivered
        self._client_of = client_of
        self._store_ms = store_ms
        self._clock = clock
        # Of hooks that there are, which are few.
        self._budgets: dict[tuple[str, float, int], TokenBucket] = {}

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application behind the gate, under the problems middleware."""
        return [web.post(PATH, explaining(self._take))]

    async def _take(self, request: web.Request) -> web.Response:
        body = await reading.unpacked(request)
        hook = await self._verified(request, body)
        self._spend(hook)
        key = request[KEY] = request.headers[signature.ID]
        asked = incoming.read(reading.decoded(request, body), hook, self._bounds)
        if asked is None:
            return answer(Ignored(), status=202)
        by = Principal(
            owner=f"webhook:{hook.name}",
            name=hook.name,
            roles=dict.fromkeys(hook.sites, _ROLE),
            address=self._client_of(request),
        )
        then, draft = asked.then, asked.draft
        if then == "live" and self._editorial.needed(draft.sites, draft.severity, test=draft.test):
            then = "waiting"
        publication = await self._editorial.create(draft, then=then, by=by, key=key)
        done = await published(publication, self._delivered)
        return answer(done, status=200 if done.replayed else 201)

    async def _verified(self, request: web.Request, body: bytes) -> Hook:
        """The hook by which a request comes.

        Raises:
            Problem: 401, it is not signed as it must be.
            StoreAway: The store does not answer.
        """
        name = request.match_info["name"]
        hook = await self._registry.hook(name) if NAME.fullmatch(name) else None
        if hook is not None and wire.KEY.fullmatch(request.headers.get(signature.ID, "")):
            given = {header: request.headers.get(header, "") for header in signature.HEADERS}
            if signature.verified(given, body, valid(hook.secrets, self._store_ms())):
                return hook
        detail = (
            "The request is not signed with the secret of a hook of this name, or not within five minutes of now: "
            "webhook-id, webhook-timestamp and webhook-signature are headers of standardwebhooks.com."
        )
        raise Problem(401, detail=detail, headers={"WWW-Authenticate": 'Webhook-Signature realm="loa"'})

    def _spend(self, hook: Hook) -> None:
        settings = self._settings
        rate, burst = settings.publishes_per_second, settings.publish_burst
        bucket = self._budgets.setdefault((hook.name, rate, burst), TokenBucket(rate, burst))
        if not bucket.take(self._clock()):
            detail = "This hook announces faster than notifications.publishes_per_second allows."
            seconds = max(1, math.ceil(bucket.retry_after_seconds))
            raise Problem(429, detail=detail, headers={"Retry-After": str(seconds)})

    @property
    def _bounds(self) -> validation.Bounds:
        return validation.bounds(self._sites, self._settings, self._store_ms())
