"""What may be done with an announcement in which state, and what it becomes: one table.

Rules:

1. Only what is live can be updated or recalled. What has been recalled or has expired stays so: readers were told it
   is over, and a new announcement says something new better than an old one that comes back.
2. To recall what is recalled already is no error and changes nothing: whoever repeats a recall because the answer was
   lost, or because a colleague was quicker, wants exactly what is the case.
3. Expiry is a matter of time, not of an act by anybody: ``state_at`` finds it from `expires_ms`, at the millisecond.
4. Whatever text goes to readers has been approved of as it stands: to edit what waits, is approved or scheduled makes
   a draft of it again, without its approvals.
5. `endorse` is an approval after which more are needed, `approve` the last; `hold` takes back the schedule of what was
   approved, `unschedule` that of what needed no approval. How many are needed, and by whom: ``editorial.py``.

Pure: the time is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from notifications.announcement import Announcement, Status
from notifications.errors import ActionRefused

State = Literal[
    "none", "draft", "waiting", "approved", "returned", "rejected", "discarded", "scheduled", "live", "recalled",
    "missed", "expired",
]  # fmt: skip
Action = Literal[
    "draft", "submit", "schedule", "publish", "edit", "endorse", "approve", "return", "reject", "hold", "unschedule",
    "send", "start", "miss", "update", "recall", "expire", "discard",
]  # fmt: skip

BEGINNING: State = "none"

TABLE: Mapping[State, Mapping[Action, State]] = {
    "none": {"draft": "draft", "submit": "waiting", "schedule": "scheduled", "publish": "live"},
    "draft": {
        "edit": "draft",
        "submit": "waiting",
        "schedule": "scheduled",
        "send": "live",
        "discard": "discarded",
    },
    "waiting": {
        "edit": "draft",
        "endorse": "waiting",
        "approve": "approved",
        "return": "returned",
        "reject": "rejected",
        "discard": "discarded",
    },
    "returned": {"edit": "draft", "submit": "waiting", "discard": "discarded"},
    "approved": {"edit": "draft", "schedule": "scheduled", "send": "live", "discard": "discarded"},
    "scheduled": {
        "edit": "draft",
        "hold": "approved",
        "unschedule": "draft",
        "send": "live",
        "start": "live",
        "miss": "missed",
        "discard": "discarded",
    },
    "live": {"update": "live", "recall": "recalled", "expire": "expired"},
    "recalled": {"recall": "recalled"},
    "expired": {},
    "missed": {},
    "rejected": {},
    "discarded": {},
}


def after(state: State, action: Action) -> State:
    """The state `action` leads to.

    Raises:
        ActionRefused: The table has no such way.
    """
    try:
        return TABLE[state][action]
    except KeyError:
        raise ActionRefused(state, action) from None


def state_at(announcement: Announcement, now_ms: int) -> Status:
    """The announcement's state at `now_ms` by the store's clock."""
    if announcement.status == "live" and announcement.expires_ms <= now_ms:
        return "expired"
    return announcement.status


def diagram() -> str:
    """The table as a Mermaid state diagram, for ``docs/announcements.md``."""
    lines = ["stateDiagram-v2"]
    for state, ways in TABLE.items():
        source = "[*]" if state == BEGINNING else state
        lines += [f"    {source} --> {target}: {action}" for action, target in ways.items()]
    lines += [f"    {state} --> [*]" for state in TABLE if _is_end(state)]
    return "\n".join(lines)


def _is_end(state: State) -> bool:
    return all(target == state for target in TABLE[state].values())
