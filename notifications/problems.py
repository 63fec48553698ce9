"""What this room refuses, as problem documents (RFC 9457): each error of the tree becomes a status and what to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from aiohttp import web

from gateway.problems import FieldError, Problem
from notifications import changes
from notifications.announcement import for_editors
from notifications.errors import (
    ActionRefused,
    EndPassed,
    Forbidden,
    Invalid,
    KeyReused,
    NeedsApproval,
    NoSuchAnnouncement,
    NotificationsError,
    NotUnderstood,
    OutcomeUnknown,
    SendRefused,
    StaleRevision,
    StoreAway,
    TooManyActive,
)
from notifications.webhooks.errors import NameTaken, NoSuchWebhook, TooManyWebhooks

# Remembered with a request, for the problem that may come of it.
KEY = web.RequestKey("idempotency_key", str)
MATCHED = web.RequestKey("matched", bool)

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def explaining(handler: Handler) -> Handler:
    """Turns what this room refuses into problem documents."""

    async def explain(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except NotificationsError as error:
            raise _problem(error, request) from error

    return explain


def _problem(error: NotificationsError, request: web.Request) -> Problem:  # noqa: PLR0911, PLR0912  one line for each error of the tree
    match error:
        case Invalid(wrong=wrong):
            errors = [FieldError(field=field, pointer=pointer, detail=detail) for field, pointer, detail in wrong]
            return Problem(422, detail=str(error), errors=errors)
        case NoSuchAnnouncement():
            return Problem(404, detail="There is no announcement of this id.")
        case ActionRefused(state=state):
            return Problem(409, detail=_sentence(error), members={"state": state})
        case Forbidden():
            return Problem(403, detail=_sentence(error))
        case NeedsApproval(needed=needed, given=given):
            advice = "" if error.live else " Submit it, as `loa announce --submit` does."
            members = {"needed": needed, "given": given}
            return Problem(403, "Approval needed", _sentence(error) + advice, members=members)
        case EndPassed():
            wrong_end = FieldError(field="expires_at", pointer="/expires_at", detail="has passed")
            return Problem(409, detail=_sentence(error), errors=[wrong_end])
        case StaleRevision():
            # RFC 9110, 13.1.1 has a status of its own for a precondition in a header.
            return _stale(412 if request.get(MATCHED) else 409, error)
        case KeyReused():
            wrong_key = FieldError(field="Idempotency-Key", pointer="", detail=str(error))
            return Problem(409, detail=_sentence(error), errors=[wrong_key])
        case NoSuchWebhook():
            return Problem(404, detail=_sentence(error))
        case NameTaken():
            taken = FieldError(field="name", pointer="/name", detail=str(error))
            return Problem(409, detail=_sentence(error), errors=[taken])
        case TooManyActive() | TooManyWebhooks():
            return Problem(409, detail=_sentence(error))
        case SendRefused():
            # What an earlier request with the same key has done is not for this one to say.
            return _unavailable("Not sent", error, {"outcome": "not_sent", **_again(request)})
        case OutcomeUnknown():
            return _unavailable("Outcome unknown", error, {"outcome": "unknown", **_again(request)})
        case NotUnderstood():
            return _unavailable("Another release", error, {})
        case StoreAway():
            return _unavailable("Store unavailable", error, {})
        case _:
            raise error


def _again(request: web.Request) -> dict[str, object]:
    return {"idempotency_key": request.get(KEY, "")}


def _unavailable(title: str, error: NotificationsError, members: Mapping[str, object]) -> Problem:
    return Problem(503, title, _sentence(error), members=members, headers={"Retry-After": "2"})


def _stale(status: int, error: StaleRevision) -> Problem:
    current = error.current.revision
    wrong = FieldError(field="revision", pointer="/revision", detail=f"the announcement is at revision {current}")
    now = for_editors(error.current, error.current.status)
    members: dict[str, object] = {"revision": current, "current": now}
    if error.before is not None:
        members["changed"] = changes.difference(for_editors(error.before, error.before.status), now)
    return Problem(status, detail=_sentence(error), errors=[wrong], members=members, headers={"ETag": etag(current)})


def _sentence(error: NotificationsError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def etag(revision: int) -> str:
    """The entity tag of a revision."""
    return f'"{revision}"'
