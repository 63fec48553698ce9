"""What happened, as the harness did it and saw it: the ground that numbers are compared with.

Every act has two instants, before it and after it, since nobody can say when between them the service heard of it.
All in seconds of one steady clock. Values only; pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import NamedTuple

from tests.truth.spans import Span


class How(Enum):
    """How a connection ended."""

    OPEN = "open"
    CLOSED = "closed"  # with a close frame, or reset: the worker is told by the kernel
    VANISHED = "vanished"  # without a word: nothing is read, nothing is answered
    KILLED = "killed"  # together with its worker
    LOST = "lost"  # by the worker, unasked
    MOVED = "moved"  # it did not: over the same connection, the reader went on to another page or state


class Place(NamedTuple):
    """A page and the section it is in."""

    path: str
    section: str


class Stay(NamedTuple):
    """At a place since `at`, until the next."""

    at: Span
    place: Place


class Turn(NamedTuple):
    """The reader does this with the tab since `at`: 0 reads it, 1 is idle, 2 has turned away."""

    at: Span
    attention: int


NEVER = Span(inf, inf)


@dataclass(slots=True)
class Visit:
    """One connection of one tab of one reader to one worker.

    Attributes:
        reader: Who.
        worker: Where.
        opened: From before the attempt to after the welcome; `done` is infinite if there was none.
        stays: Where it was; the first since it opened.
        turns: What the reader did with it; the first since it opened.
        ended: When; infinite while it is open.
        how: How.
    """

    reader: int
    worker: int
    opened: Span
    stays: list[Stay]
    turns: list[Turn]
    ended: Span = NEVER
    how: How = How.OPEN


class Fault(NamedTuple):
    """Something was broken.

    Attributes:
        kind: ``kill``, ``freeze``, ``stop``, ``empty``, ``hang`` or ``clock``.
        worker: Of which worker; -1: of the store.
        span: From when until it was whole again.
    """

    kind: str
    worker: int
    span: Span


STORE, HARNESS = -1, -2


@dataclass(slots=True)
class History:
    """All that happened in one run.

    Attributes:
        visits, faults: In the order in which they began.
        stalls: When somebody could not run though nobody had stopped it: by worker, under `STORE` for the store, under
            `HARNESS` for the harness itself.
        began, ended: The run.
    """

    visits: list[Visit] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    stalls: dict[int, list[Span]] = field(default_factory=dict)
    began: float = 0.0
    ended: float = inf
