"""What can go wrong in this room.

::

    PresenceError
    └── SecretReplaced     the store holds another signing secret than this worker runs with
"""

from __future__ import annotations


class PresenceError(Exception):
    """Root of this room's errors."""


class SecretReplaced(PresenceError):
    """The store lost its secret and another worker has made a new one; this worker must start anew.

    Two secrets would give one reader two names, and so count it twice.
    """

    def __str__(self) -> str:
        return "the signing secret in the store was replaced; the worker must be restarted to use it"
