"""What is wrong with a CAP message: each fault with its line and its element.

::

    NotificationsError
    ├── NotCap                  a file is no CAP 1.2 message that can be taken; all that is wrong with it
    ├── IdentityReused          the message says something else than the one of the same identity
    └── TakenElsewhere          somebody else is sending the same message at this moment

What the acts behind them refuse keeps its own name from ``notifications/errors.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from notifications.errors import NotificationsError

# More do not help anybody to mend a file.
MOST_FAULTS = 20


class Fault(NamedTuple):
    """One thing that is wrong: the line it stands in, from 1, the element, and what is wrong.

    Attributes:
        line: Where it is; 0 if there is no text to count lines of.
        element: The element's path, ``alert/info[2]/urgency``; empty for what concerns the file.
        what: What is wrong, a sentence without its end.
    """

    line: int
    element: str
    what: str

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else "the file"
        return f"{where}: {self.what}"


class NotCap(NotificationsError):
    """The file cannot be taken; `faults` says why, in the order of the lines."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line))[:MOST_FAULTS]
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "; ".join(map(str, self.faults))


class IdentityReused(NotificationsError):
    """Sender, identifier and time name one message among all; this is another."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        super().__init__(identity)

    def __str__(self) -> str:
        return f"{self.identity} was another message; what says something else takes another identifier or time"


class TakenElsewhere(NotificationsError):
    """Another token has sent the same message, and its answer is still out."""

    def __str__(self) -> str:
        return "another token is sending the same message at this moment; ask again for what came of it"
