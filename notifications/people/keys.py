"""The names of the keys of people and what they are signed in with.

All carry the hash tag ``{people}``: what a request comes with is looked up, session and user, by one script, and a
script may touch several keys only if a cluster keeps them on one node.
"""

from __future__ import annotations

import hashlib


class PeopleKeys:
    """The keys below `prefix`.

    Attributes:
        users: hash, name → the user, JSON.
        passwords: hash, name → Argon2id's text. Apart, so that nothing that lists users holds it.
    """

    def __init__(self, prefix: str) -> None:
        self._room = f"{prefix}:{{people}}"
        self.users = f"{self._room}:users"
        self.passwords = f"{self._room}:passwords"

    def session(self, digest: str) -> str:
        """Where a session is, until it expires by itself: a hash, see ``lua/session.lua``."""
        return f"{self._room}:session:{digest}"

    def sessions(self, name: str) -> str:
        """Which sessions a user has: sorted set, digest → when it ends at the latest (ms)."""
        return f"{self._room}:sessions:{name}"

    def devices(self, name: str) -> str:
        """Browsers a user has signed in with: sorted set, digest → when last (ms)."""
        return f"{self._room}:devices:{_hashed(name)}"

    def tries(self, what: str, *whose: str) -> str:
        """How often a sign-in failed of late: a hash, see ``lua/attempt.lua``."""
        # Hashed: names and addresses are a stranger's text, and an address need not be readable to be counted.
        return f"{self._room}:tries:{what}:{_hashed('|'.join(whose))}"


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:40]
