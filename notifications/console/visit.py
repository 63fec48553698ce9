"""A visit to the console: who looks at a page, and in which language."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Literal, TypeAlias

import msgspec

from notifications.actor import Actor, Principal
from notifications.people.rights import Right, may, role_on
from notifications.people.sessions import Session
from notifications.people.user import User

NoticeKind: TypeAlias = Literal["done", "wrong"]

MAX_NOTICE = 500


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody signed in who asks for a page.

    Attributes:
        user: Who.
        session: By which session.
        by: They as whoever asks, for :class:`notifications.editorial.Editorial` and the like.
    """

    user: User
    session: Session
    by: Principal

    def may(self, right: Right, *sites: str) -> bool:
        """Whether they have a right on all of `sites`; on none, whether they have it anywhere."""
        return may(self.user.roles, right, sites)

    @property
    def actor(self) -> Actor:
        """They as the audit trail writes them where they act on no site."""
        return self.by.acting_as(role_on(self.user.roles, "*") or "")

    @property
    def fingerprint(self) -> str:
        """Another one as soon as their rights are others: an open page asks whether it still is the same."""
        told = msgspec.json.encode([self.user.roles, self.user.full_name, self.user.generation], order="sorted")
        return hashlib.sha256(told).hexdigest()[:16]


class Notice(msgspec.Struct, frozen=True):
    """What a page says once of what was just done."""

    kind: NoticeKind
    text: str


def packed(notice: Notice) -> str:
    """A notice as a cookie carries it to the next page."""
    short = Notice(notice.kind, notice.text[:MAX_NOTICE])
    return base64.urlsafe_b64encode(msgspec.json.encode(short)).decode()


def unpacked(cookie: str) -> Notice | None:
    """The opposite of `packed`; None for what is none."""
    try:
        notice = msgspec.json.decode(base64.urlsafe_b64decode(cookie), type=Notice)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    return Notice(notice.kind, notice.text[:MAX_NOTICE])


def inner(path: str) -> str:
    """`path` if it leads to a page of the console, else the console's beginning: a link must not lead elsewhere."""
    plain = path.isascii() and path.isprintable() and "\\" not in path and "//" not in path and "/../" not in path
    return path if plain and path.startswith("/console/") and len(path) <= 500 else "/console/"
