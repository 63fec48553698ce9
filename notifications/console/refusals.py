"""What a page says where an act was refused: a status, and a sentence that says what to do.

Pure.
"""

from __future__ import annotations

from typing import NamedTuple

from notifications.console.phrasing import STATUSES, Say
from notifications.console.words import text
from notifications.errors import (
    ActionRefused,
    ApprovedAlready,
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

_STATE = text("It is “%(state)s” by now, so this cannot be done with it any more.")
_TWICE = text("You have approved of it already; it takes somebody else besides.")
_OWN = text("Nobody approves of what they wrote themselves.")
_RIGHTS = text("Your role does not allow this on all of its sites. Nothing was changed; what you typed is still here.")
_CORRECTION = text("What is live here is corrected by somebody who may approve and did not write it.")
_APPROVAL = text("It needs %(needed)s approvals of others before it goes out, and has %(given)s.")
_END = text("Its end has passed, so nobody would see it. Give it another end.")
_STALE = text("Somebody was quicker: %(who)s changed it meanwhile. Look at what changed, then decide again.")
_MANY = text("As many announcements are live as may be. Recall one first.")
_NOT_SENT = text("Not sent: the store did not take it. Try again in a moment.")
_UNKNOWN = text("It is not known whether this was carried out. Press the button again: it will not happen twice.")
_AWAY = text("The store does not answer. Nothing was changed; try again in a moment.")
_OTHER = text("Another release of Loa wrote this. Try again when all of the service runs the same.")
_USED = text("This page was used before for something else. Nothing was changed; press the button again.")
_GONE = text("This announcement is not there, or not for you to see any more.")


class Refusal(NamedTuple):
    """What is answered."""

    status: int
    text: str


def refusal(error: NotificationsError, say: Say) -> Refusal:  # noqa: PLR0911, PLR0912  one line for each error of the tree
    """How a page says that `error` kept an act from being carried out; what is Invalid is said beside its fields."""
    match error:
        case Invalid():
            return Refusal(422, "")
        case NoSuchAnnouncement():
            return Refusal(404, say(_GONE))
        case ApprovedAlready():
            return Refusal(409, say(_TWICE))
        case ActionRefused(state=state):
            name = say(STATUSES[state].name) if state != "none" else ""
            return Refusal(409, say(_STATE, state=name))
        case Forbidden(right="approve"):
            own = "themselves" in error.why
            return Refusal(403, say(_OWN if own else _RIGHTS))
        case Forbidden(right=""):
            return Refusal(403, say(_CORRECTION))
        case Forbidden():
            return Refusal(403, say(_RIGHTS))
        case NeedsApproval(live=True):
            return Refusal(403, say(_CORRECTION))
        case NeedsApproval(needed=needed, given=given):
            return Refusal(403, say(_APPROVAL, needed=needed, given=given))
        case EndPassed():
            return Refusal(409, say(_END))
        case StaleRevision(current=current):
            return Refusal(409, say(_STALE, who=current.author_name or current.author))
        case TooManyActive():
            return Refusal(409, say(_MANY))
        case KeyReused():
            return Refusal(409, say(_USED))
        case SendRefused():
            return Refusal(503, say(_NOT_SENT))
        case OutcomeUnknown():
            return Refusal(503, say(_UNKNOWN))
        case NotUnderstood():
            return Refusal(503, say(_OTHER))
        case StoreAway():
            return Refusal(503, say(_AWAY))
        case _:
            raise error
