"""One revision of an announcement, as it is handed to the store to be written.

Pure.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from notifications.actor import Actor
from notifications.announcement import EVERYBODY, Approval, Audience, Cap, Severity, Stored, Text
from notifications.audit import Act


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The members of an :class:`Announcement` that the time does not decide, in the order they are stored."""

    sites: tuple[str, ...]
    severity: Severity
    title: str
    body: str
    url: str
    reason: str
    language: str = ""
    texts: dict[str, Text] = {}
    audience: Audience = EVERYBODY
    test: bool = False
    expires_in: int = 0
    ends_ms: int = 0
    starts_ms: int = 0
    cap: Cap | None = None
    author: str = ""
    author_name: str = ""
    approvals: tuple[Approval, ...] = ()
    late_ms: int = 0


class Write(NamedTuple):
    """One revision to be written.

    Attributes:
        id: Of what is changed; empty for a new one.
        expected: The revision that is changed; 0 for a new one.
        status: Its status from now on.
        act: What is done.
        by: Who does it.
        content: What it is to consist of.
        expires_in_seconds: Of what is live: from when it is written; None to leave it, or where `ends_ms` says so.
        ends_ms: Of what is live: when it expires; None if `expires_in_seconds` says so.
        again: Whether it is shown again to those who dismissed it.
    """

    id: str
    expected: int
    status: Stored
    act: Act
    by: Actor
    content: Content
    expires_in_seconds: int | None = None
    ends_ms: int | None = None
    again: bool = False
