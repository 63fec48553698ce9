"""What a webhook is: whom to tell of what, and the secrets it is signed with; out to others, and in from a CMS.

The store holds the secrets as they are, since nothing can be signed with a hash of one; so whoever may read the store
may sign as we do. They are shown once, when they are made, and are in no list, log or audit trail.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from notifications.links import fault

Event: TypeAlias = Literal[
    "announcement.submitted",
    "announcement.live",
    "announcement.updated",
    "announcement.recalled",
    "announcement.expired",
]
EVENTS: tuple[Event, ...] = (
    "announcement.submitted",
    "announcement.live",
    "announcement.updated",
    "announcement.recalled",
    "announcement.expired",
)
# What `POST …/test` and `loa webhook test` send.
TEST_EVENT = "webhook.test"

Then: TypeAlias = Literal["draft", "waiting", "live"]
THENS: tuple[Then, ...] = ("draft", "waiting", "live")

MOST_WEBHOOKS = 50
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Secret(Struct, frozen=True, kw_only=True):
    """A secret as ``whsec_…``, and until when it is used, in ms of Unix time; 0: until it is rotated."""

    text: str
    until_ms: int = 0


class Webhook(Struct, frozen=True, kw_only=True):
    """Whom to tell.

    Attributes:
        id: What it is listed and removed by.
        url: Where events are posted to.
        sites: Whose announcements; empty: those of all sites.
        events: Which.
        tests: Whether also of announcements that are tests.
        secrets: The newest first; one besides it only while a rotation is under way.
        created_ms: When it was made, by the store's clock.
    """

    id: str
    url: str
    sites: tuple[str, ...]
    events: tuple[Event, ...]
    tests: bool = False
    secrets: tuple[Secret, ...]
    created_ms: int


class Hook(Struct, frozen=True, kw_only=True):
    """By which a CMS makes announcements.

    Attributes:
        name: Part of its address; who acts is called ``webhook:<name>``.
        sites: Of which sites; the first ones it names are to be among them, and all where it names none.
        then: What becomes of what is posted: a draft, one that waits for approval, or at once live.
        secrets: See :class:`Webhook`.
        created_ms: See :class:`Webhook`.
    """

    name: str
    sites: tuple[str, ...]
    then: Then
    secrets: tuple[Secret, ...]
    created_ms: int


def valid(secrets: Collection[Secret], now_ms: int) -> list[str]:
    """Those of `secrets` that are used at `now_ms`."""
    return [one.text for one in secrets if not one.until_ms or one.until_ms > now_ms]


def rotated(secrets: tuple[Secret, ...], new: str, now_ms: int, keep_ms: int) -> tuple[Secret, ...]:
    """`new`, and the one before it for `keep_ms` more; older ones are done with."""
    return (Secret(text=new), replace(secrets[0], until_ms=now_ms + keep_ms))


def wrong_url(url: str, *, private: bool) -> str:
    """What is wrong with an address that events are to be posted to; empty if nothing is.

    Which network it is in shows when it is connected to, see ``networks.py``; what is plain to see is refused at once.

    Args:
        url: The address.
        private: Whether http and one's own networks are allowed.
    """
    if why := fault(url):
        return why
    parts = urlsplit(url)
    if parts.scheme.lower() != "https" and not private:
        return "must begin with https://; http:// takes notifications.webhooks_private"
    if parts.hostname in _LOOPBACK and not private:
        return "is on this machine, which takes notifications.webhooks_private"
    return ""


def without_path(url: str) -> str:
    """`url` as it may be written down: paths and queries of such addresses often are secrets themselves."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"
