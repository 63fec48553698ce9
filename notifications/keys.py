"""The names of this room's keys. ``lua/commit.lua`` says what is in each.

All of the log's keys carry the hash tag ``{announcements}``: a script may touch several keys only if a cluster keeps
them on one node.
"""

from __future__ import annotations

import hashlib


class Keys:
    """The keys of the announcements' log, below `prefix`."""

    def __init__(self, prefix: str) -> None:
        room = f"{prefix}:{{announcements}}"
        self.head = f"{room}:head"
        self.state = f"{room}:state"
        self.log = f"{room}:log"
        self.active = f"{room}:active"
        self.ids = f"{room}:ids"
        self.due = f"{room}:due"
        self.audit = f"{room}:audit"
        self.audit_head = f"{room}:audit_head"
        self._once = f"{room}:once"
        self._cap = f"{room}:cap"
        self._reach = f"{room}:reach"
        self._canary = f"{room}:canary"

    def once(self, by: str, key: str) -> str:
        """Where the request with idempotency key `key`, of the token `by`, is remembered."""
        # Hashed: a client's text of any length must not become part of a key's name.
        return f"{self._once}:{hashlib.sha256(f'{by}|{key}'.encode()).hexdigest()[:40]}"

    def cap(self, site: str, identity: str) -> str:
        """What became of the CAP message that `identity` names, on `site`: hash, see ``notifications/cap/index.py``."""
        return f"{self._cap}:{hashlib.sha256(f'{site}|{identity}'.encode()).hexdigest()[:40]}"

    def canary(self, run: str) -> str:
        """The stream of the canaries of one run of a worker, see ``notifications/canary.py``."""
        return f"{self._canary}:{run}"

    def reach(self, id: str) -> list[str]:
        """Where the reach of an announcement is: the sums, and who saw, clicked and dismissed it."""
        head = f"{self._reach}:{id}"
        return [head, f"{head}:rendered", f"{head}:clicked", f"{head}:dismissed"]


class TokenKeys:
    """The keys of the API tokens, below `prefix`.

    Attributes:
        tokens: hash, id → the token without its secret, JSON.
        used: hash, id → when it was last used (ms), see ``lua/used.lua``.
        first: string, set once: when the token of the very first start was made (Unix time).
    """

    def __init__(self, prefix: str) -> None:
        room = f"{prefix}:{{tokens}}"
        self.tokens = f"{room}:all"
        self.used = f"{room}:used"
        self.first = f"{room}:first"
        self._local = f"{room}:local"

    def local(self, id: str) -> str:
        """Where a token made for one command line on this machine is, until it expires by itself."""
        return f"{self._local}:{id}"


class SampleKeys:
    """The key of the texts that editors begin with, below `prefix`.

    Attributes:
        samples: hash, id → a text with its name, JSON.
    """

    def __init__(self, prefix: str) -> None:
        self.samples = f"{prefix}:{{samples}}:all"
