"""What may be done with an announcement in which state, and what it becomes: one table.

Rules:

1. Only what is live can be updated or recalled. What has been recalled or has expired stays so: readers were told it
   is over, and a new announcement says something new better than an old one that comes back.
2. To recall what is recalled already is no error and changes nothing: whoever repeats a recall because the answer was
   lost, or because a colleague was quicker, wants exactly what is the case.
3. Expiry is a matter of time, not of an act by anybody: ``state_at`` finds it from `expires_ms`, at the millisecond.

Pure: the time is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from notifications.announcement import Announcement, Status
from notifications.errors import ActionRefused

State = Literal["none", "live", "recalled", "expired"]
Action = Literal["publish", "update", "recall", "expire"]

BEGINNING: State = "none"

TABLE: Mapping[State, Mapping[Action, State]] = {
    "none": {"publish": "live"},
    "live": {"update": "live", "recall": "recalled", "expire": "expired"},
    "recalled": {"recall": "recalled"},
    "expired": {},
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
