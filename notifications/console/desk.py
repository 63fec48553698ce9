"""What the pages about announcements work with, and what they all do alike."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from gateway.sites import Sites
from notifications import reading, validation, wire
from notifications.announcement import Announcement
from notifications.console.form import Form
from notifications.console.history import History
from notifications.console.sample_store import Samples
from notifications.console.shell import Shell
from notifications.console.visit import Visit
from notifications.console.wording import Wording
from notifications.editorial import Editorial
from notifications.errors import NoSuchAnnouncement
from notifications.log import Found
from notifications.people.rights import sites_with
from notifications.settings import NotificationsSettings

PATH = "/console/announcements"


@dataclass(frozen=True, slots=True)
class Desk:
    """One of each.

    Attributes:
        shell: The frame of the pages.
        editorial: Who acts.
        settings: Limits.
        samples: Texts to begin with.
        sites: The portals.
        history: What became of the announcement of an id.
        store_ms: The store's time, Unix time in milliseconds.
    """

    shell: Shell
    editorial: Editorial
    settings: NotificationsSettings
    samples: Samples
    sites: Sites
    history: Callable[[str], Awaitable[History]]
    store_ms: Callable[[], int]

    @property
    def bounds(self) -> validation.Bounds:
        """What the deployment allows now."""
        return validation.bounds(self.sites, self.settings, self.store_ms())

    def words(self, request: web.Request) -> Wording:
        """The words of a page."""
        return Wording(self.shell, request, self.sites)

    def writable(self, visit: Visit) -> list[str]:
        """The sites on which somebody may write."""
        return sites_with(visit.by.roles, "write", self.sites)

    async def find(self, id: str, visit: Visit) -> Found:
        """The announcement of an id, if somebody may see it.

        Raises:
            HTTPNotFound: There is none, for them.
            StoreAway, NotUnderstood: See there.
        """
        if reading.ID.fullmatch(id) is None:
            raise web.HTTPNotFound
        try:
            return await self.editorial.get(id, by=visit.by)
        except NoSuchAnnouncement:
            raise web.HTTPNotFound from None

    def needed(self, one: Announcement) -> int:
        """How many approvals an announcement takes."""
        return self.editorial.needed(one.sites, one.severity, test=one.test)


def path_of(id: str, *steps: str) -> str:
    """Where an announcement's page is, or one below it."""
    return "/".join((PATH, id, *steps))


def fresh_key() -> str:
    """An idempotency key for a form: sent twice, it acts once."""
    return secrets.token_hex(16)


def key_of(sent: Form) -> str:
    """The form's idempotency key; another one where it has none that can be."""
    key = sent.get("key")
    return key if wire.KEY.fullmatch(key) and len(key) <= 64 else fresh_key()


def revision_of(sent: Form) -> int | None:
    """The revision the form was made of."""
    text = sent.get("revision")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 16 else None
