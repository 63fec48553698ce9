"""Whom an announcement would reach now: ``GET /api/v1/audience``, asked while an editor still chooses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Protocol, TypeAlias

import msgspec
from aiohttp import web

from gateway.problems import Problem
from notifications.admission import Admission
from notifications.answers import answer
from notifications.people.rights import sites_with
from notifications.problems import explaining
from notifications.reach.audience_query import Wanted, wanted

PATH = "/api/v1/audience"


class Estimate(Protocol):
    """How many readers are where an announcement would be shown.

    Attributes:
        readers: How many.
        pages: On how many pages.
        exact: Whether both are exact.
        as_of: When, RFC 3339.
    """

    @property
    def readers(self) -> int: ...
    @property
    def pages(self) -> int: ...
    @property
    def exact(self) -> bool: ...
    @property
    def as_of(self) -> str: ...


Estimator: TypeAlias = Callable[[Wanted], Awaitable[Estimate | None]]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered.

    Attributes:
        readers: How many readers an announcement for this audience would be shown to now.
        pages: On how many pages they are.
        exact: False where it is an estimate: very many readers, pages that are not kept count of, or a worker that
            did not answer in time.
        as_of: When.
        error: Standard error of an estimate of very many, as a share of it; 0 if it is exact.
        languages_not_known: Languages were named, which only browsers know: readers of other languages are among these.
    """

    readers: int
    pages: int
    exact: bool
    as_of: str
    error: float
    languages_not_known: bool


class AudienceApi:
    """The handler.

    Args:
        estimate: Asks all workers; None if they cannot be asked now.
        admission: Knows who asks.
        sites: The portals.
        error: Standard error of an estimate.
    """

    def __init__(
        self,
        estimate: Estimator,
        admission: Admission,
        sites: Collection[str],
        error: float,
    ) -> None:
        self._estimate = estimate
        self._admission = admission
        self._sites = sites
        self._error = error

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application behind the gate, under the problems middleware."""
        return [web.get(PATH, explaining(self._show))]

    async def _show(self, request: web.Request) -> web.Response:
        principal = await self._admission.reader(request)
        # Those that somebody may not see are none to them.
        asked = wanted([*request.query.items()], sites_with(principal.roles, "see", self._sites))
        found = await self._estimate(asked)
        if found is None:
            detail = "The workers cannot be asked how many readers they have."
            raise Problem(503, detail=detail, headers={"Retry-After": "2"})
        estimated = Answer(
            readers=found.readers,
            pages=found.pages,
            exact=found.exact and not asked.languages,
            as_of=found.as_of,
            error=0.0 if found.exact else self._error,
            languages_not_known=bool(asked.languages),
        )
        return answer(estimated)
