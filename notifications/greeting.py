"""What a browser that connects is told about announcements, from bytes that were encoded once.

A portal's readers connect all day, mostly with nothing new to hear: encoding happens when something changed, not for
each of them. What is kept is bounded by the sites and by ``view.CATCH_UP``, whatever browsers send.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from notifications.announcement import Announcement, for_browsers
from notifications.audience import on_site
from notifications.view import View

# Before the first snapshot nothing is known; not even that nothing is active.
_NOTHING = b'"announcements":[],"full":false,"cursor":""'

_ENCODER = msgspec.json.Encoder()


class _Members(msgspec.Struct):
    """What a site's browsers are greeted with, of which live announcements that tells, and how many were."""

    text: bytes
    told: tuple[tuple[str, int], ...]
    times: int = 0


class Greetings:
    """The members ``announcements``, ``full`` and ``cursor`` of a welcome, for each site and cursor.

    Those who have asked for tests are told them, too, so there is a second of each.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._greeted: Counter[tuple[str, int]] = Counter()
        self._full: dict[tuple[str, bool], _Members] = {}
        self._active: dict[tuple[str, bool], _Members] = {}
        self._changed: dict[tuple[str, bool, int], _Members] = {}

    def forget(self) -> None:
        """The view has changed."""
        self._gather()
        self._full.clear()
        self._active.clear()
        self._changed.clear()

    def members(self, site: str, since: str, fresh: bool, tests: bool = False) -> bytes:
        """JSON members without braces.

        Args:
            site: Where the reader is; a site that exists.
            since: The cursor the browser sent, unverified.
            fresh: Whether the view is known to be that of the store. If it is not, a cursor from ahead of us may well
                be genuine, and nothing that another worker has told the browser must be taken away from it.
            tests: Whether the browser has asked for tests.
        """
        view = self._view
        if view.position is None:
            return _NOTHING
        version = view.version_at(since) if since else None
        if version is not None:
            members = self._changed.get((site, tests, version))
            if members is None:
                changes = on_site(view.changed_after(version), site, tests=tests)
                members = self._changed[site, tests, version] = self._encode(changes, full=False)
            members.times += 1
            return members.text
        kept = self._full if fresh or not since else self._active
        members = kept.get((site, tests))
        if members is None:
            everything = on_site(view.active.values(), site, tests=tests)
            members = kept[site, tests] = self._encode(everything, full=kept is self._full)
        members.times += 1
        return members.text

    def take_greeted(self) -> dict[tuple[str, int], int]:
        """How many were greeted with which announcement, by id and revision, since this was last asked."""
        self._gather()
        greeted, self._greeted = self._greeted, Counter()
        return greeted

    def _gather(self) -> None:
        # Counted by what is kept, not by announcement: a handshake has no time for a loop.
        for kept in (self._full, self._active, self._changed):
            for members in kept.values():
                for one in members.told if members.times else ():
                    self._greeted[one] += members.times
                members.times = 0

    def _encode(self, announcements: Iterable[Announcement], *, full: bool) -> _Members:
        announcements = [*announcements]
        position = self._view.position
        told = {
            "announcements": [for_browsers(announcement) for announcement in announcements],
            "full": full,
            "cursor": position.cursor if position is not None else "",
        }
        live = tuple((one.id, one.revision) for one in announcements if one.status == "live")
        return _Members(_ENCODER.encode(told)[1:-1], live)


def frame(announcement: Announcement, cursor: str) -> bytes:
    """The frame ``announcement``, JSON text."""
    return _ENCODER.encode({"type": "announcement", **for_browsers(announcement), "cursor": cursor})
