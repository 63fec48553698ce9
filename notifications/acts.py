"""What each act writes: the announcement as it is, and what is wanted of it, become the next revision.

Whether an act is allowed is asked before: by the lifecycle here, of rights and approvals by ``editorial.py``.

Pure: times come from the store.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from notifications import lifecycle
from notifications.actor import Actor
from notifications.announcement import MIN_EXPIRY_SECONDS, Announcement, Approval, Change, Draft, Stored
from notifications.errors import Invalid, WrongField
from notifications.framing import refuse_oversized
from notifications.lifecycle import Action, State
from notifications.revision import Content, Write

# What readers have been told cannot be put elsewhere, begun again, or turned into a test or out of one.
FIXED_WHILE_LIVE = ("sites", "test", "starts_ms")


def created(draft: Draft, action: Action, by: Actor) -> Write:
    """A new announcement: written as a draft, submitted, scheduled or published.

    Raises:
        Invalid: It would be more than pages can be sent.
    """
    wanted = msgspec.structs.asdict(draft)
    content = Content(**wanted, reason="", author=by.who, author_name=by.name)
    refuse_oversized(msgspec.structs.asdict(content))
    return _written("", 0, lifecycle.after("none", action), action, by, content)


def changed(current: Announcement, state: State, change: Change, by: Actor) -> Write:
    """Another text, or whatever else of it: of what is live an update, of what is not a draft that nobody approved of.

    Raises:
        ActionRefused: It is over.
        Invalid: The change is of something that cannot be changed in what is live, or makes it more than pages can be
            sent.
    """
    live = state == "live"
    action: Action = "edit" if "edit" in lifecycle.TABLE[state] else "update"
    status = lifecycle.after(state, action)
    wanted = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    again = wanted.pop("show_again")
    if live and (fixed := [name for name in FIXED_WHILE_LIVE if name in wanted]):
        raise Invalid([WrongField(name, f"/{name}", "cannot be changed in what is live") for name in fixed])
    if "ends_ms" in wanted:
        wanted.setdefault("expires_in", current.expires_in)
    elif "expires_in" in wanted:
        wanted["ends_ms"] = 0
    content = _content(current, **wanted, author=by.who, author_name=by.name, approvals=())
    refuse_oversized(msgspec.structs.asdict(content))
    if not live and ("starts_ms" in wanted or "ends_ms" in wanted):
        _refuse_end_before_start(content, "starts_at" if "starts_ms" in wanted else "expires_at")
    ends_ms, expires_in = wanted.get("ends_ms"), wanted.get("expires_in")
    return Write(
        id=current.id,
        expected=current.revision,
        status=_stored(status),
        act=action,
        by=by,
        content=content,
        expires_in_seconds=expires_in if live and not ends_ms else None,
        ends_ms=ends_ms or None if live else None,
        again=again,
    )


def moved(
    current: Announcement,
    state: State,
    action: Action,
    by: Actor,
    *,
    reason: str = "",
    starts_ms: int | None = None,
    approval: Approval | None = None,
) -> Write:
    """The same text, further on its way.

    Args:
        current: As it is.
        state: Its state by the store's clock.
        action: What is done.
        by: Who does it.
        reason: Why; kept with it.
        starts_ms: When it is to go live by itself; None to leave that as it is.
        approval: One more.

    Raises:
        ActionRefused: The state does not allow it.
    """
    different: dict[str, Any] = {"reason": reason}
    if starts_ms is not None:
        different["starts_ms"] = starts_ms
    if approval is not None:
        different["approvals"] = (*current.approvals, approval)
    if action == "submit":
        # Asked anew, answered anew.
        different["approvals"] = ()
    status = lifecycle.after(state, action)
    content = _content(current, **different)
    if starts_ms:
        _refuse_end_before_start(content, "starts_at")
    return _written(current.id, current.revision, status, action, by, content)


def _refuse_end_before_start(content: Content, field: str) -> None:
    """Start and end may have been given in two requests, and each been right by itself; `field` came in this one."""
    if content.ends_ms and content.starts_ms and content.ends_ms < content.starts_ms + MIN_EXPIRY_SECONDS * 1000:
        than = "before it is over" if field == "starts_at" else "after it goes live"
        detail = f"must be at least {MIN_EXPIRY_SECONDS} seconds {than}; it would never be seen"
        raise Invalid([WrongField(field, f"/{field}", detail)])


def planned_end_ms(one: Announcement | Content) -> int:
    """When what is scheduled is over, whether it started in time or not."""
    return one.ends_ms or one.starts_ms + one.expires_in * 1000


def _written(id: str, revision: int, status: State, action: Action, by: Actor, content: Content) -> Write:  # noqa: PLR0917  a line of a table, each of another type
    expires_in: int | None = None
    ends_ms: int | None = None
    if status == "live":
        if action == "start":
            ends_ms = planned_end_ms(content)
        elif content.ends_ms:
            ends_ms = content.ends_ms
        else:
            expires_in = content.expires_in
    return Write(id, revision, _stored(status), action, by, content, expires_in, ends_ms)


def _content(current: Announcement, **different: Any) -> Content:
    names = Content.__struct_fields__
    return Content(**{**{name: getattr(current, name) for name in names}, **different})


def _stored(state: State) -> Stored:
    if state == "none" or state == "expired":  # noqa: PLR1714  only so does the type checker follow
        raise AssertionError("nothing becomes this by an act")
    return state
