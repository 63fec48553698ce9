"""The names of the webhooks' keys; they share the hash tag of the announcements, whose audit trail they follow.

all       hash    id -> the webhook with its secrets, JSON
hooks     hash    name -> the hook of a CMS with its secrets, JSON
cursor    hash    id -> how far into the audit trail the webhook has got
disabled  hash    id -> why nothing is sent to it any more
waiting   hash    one for each webhook: happening -> what waits to be delivered, JSON
expiring  zset    one for each webhook: id of an announcement -> when it expires (ms); of those it follows
dead      stream  what could not be delivered: webhook, happening, waiting (JSON); bounded
lease     string  the term of the worker that delivers; expires
changes   string  counts what others than that worker have changed
"""

from __future__ import annotations

from notifications.keys import Keys


class WebhookKeys:
    """The keys below `prefix`."""

    def __init__(self, prefix: str) -> None:
        announcements = Keys(prefix)
        self.audit = announcements.audit
        self.audit_head = announcements.audit_head
        self.state = announcements.state
        self._room = f"{prefix}:{{announcements}}:webhooks"
        self.all = f"{self._room}:all"
        self.hooks = f"{self._room}:hooks"
        self.cursor = f"{self._room}:cursor"
        self.disabled = f"{self._room}:disabled"
        self.dead = f"{self._room}:dead"
        self.lease = f"{self._room}:lease"
        self.changes = f"{self._room}:changes"

    def waiting(self, id: str) -> str:
        """What waits to be delivered to webhook `id`."""
        return f"{self._room}:waiting:{id}"

    def expiring(self, id: str) -> str:
        """What webhook `id` follows that has not expired yet."""
        return f"{self._room}:expiring:{id}"
