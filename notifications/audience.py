"""Whom an announcement is for. For now: the readers of the sites it names.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from notifications.announcement import Announcement


def includes(announcement: Announcement, site: str) -> bool:
    """Whether a reader of `site` is to see it."""
    return site in announcement.sites


def on_site(announcements: Iterable[Announcement], site: str) -> list[Announcement]:
    """Those of `announcements` that a reader of `site` is to see, in the order they came."""
    return [announcement for announcement in announcements if includes(announcement, site)]
