"""``POST /api/v1/cap/{site}``: takes one CAP 1.2 message in, and says what came of it.

A file that is no valid message is refused with 400 and the line and element of each fault; nothing is stored of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from gateway.problems import FieldError, Problem
from gateway.sites import Sites
from notifications import reading
from notifications.actor import Principal
from notifications.announcement import Announcement, Status
from notifications.answers import answer
from notifications.cap import message
from notifications.cap.faults import IdentityReused, NotCap, TakenElsewhere
from notifications.cap.intake import Intake, Taken
from notifications.cap.markup import MAX_BYTES
from notifications.problems import explaining
from notifications.wire import ANNOUNCEMENTS

PATH = "/api/v1/cap/{site}"
TYPES = ("application/cap+xml", "application/xml", "text/xml")
_STATUS = {"created": 201, "waiting": 202, "ignored": 202}


class CapError(FieldError):
    """One fault: `field` is the element's path, and `line` where it begins; 0 if it concerns the file as a whole."""

    line: int


class CapAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a message.

    Attributes:
        outcome: `created`, `updated`, `recalled`, `discarded`, `waiting` (for approval) or `ignored`.
        reason: Why that, where it is not what the message asks for; of a recall, the reason that is kept.
        identity: What names the message: sender, identifier and time.
        id, revision, status: The announcement as this left it; empty, 0 and `discarded` if there is none.
        durability: `disk`, or `memory` where the store cannot say.
        sessions: How many open connections of this node it was written to.
        replayed: The message had come before; nothing was done now.
        notes: What of the message is not in the announcement.
    """

    outcome: str
    reason: str
    identity: str
    id: str
    revision: int
    status: Status
    durability: str
    sessions: int
    replayed: bool
    notes: tuple[str, ...]


class CapApi:
    """The handler.

    Args:
        intake: What takes messages in.
        principal: Whose request that acts is, from their token.
        sites: The portals.
        delivered: How many sessions of this node a revision was written to; waits for slow workers, but not long.
    """

    def __init__(
        self,
        intake: Intake,
        principal: Callable[[web.Request], Awaitable[Principal]],
        sites: Sites,
        delivered: Callable[[Announcement], Awaitable[int]],
    ) -> None:
        self._intake = intake
        self._principal = principal
        self._sites = sites
        self._delivered = delivered

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application behind the gate, under the problems middleware."""
        return [web.post(PATH, explaining(self._take))]

    async def _take(self, request: web.Request) -> web.Response:
        by = await self._principal(request)
        site = request.match_info["site"]
        if site not in self._sites:
            raise Problem(404, detail="There is no such site here.")
        body = await reading.unpacked(request, MAX_BYTES)
        if request.content_type.lower() not in TYPES:
            raise Problem(415, detail=f"Send the message as XML, with Content-Type: {TYPES[0]}.")
        try:
            # The largest take some tenths of a second, in which others are served.
            read = await asyncio.to_thread(message.read, body)
            taken = await self._intake.take(read, site, by)
        except NotCap as error:
            raise _problem(error) from error
        except IdentityReused as error:
            raise Problem(409, detail=f"{error}.") from error
        except TakenElsewhere as error:
            raise Problem(503, detail=f"{error}.", headers={"Retry-After": "2"}) from error
        return await self._answer(read, taken)

    async def _answer(self, read: message.Message, taken: Taken) -> web.Response:
        outcome, publication = taken.outcome, taken.publication
        told = publication is not None and outcome.status in ("live", "recalled") and outcome.done != "ignored"
        done = CapAnswer(
            outcome=outcome.done,
            reason=outcome.why,
            identity=str(read.identity),
            id=outcome.id,
            revision=outcome.revision,
            status=outcome.status,
            durability=outcome.durability,
            sessions=await self._delivered(publication.announcement) if told and publication is not None else 0,
            replayed=taken.replayed,
            notes=outcome.notes,
        )
        headers = {"Location": f"{ANNOUNCEMENTS}/{outcome.id}"} if outcome.id else {}
        return answer(done, status=_STATUS.get(outcome.done, 200), headers=headers)


def _problem(error: NotCap) -> Problem:
    errors = [
        CapError(field=element, pointer="", detail=f"line {line}: {what}" if line else what, line=line)
        for line, element, what in error.faults
    ]
    return Problem(400, "Not a valid CAP message", f"{error}.", errors=errors)
