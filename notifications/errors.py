"""What can go wrong with announcements.

::

    NotificationsError
    ├── Invalid                 fields of a request are wrong: all of them, each with its name
    ├── NoSuchAnnouncement      there is none of that id
    ├── NotUnderstood           another release of Loa wrote it
    ├── ActionRefused           its state does not allow the act
    │   └── ApprovedAlready     by the same person, and it takes another
    ├── Forbidden               they have not the right to, or it is their own
    ├── NeedsApproval           others have to approve of it first
    ├── EndPassed               it would be over before it began
    ├── StaleRevision           somebody else changed it meanwhile
    ├── KeyReused               the idempotency key belongs to another request
    ├── TooManyActive           as many are active as the settings allow
    ├── SendRefused             the store did not take it: nothing was sent
    ├── OutcomeUnknown          the store did not answer: it may have been sent
    └── StoreAway               the store did not answer a question

``SendRefused`` and ``OutcomeUnknown`` are kept apart because they ask different things of an editor: the first may be
forgotten, the second must be repeated, with the same idempotency key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from notifications.announcement import Announcement
    from notifications.lifecycle import Action, State


class NotificationsError(Exception):
    """Root of this room's errors."""


class WrongField(NamedTuple):
    """One wrong field: its name, where it stands (a JSON pointer, RFC 6901), what is wrong and what is allowed."""

    field: str
    pointer: str
    detail: str


class Invalid(NotificationsError):
    """A request cannot be accepted as it stands; `wrong` names every field that is wrong, never only the first."""

    def __init__(self, wrong: Sequence[WrongField]) -> None:
        self.wrong = tuple(wrong)
        super().__init__(self.wrong)

    def __str__(self) -> str:
        return "; ".join(f"{field}: {detail}" if field else detail for field, _, detail in self.wrong)


class NoSuchAnnouncement(NotificationsError):
    """No announcement has this id."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(id)

    def __str__(self) -> str:
        return f"there is no announcement {self.id}"


class NotUnderstood(NotificationsError):
    """The store holds the announcement as another release of Loa wrote it, and this one cannot read that."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(id)

    def __str__(self) -> str:
        return f"another release of Loa wrote announcement {self.id}; ask again when all workers run the same"


class ActionRefused(NotificationsError):
    """The announcement's state does not allow the act."""

    def __init__(self, state: State, action: Action) -> None:
        self.state = state
        self.action = action
        super().__init__(state, action)

    def __str__(self) -> str:
        advice = "; send a new one" if self.action in {"update", "recall"} else ""
        if self.action == "recall" and self.state in _NOT_YET_TOLD:
            advice = ": no reader has been told of it; discard it"
        return f"the announcement is {self.state} and cannot be {_PAST[self.action]}{advice}"


class ApprovedAlready(ActionRefused):
    """Whoever asks has approved of it before, and more than one person has to."""

    def __str__(self) -> str:
        return "you have approved of it already; it takes somebody else besides"


_NOT_YET_TOLD = frozenset({"draft", "waiting", "approved", "returned", "scheduled"})


_PAST = {
    "draft": "written",
    "submit": "submitted",
    "schedule": "scheduled",
    "publish": "published",
    "edit": "edited",
    "endorse": "approved",
    "approve": "approved",
    "return": "returned",
    "reject": "rejected",
    "hold": "taken off the schedule",
    "unschedule": "taken off the schedule",
    "send": "sent",
    "start": "started",
    "miss": "missed",
    "update": "updated",
    "recall": "recalled",
    "expire": "expired",
    "discard": "discarded",
}


class Forbidden(NotificationsError):
    """Whoever asks has not the right to: `right` on one of the sites, or it would be their own text they approve."""

    def __init__(self, why: str, right: str = "") -> None:
        self.why = why
        self.right = right
        super().__init__(why)

    def __str__(self) -> str:
        return self.why


class NeedsApproval(NotificationsError):
    """It may not go to readers before `needed` others have approved of it; `given` have.

    `live`: it is a correction of what readers see, which is not submitted but made by somebody who may approve.
    """

    def __init__(self, needed: int, given: int, *, live: bool = False) -> None:
        self.needed = needed
        self.given = given
        self.live = live
        super().__init__(needed, given)

    def __str__(self) -> str:
        if self.live:
            return (
                "what is live here is corrected by somebody who may approve and did not write it; "
                "you can recall it, and submit a new one"
            )
        people = "one other person" if self.needed == 1 else f"{self.needed} other people"
        return f"this has to be approved by {people} first ({self.given} did)"


class EndPassed(NotificationsError):
    """The end it was given has passed, so nobody would see it."""

    def __str__(self) -> str:
        return "its end has passed; give it another one"


class StaleRevision(NotificationsError):
    """The request was made against revision `expected`; the announcement is at another by now.

    Attributes:
        expected: Which revision.
        current: As it is now.
        before: As it was at `expected`; None if that is not known any more, or never was.
    """

    def __init__(self, expected: int, current: Announcement, before: Announcement | None = None) -> None:
        self.expected = expected
        self.current = current
        self.before = before
        super().__init__(expected, current.revision)

    def __str__(self) -> str:
        return f"revision {self.expected} was expected, the announcement is at revision {self.current.revision}"


class KeyReused(NotificationsError):
    """The idempotency key came with another request before."""

    def __str__(self) -> str:
        return "this idempotency key was used for another request; take a new one"


class TooManyActive(NotificationsError):
    """`limit` announcements are active; each new browser is greeted with all of its site."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(limit)

    def __str__(self) -> str:
        return f"{self.limit} announcements are active, as many as may be; recall one first"


class SendRefused(NotificationsError):
    """The store did not take the announcement: nothing was written, nobody will see it."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)

    def __str__(self) -> str:
        return f"not sent: {self.why}"


class OutcomeUnknown(NotificationsError):
    """The request went to the store and no answer came: it may have been carried out, or not."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)

    def __str__(self) -> str:
        return f"unknown whether it was sent ({self.why}); safe to repeat with the same idempotency key"


class StoreAway(NotificationsError):
    """The store did not answer a question; nothing was changed by asking."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)

    def __str__(self) -> str:
        return f"the store does not answer: {self.why}"
