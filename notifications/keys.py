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
        self._once = f"{room}:once"

    def once(self, by: str, key: str) -> str:
        """Where the request with idempotency key `key`, of the token `by`, is remembered."""
        # Hashed: a client's text of any length must not become part of a key's name.
        return f"{self._once}:{hashlib.sha256(f'{by}|{key}'.encode()).hexdigest()[:40]}"


class TokenKeys:
    """The keys of the API tokens, below `prefix`.

    Attributes:
        tokens: hash, id → the token without its secret, JSON.
        first: string, set once: when the token of the very first start was made (Unix time).
    """

    def __init__(self, prefix: str) -> None:
        room = f"{prefix}:{{tokens}}"
        self.tokens = f"{room}:all"
        self.first = f"{room}:first"
        self._local = f"{room}:local"

    def local(self, id: str) -> str:
        """Where a token made for one command line on this machine is, until it expires by itself."""
        return f"{self._local}:{id}"
