"""One announcement: how it stands, what became of it, and what may be done with it.

Each act is a form of its own with the revision it was made of, so that nobody approves of, sends or gives up what they
have not seen. Only a recall takes whatever there is: it must not wait until somebody has read a correction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import msgspec
from aiohttp import web

from notifications.announcement import MAX_REASON
from notifications.console import form, history, previewing
from notifications.console.desk import Desk, fresh_key, key_of, path_of, revision_of
from notifications.console.possible import offers
from notifications.console.refusals import refusal
from notifications.console.visit import Visit
from notifications.console.words import text
from notifications.errors import Invalid, NotificationsError, StaleRevision
from notifications.log import Found, Publication
from notifications.validation import recall

Done: TypeAlias = Awaitable[Publication]


class Act(NamedTuple):
    """An act that takes no more than a reason.

    Attributes:
        done: What is said when it was carried out.
        why: Whether it takes a reason, and must have one.
        seen: Whether it goes only for the revision that was seen.
    """

    done: str
    reason: bool = False
    why: bool = False
    seen: bool = True


ACTS = {
    "approve": Act(text("Your approval is written down.")),
    "return": Act(text("It is given back to be changed."), reason=True, why=True),
    "reject": Act(text("It is rejected."), reason=True, why=True),
    "unschedule": Act(text("It is taken off the schedule.")),
    "discard": Act(text("It is discarded."), reason=True),
    "recall": Act(text("It is recalled: no reader sees it any more."), reason=True, seen=False),
}


class AnnouncementPage:
    """The page, and the acts on it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shell = desk.shell
        editorial = desk.editorial
        self._acts: dict[str, Callable[..., Done]] = {
            "approve": editorial.approve,
            "return": editorial.send_back,
            "reject": editorial.reject,
            "unschedule": editorial.unschedule,
            "discard": editorial.discard,
            "recall": editorial.recall,
        }

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        signed_in = self._shell.signed_in
        return [
            web.get(path_of("{id}"), signed_in(self._show, "see")),
            *[web.post(path_of("{id}", name), signed_in(partial(self._act, name))) for name in ACTS],
        ]

    async def _show(self, request: web.Request, visit: Visit) -> web.Response:
        return await self._page(request, visit, form.Form())

    async def _act(self, name: str, request: web.Request, visit: Visit) -> web.Response:
        id = request.match_info["id"]
        sent = await form.read(request)
        act, say = ACTS[name], self._desk.words(request).say
        expected = revision_of(sent) if act.seen else None
        further: dict[str, Any] = {"by": visit.by, "key": key_of(sent), "expected": expected}
        try:
            if act.reason:
                # By the same rules as the API's.
                reason, _ = recall({"reason": sent.get("reason")}, why=act.why)
                await self._acts[name](id, reason, **further)
            else:
                await self._acts[name](id, **further)
        except Invalid as error:
            words = self._desk.words(request)
            sent.errors[f"reason-{name}"] = words.wrong(error.wrong[0].detail)
            return await self._page(request, visit, sent, status=422, open=name)
        except NotificationsError as error:
            status, why = refusal(error, say)
            stale = error if isinstance(error, StaleRevision) else None
            return await self._page(request, visit, sent, status=status, problem=why, open=name, stale=stale)
        raise self._shell.redirect(path_of(id), say(act.done))

    async def _page(
        self,
        request: web.Request,
        visit: Visit,
        sent: form.Form,
        *,
        status: int = 200,
        problem: str = "",
        open: str = "",
        stale: StaleRevision | None = None,
    ) -> web.Response:
        found = await self._desk.find(request.match_info["id"], visit)
        one = found.announcement
        words = self._desk.words(request)
        told = await self._desk.history(one.id)
        needed = self._desk.needed(one)
        context = {
            "words": words,
            "one": one,
            "status": found.status,
            "form": sent,
            "problem": problem,
            "open": open,
            "needed": needed,
            "offers": offers(*found, visit.by, needed),
            "history": told,
            "changed": history.changed,
            "since": differing(told, stale, found),
            "key": fresh_key(),
            "max_reason": MAX_REASON,
            "banner": previewing.of(one, words),
        }
        return self._shell.render(request, "announcement.html", context, status=status, policy=previewing.FRAMED)


def differing(told: history.History, stale: StaleRevision | None, found: Found) -> list[tuple[str, Any, Any]]:
    """What became otherwise since the revision that somebody has seen; nothing where that is not known."""
    if stale is None:
        return []
    seen = next((entry.after for entry in told.entries if entry.revision == stale.expected), None)
    return history.changed(seen, msgspec.to_builtins(found.announcement))
