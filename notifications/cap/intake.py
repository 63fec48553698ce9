"""Takes a CAP message in: decides once what is to be done about it, has it done, and remembers what came of it.

What it promises:

- A message is carried out once on a site, however often and by whomever it is sent; a repeated one gets the first
  answer. Another message under the same identity (sender, identifier, sent) is refused.
- Nothing is stored of what is refused or ignored.
- What was told in earnest is never changed or taken back by a test or an exercise, and the other way round.
- It acts through ``notifications/editorial.py``: rights, approvals and the audit trail hold as for any editor. What may
  not go out by itself waits for approval: an update of what is live then waits as an announcement of its own.
- An update of what has expired meanwhile is told as new, since its sender says that it goes on; what people have taken
  back stays so.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import Literal

import structlog
from msgspec import UNSET, Struct
from msgspec.structs import replace

from gateway.sites import Sites
from notifications.actor import Principal
from notifications.announcement import Change, Draft, Status
from notifications.cap import making
from notifications.cap.faults import Fault, IdentityReused, NotCap, TakenElsewhere
from notifications.cap.index import Claim, Index, Outcome
from notifications.cap.making import Plan
from notifications.cap.message import Message
from notifications.cap.urgency import rises
from notifications.cap.values import Identity
from notifications.editorial import Editorial
from notifications.errors import (
    ActionRefused,
    Forbidden,
    NeedsApproval,
    NoSuchAnnouncement,
    NotificationsError,
    OutcomeUnknown,
    StoreAway,
)
from notifications.log import Found, Publication
from notifications.people.rights import may
from notifications.settings import NotificationsSettings
from store.errors import reason

log = structlog.get_logger(__name__)

Done = Literal["created", "updated", "recalled", "discarded", "waiting", "ignored"]

# After so long nobody waits for the answer to another's request any more.
_CLAIM_MS = 60_000
# So many of the newest announcements are looked through for one that was made of a message.
_LOOKED_THROUGH = 200
_OPEN: frozenset[Status] = frozenset({"draft", "waiting", "approved", "returned", "scheduled"})
_RAN_OUT: frozenset[Status] = frozenset({"expired", "missed"})


class Taken(Struct, frozen=True, kw_only=True):
    """What came of a message.

    Attributes:
        outcome: What was done; `replayed`: it had been before.
        publication: The act; None where nothing was done now.
    """

    outcome: Outcome
    replayed: bool
    publication: Publication | None = None


class Intake:
    """Takes messages in for all sites.

    Args:
        editorial: What acts.
        index: What remembers.
        sites: The portals.
        settings: Of announcements.
    """

    def __init__(self, editorial: Editorial, index: Index, sites: Sites, settings: NotificationsSettings) -> None:
        self._editorial = editorial
        self._index = index
        self._sites = sites
        self._settings = settings

    @property
    def _bounds(self) -> making.Bounds:
        return making.Bounds(self._settings.default_expiry_seconds, self._settings.max_expiry_seconds)

    async def take(self, message: Message, site: str, by: Principal) -> Taken:
        """Does what `message` says on `site`.

        Raises:
            NotCap: It refers to what is not known here, or mixes what is a test with what is not.
            IdentityReused, TakenElsewhere: See there.
            NotificationsError: As the acts of :class:`Editorial` do.
        """
        for right in ("write", "send"):
            if not may(by.roles, right, [site]):
                raise Forbidden(f"to send CAP messages takes the right to {right} on {site}", right)
        known = await self._index.find(site, message.identity)
        if known is None:
            claim = await self._decide(message, site, by)
            if claim.plan.act == "ignore":
                return Taken(outcome=_ignored(claim.plan.why), replayed=False)
            known = await self._index.claim(site, message.identity, claim)
        if known.claim.digest != message.digest:
            raise IdentityReused(str(message.identity))
        if known.outcome is not None:
            return Taken(outcome=known.outcome, replayed=True)
        if (found := await self._left(message, site, by, known.claim)) is not None:
            return found
        return await self._carry_out(message, site, by, known.claim)

    async def _left(self, message: Message, site: str, by: Principal, claim: Claim) -> Taken | None:
        """What somebody has done about it whose idempotency key is not ours, or not remembered any more, if they have.

        Raises:
            TakenElsewhere: They may be at it.
        """
        age_ms = await self._index.now_ms() - claim.at_ms
        if claim.owner == by.owner and age_ms < self._settings.idempotency_hours * 3_600_000:
            return None
        if age_ms < _CLAIM_MS:
            raise TakenElsewhere
        if claim.target:
            candidates = [await self._editorial.get(claim.target, by=by)]
        else:
            candidates = (await self._editorial.page(by=by, site=site, limit=_LOOKED_THROUGH)).found
        for one, status in candidates:
            cap = one.cap
            if cap is not None and Identity(cap.sender, cap.identifier, cap.sent) == message.identity:
                done: Done = "waiting" if status == "waiting" else "updated" if claim.target else "created"
                outcome = Outcome(done=done, id=one.id, revision=one.revision, status=status, durability="memory")
                await self._index.finish(site, message.identity, outcome)
                return Taken(outcome=outcome, replayed=True)
        return None

    async def _decide(self, message: Message, site: str, by: Principal) -> Claim:
        now_ms = await self._index.now_ms()
        plan = making.plan(message, site, self._sites[site].language, self._bounds, now_ms)
        claim = Claim(owner=by.owner, at_ms=now_ms, digest=message.digest, plan=plan)
        if plan.act in ("create", "ignore"):
            return claim
        found = await self._referred(message, site, by)
        one = found.announcement
        if one.test != plan.test:
            kind = "a test" if one.test else "no test"
            what = f"`status` is {message.status}, and what it refers to is {kind}: neither changes the other"
            raise NotCap([Fault(message.references_line, "alert/references", what)])
        again = plan.draft is not None and rises(one.severity, plan.draft.severity)
        return replace(claim, target=one.id, again=again)

    async def _referred(self, message: Message, site: str, by: Principal) -> Found:
        """The announcement that the newest of the references we know has become."""
        for identity in message.earlier:
            known = await self._index.find(site, identity)
            if known is not None and known.outcome is not None:
                with contextlib.suppress(NoSuchAnnouncement):
                    return await self._editorial.get(known.outcome.id, by=by)
        what = f"unknown reference: nothing that `references` names is known on {site}"
        raise NotCap([Fault(message.references_line, "alert/references", what)])

    async def _carry_out(self, message: Message, site: str, by: Principal, claim: Claim) -> Taken:
        name = f"{site}|{message.identity.normal}"
        act = _Act(self._editorial, claim, by, f"cap:{hashlib.sha256(name.encode()).hexdigest()[:40]}")
        try:
            done, publication = await act.carry_out()
        except OutcomeUnknown:
            raise
        except NotificationsError:
            # Nothing was done, or what was done is undone by nobody: the next try decides anew.
            with contextlib.suppress(StoreAway):
                await self._index.release(site, message.identity)
            raise
        outcome = Outcome(
            done=done,
            id=publication.announcement.id,
            revision=publication.announcement.revision,
            status=publication.status,
            durability=publication.durability,
            why=act.why,
            notes=claim.plan.notes,
        )
        try:
            await self._index.finish(site, message.identity, outcome)
        except StoreAway as error:
            # It is done; a repeated message finds that by the idempotency key.
            log.warning(
                "not written down what became of a CAP message", identity=str(message.identity), why=reason(error)
            )
        return Taken(outcome=outcome, replayed=publication.replayed, publication=publication)


class _Act:
    """Carries out one claim.

    Attributes:
        why: What is to be said of it.
    """

    def __init__(self, editorial: Editorial, claim: Claim, by: Principal, key: str) -> None:
        self.why = claim.plan.why
        self._editorial = editorial
        self._claim = claim
        self._by = by
        self._key = key

    async def carry_out(self) -> tuple[Done, Publication]:
        plan = self._claim.plan
        if plan.act == "create":
            return await self._create(_draft(plan))
        found = await self._editorial.get(self._claim.target, by=self._by)
        if plan.act == "withdraw":
            return await self._withdraw(found)
        return await self._change(found, _draft(plan))

    async def _create(self, draft: Draft) -> tuple[Done, Publication]:
        try:
            return "created", await self._editorial.create(
                draft, then=self._claim.plan.then, by=self._by, key=self._key
            )
        except NeedsApproval as error:
            self.why = str(error)
        return await self._wait(draft)

    async def _wait(self, draft: Draft) -> tuple[Done, Publication]:
        key = f"{self._key}:waiting"
        return "waiting", await self._editorial.create(draft, then="waiting", by=self._by, key=key)

    async def _change(self, found: Found, draft: Draft) -> tuple[Done, Publication]:
        one, state = found
        if state in _RAN_OUT:
            self.why = f"what it updates has {state}, so it is told as new"
            return await self._create(draft)
        if state in _OPEN:
            return await self._change_open(one.id, draft)
        if state != "live":
            raise ActionRefused(state, "update")
        try:
            change = replace(_change(draft), show_again=self._claim.again)
            return "updated", await self._editorial.change(one.id, change, by=self._by, key=self._key)
        except (NeedsApproval, Forbidden) as error:
            self.why = f"{error}; it waits as an announcement of its own: when it is sent, recall {one.id}"
        return await self._wait(draft)

    async def _change_open(self, id: str, draft: Draft) -> tuple[Done, Publication]:
        """What readers have not been told yet: another text, which has to be sent or scheduled anew."""
        change = replace(_change(draft), test=draft.test, starts_ms=draft.starts_ms)
        await self._editorial.change(id, change, by=self._by, key=self._key)
        try:
            key = f"{self._key}:then"
            if draft.starts_ms:
                return "updated", await self._editorial.schedule(id, draft.starts_ms, by=self._by, key=key)
            return "updated", await self._editorial.send(id, by=self._by, key=key)
        except NeedsApproval as error:
            self.why = str(error)
        return "waiting", await self._editorial.submit(id, by=self._by, key=f"{self._key}:waiting")

    async def _withdraw(self, found: Found) -> tuple[Done, Publication]:
        one, state = found
        if state in _OPEN:
            return "discarded", await self._editorial.discard(one.id, self.why, by=self._by, key=self._key)
        if state in ("live", "recalled"):
            return "recalled", await self._editorial.recall(one.id, self.why, by=self._by, key=self._key)
        self.why = f"what it cancels is {state} already"
        return "ignored", Publication(one, state, one.version, "memory", True)


def _draft(plan: Plan) -> Draft:
    if plan.draft is None:
        raise AssertionError("what is to be told has a text")
    return plan.draft


def _change(draft: Draft) -> Change:
    """All of `draft` that can be changed in what is live."""
    return Change(
        severity=draft.severity,
        title=draft.title,
        body=draft.body,
        url=draft.url,
        language=draft.language,
        texts=draft.texts,
        audience=draft.audience,
        expires_in=UNSET if draft.ends_ms else draft.expires_in,
        ends_ms=draft.ends_ms or UNSET,
        cap=UNSET if draft.cap is None else draft.cap,
    )


def _ignored(why: str) -> Outcome:
    return Outcome(done="ignored", id="", revision=0, status="discarded", durability="memory", why=why)
