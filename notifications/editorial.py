"""The one door through which people and programs act on announcements: API, console, CAP and webhooks.

What it promises:

- Nobody does what their role does not allow on each of the announcement's sites; who may not see one is told that
  there is none.
- Nothing goes to readers that has not been approved of as often as the policy asks (``notifications.approvals``), as
  it stands, by people of the right and none of them who wrote it. Tests, which only browsers see that asked for them,
  need none. Taking back needs none either: it must not wait for anybody.
- What is live under such a policy is corrected by somebody who may approve and did not write what stands there: the
  second pair of eyes is then theirs.
- Whoever tries to approve of their own is written down.

Decided against the announcement as it is when it is written, see :meth:`notifications.log.Log.act`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec

from notifications import acts, lifecycle
from notifications.actor import Actor, Principal
from notifications.announcement import Announcement, Approval, Change, Draft, Severity
from notifications.errors import ApprovedAlready, EndPassed, Forbidden, NeedsApproval, NoSuchAnnouncement
from notifications.lifecycle import Action, State
from notifications.log import Found, Log, Page, Publication, Request
from notifications.people.rights import TABLE, Right, may, role_on
from notifications.revision import Write
from notifications.trail import Trail
from notifications.validation import Beginning

_BEGINNINGS: dict[Beginning, Action] = {
    "live": "publish",
    "draft": "draft",
    "waiting": "submit",
    "scheduled": "schedule",
}
_RIGHTS: dict[Action, Right] = {
    "draft": "write",
    "submit": "write",
    "edit": "write",
    "discard": "write",
    "publish": "send",
    "schedule": "send",
    "hold": "send",
    "unschedule": "send",
    "send": "send",
    "update": "send",
    "recall": "recall",
    "endorse": "approve",
    "approve": "approve",
    "return": "approve",
    "reject": "approve",
}
_GOING_OUT: frozenset[Action] = frozenset({"publish", "schedule", "send"})


class Editorial:
    """Acts on the announcements of `log`.

    Every act takes `by`, who asks; `key`, the idempotency key, empty if the request is not going to be repeated; and
    `expected`, the revision they have seen, None for whichever it is. Every act raises what :meth:`Log.act` does, and
    Forbidden, NeedsApproval.

    Args:
        log: Where they are.
        trail: Where attempts are written down that come to nothing.
    """

    def __init__(self, log: Log, trail: Trail) -> None:
        self._log = log
        self._trail = trail

    def needed(self, sites: Collection[str], severity: Severity, *, test: bool = False) -> int:
        """How many approvals it takes before it goes out."""
        return 0 if test else self._log.settings.approvals_needed(sites, severity)

    async def create(self, draft: Draft, *, then: Beginning = "live", by: Principal, key: str = "") -> Publication:
        """Writes a new announcement, and sends, schedules or submits it."""
        action = _BEGINNINGS[then]
        actor = _actor(by, action, draft.sites)
        if action in _GOING_OUT and (needed := self.needed(draft.sites, draft.severity, test=draft.test)):
            raise NeedsApproval(needed, 0)
        return await self._log.create(draft, action, by=actor, key=key)

    async def change(
        self, id: str, change: Change, *, by: Principal, key: str = "", expected: int | None = None
    ) -> Publication:
        """Corrects what is live in place; makes a draft with another text of what is not."""

        def decide(one: Announcement, state: State, now_ms: int) -> Write:
            action: Action = "update" if state == "live" else "edit"
            actor = _seen(by, action, one)
            write = acts.changed(one, state, change, actor)
            # Nobody moves it to a site where they may not write.
            _actor(by, action, write.content.sites)
            severest = max(self._needed(one), self.needed(one.sites, write.content.severity, test=one.test))
            if state == "live" and severest:
                if not may(by.roles, "approve", one.sites):
                    raise NeedsApproval(severest, 0, live=True)
                if by.who == one.author:
                    raise Forbidden("who wrote what is live cannot correct it alone; ask another who may approve")
            return write

        return await self._act("change", id, decide, by=by, key=key, expected=expected, body=change)

    async def submit(self, id: str, *, by: Principal, key: str = "", expected: int | None = None) -> Publication:
        """Asks others to approve of it."""
        return await self._move("submit", id, "", by=by, key=key, expected=expected)

    async def approve(self, id: str, *, by: Principal, key: str = "", expected: int | None = None) -> Publication:
        """Approves of it as it stands."""

        def decide(one: Announcement, state: State, now_ms: int) -> Write:
            actor = _seen(by, "approve", one)
            # Whether it can be approved comes first: that it has been recalled is what the approver needs to know.
            lifecycle.after(state, "approve")
            if by.who == one.author:
                raise Forbidden("nobody approves of what they wrote themselves", "approve")
            if any(by.who == approval.owner for approval in one.approvals):
                raise ApprovedAlready(state, "approve")
            approval = Approval(owner=by.who, name=by.name, at_ms=now_ms)
            more = len(one.approvals) + 1 < self._needed(one)
            action: Action = "endorse" if more else "approve"
            return acts.moved(one, state, action, actor, approval=approval)

        try:
            return await self._act("approve", id, decide, by=by, key=key, expected=expected, body=None)
        except Forbidden as error:
            actor = by.acting_as(next(iter(by.roles.values()), ""))
            await self._trail.record("approve.refused", actor, {"id": id, "before": None, "after": str(error)})
            raise

    async def send_back(
        self, id: str, reason: str, *, by: Principal, key: str = "", expected: int | None = None
    ) -> Publication:
        """Gives it back to whoever wrote it, to be changed."""
        return await self._move("return", id, reason, by=by, key=key, expected=expected)

    async def reject(
        self, id: str, reason: str, *, by: Principal, key: str = "", expected: int | None = None
    ) -> Publication:
        """Refuses it for good."""
        return await self._move("reject", id, reason, by=by, key=key, expected=expected)

    async def discard(
        self, id: str, reason: str = "", *, by: Principal, key: str = "", expected: int | None = None
    ) -> Publication:
        """Gives up what has not been sent."""
        return await self._move("discard", id, reason, by=by, key=key, expected=expected)

    async def recall(
        self, id: str, reason: str = "", *, by: Principal, key: str = "", expected: int | None = None
    ) -> Publication:
        """Takes it back everywhere."""
        return await self._move("recall", id, reason, by=by, key=key, expected=expected)

    async def send(self, id: str, *, by: Principal, key: str = "", expected: int | None = None) -> Publication:
        """Sends it now."""
        return await self._move("send", id, "", by=by, key=key, expected=expected)

    async def schedule(
        self, id: str, starts_ms: int = 0, *, by: Principal, key: str = "", expected: int | None = None
    ) -> Publication:
        """Has it go live by itself at `starts_ms`; 0: when it says itself."""

        def decide(one: Announcement, state: State, now_ms: int) -> Write:
            actor = _seen(by, "schedule", one)
            write = acts.moved(one, state, "schedule", actor, starts_ms=starts_ms or one.starts_ms)
            if not write.content.starts_ms:
                raise Forbidden("it says nowhere when it is to go live; give starts_at")
            self._approved(one)
            if acts.planned_end_ms(write.content) <= now_ms:
                raise EndPassed
            return write

        return await self._act("schedule", id, decide, by=by, key=key, expected=expected, body=starts_ms)

    async def unschedule(self, id: str, *, by: Principal, key: str = "", expected: int | None = None) -> Publication:
        """Takes it off the schedule; what was approved stays so."""

        def decide(one: Announcement, state: State, now_ms: int) -> Write:
            action: Action = "hold" if one.approvals else "unschedule"
            return acts.moved(one, state, action, _seen(by, action, one), starts_ms=0)

        return await self._act("unschedule", id, decide, by=by, key=key, expected=expected, body=None)

    async def get(self, id: str, *, by: Principal) -> Found:
        """Announcement `id`, if `by` may see it."""
        found = await self._log.get(id)
        if not may(by.roles, "see", found.announcement.sites):
            raise NoSuchAnnouncement(id)
        return found

    async def some(self, ids: Sequence[str], *, by: Principal) -> list[Announcement]:
        """Those of `ids`, one or more, that `by` may see."""
        return [one for one in await self._log.some(ids) if may(by.roles, "see", one.sites)]

    async def page(
        self, *, by: Principal, site: str = "", status: str = "", before: str = "", limit: int = 50, text: str = ""
    ) -> Page:
        """Announcements that `by` may see, see :meth:`Log.page`."""

        def visible(one: Announcement) -> bool:
            return may(by.roles, "see", one.sites)

        return await self._log.page(site=site, status=status, before=before, limit=limit, text=text, only=visible)

    async def _move(
        self, action: Action, id: str, reason: str, *, by: Principal, key: str, expected: int | None
    ) -> Publication:
        def decide(one: Announcement, state: State, now_ms: int) -> Write:
            write = acts.moved(one, state, action, _seen(by, action, one), reason=reason)
            if action in _GOING_OUT:
                self._approved(one)
            return write

        return await self._act(action, id, decide, by=by, key=key, expected=expected, body=reason)

    async def _act(
        self,
        name: str,
        id: str,
        decide: Callable[[Announcement, State, int], Write],
        *,
        by: Principal,
        key: str,
        expected: int | None,
        body: object,
    ) -> Publication:
        request = Request(name, id, msgspec.json.encode((body, expected)))
        # For the idempotency key alone; who is written down, with the role they have there, `decide` says.
        owner = by.acting_as("")
        return await self._log.act(request, decide, by=owner, key=key, expected=expected)

    def _needed(self, one: Announcement) -> int:
        return self.needed(one.sites, one.severity, test=one.test)

    def _approved(self, one: Announcement) -> None:
        needed = self._needed(one)
        if len(one.approvals) < needed:
            raise NeedsApproval(needed, len(one.approvals))


def _seen(by: Principal, action: Action, one: Announcement) -> Actor:
    """Whoever acts on `one`, if they may; who may not even see it is told that there is none."""
    if not may(by.roles, "see", one.sites):
        raise NoSuchAnnouncement(one.id)
    return _actor(by, action, one.sites)


def _actor(by: Principal, action: Action, sites: Collection[str]) -> Actor:
    right = _RIGHTS[action]
    if not may(by.roles, right, sites):
        able = ", ".join(role for role, rights in TABLE.items() if right in rights)
        lacking = [site for site in sites if not may(by.roles, right, [site])]
        raise Forbidden(f"this takes one of the roles {able} on {', '.join(lacking[:3])}", right)
    return by.acting_as(next((role for site in sites if (role := role_on(by.roles, site))), ""))
