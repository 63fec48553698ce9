"""What a browser that connects is told about announcements, from bytes that were encoded once.

A portal's readers connect all day, mostly with nothing new to hear: encoding happens when something changed, not for
each of them. What is kept is bounded by the sites and by ``view.CATCH_UP``, whatever browsers send.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from notifications.announcement import Announcement, for_browsers
from notifications.audience import on_site
from notifications.view import View

# Before the first snapshot nothing is known; not even that nothing is active.
_NOTHING = b'"announcements":[],"full":false,"cursor":""'

_ENCODER = msgspec.json.Encoder()


class Greetings:
    """The members ``announcements``, ``full`` and ``cursor`` of a welcome, for each site and cursor."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._full: dict[str, bytes] = {}
        self._active: dict[str, bytes] = {}
        self._changed: dict[tuple[str, int], bytes] = {}

    def forget(self) -> None:
        """The view has changed."""
        self._full.clear()
        self._active.clear()
        self._changed.clear()

    def members(self, site: str, since: str, fresh: bool) -> bytes:
        """JSON members without braces.

        Args:
            site: Where the reader is; a site that exists.
            since: The cursor the browser sent, unverified.
            fresh: Whether the view is known to be that of the store. If it is not, a cursor from ahead of us may well
                be genuine, and nothing that another worker has told the browser must be taken away from it.
        """
        view = self._view
        if view.position is None:
            return _NOTHING
        version = view.version_at(since) if since else None
        if version is not None:
            members = self._changed.get((site, version))
            if members is None:
                changes = on_site(view.changed_after(version), site)
                members = self._changed[site, version] = self._encode(changes, full=False)
            return members
        kept = self._full if fresh or not since else self._active
        members = kept.get(site)
        if members is None:
            everything = on_site(view.active.values(), site)
            members = kept[site] = self._encode(everything, full=kept is self._full)
        return members

    def _encode(self, announcements: Iterable[Announcement], *, full: bool) -> bytes:
        position = self._view.position
        told = {
            "announcements": [for_browsers(announcement) for announcement in announcements],
            "full": full,
            "cursor": position.cursor if position is not None else "",
        }
        return _ENCODER.encode(told)[1:-1]


def frame(announcement: Announcement, cursor: str) -> bytes:
    """The frame ``announcement``, JSON text."""
    return _ENCODER.encode({"type": "announcement", **for_browsers(announcement), "cursor": cursor})
