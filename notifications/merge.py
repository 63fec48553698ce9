"""How two reports of an announcement become one: the higher revision wins, at the same revision ``recalled`` does.

The browser follows the same rule (``notifications/browser/``). Merging is idempotent, commutative and associative, so
a frame that comes twice, late or out of order cannot change what a reader ends up seeing.

Two reports of one revision and status are equal in all that is shown: a revision is written once.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from notifications.announcement import Announcement


def rank(announcement: Announcement) -> tuple[int, bool]:
    """What decides between two reports of one announcement; the greater wins."""
    return announcement.revision, announcement.status == "recalled"


def winner(one: Announcement, other: Announcement) -> Announcement:
    """Which of two reports of the same announcement stands; `one` if they say the same."""
    return other if rank(other) > rank(one) else one


def merge(known: Mapping[str, Announcement], heard: Iterable[Announcement]) -> dict[str, Announcement]:
    """What is known after `heard`, by id; `known` is left as it is."""
    merged = dict(known)
    for announcement in heard:
        current = merged.get(announcement.id)
        merged[announcement.id] = announcement if current is None else winner(current, announcement)
    return merged
