"""How wrong the number may be, and for how long: the bound in force, as the API states it.

While a number is not marked stale, every change that happened longer ago than ``freshness_seconds`` is in it.
The terms:

- *patience*: a count older than this is marked stale, so a write or a count may be late by this much and no more;
- *detection*: how long the gateway takes to notice that a browser vanished without closing (a lost network);
- *grace* and *lease*: see :mod:`presence.settings`, stretched as :mod:`presence.terms` says;
- *push*: the interval at which sessions are told.
"""

from __future__ import annotations

from math import ceil

import msgspec
from msgspec import Struct

from presence.settings import SPARE, PresenceSettings
from presence.terms import Terms

# A count may fail to come so many times before it is called stale: a single slow answer is no outage.
COUNTS_MISSED = 3


class Bounds(Struct, frozen=True):
    """Longest time, in seconds, until the number readers see has taken in that a reader …

    Attributes:
        join_seconds: came.
        leave_seconds: closed the last page.
        vanish_seconds: lost the network without a word.
        lost_worker_seconds: went away with a worker that was killed.
        move_seconds: went from one page to another: until it is not counted on the old one any more.
        turn_seconds: turned away from the last page that was read: until it is not counted as reading any more.
    """

    join_seconds: float
    leave_seconds: float
    vanish_seconds: float
    lost_worker_seconds: float
    move_seconds: float
    turn_seconds: float

    @property
    def freshness_seconds(self) -> float:
        """The worst of them."""
        return float(max(msgspec.structs.astuple(self)))


def patience(settings: PresenceSettings) -> float:
    """After how many seconds without a count the number is marked stale."""
    return COUNTS_MISSED * settings.count_seconds


def bounds(settings: PresenceSettings, terms: Terms, detection_seconds: float, push_seconds: float) -> Bounds:
    """The bounds in force.

    Args:
        settings: The room's settings.
        terms: As stretched for the site now.
        detection_seconds: Until the gateway notices a vanished browser: a ping interval and the time for the answer.
        push_seconds: The push interval now.
    """
    tick = settings.batch_ms / 1000
    late = patience(settings)
    told = push_seconds + tick
    leave = tick + late + terms.grace_seconds + late + told
    return Bounds(
        join_seconds=_rounded(tick + late + told),
        leave_seconds=_rounded(leave),
        vanish_seconds=_rounded(detection_seconds + leave),
        lost_worker_seconds=_rounded(terms.lease_seconds + late + told),
        # Scopes are told once a round.
        move_seconds=_rounded(leave + settings.count_seconds),
        # Noticed by the first renewal after a grace, which may be as long after it as renewals are apart.
        turn_seconds=_rounded(leave + SPARE * terms.renew_seconds + settings.count_seconds),
    )


def _rounded(seconds: float) -> float:
    # Up to a tenth: a bound may be too long, never too short. The inner rounding takes off what floats add.
    return ceil(round(10 * seconds, 6)) / 10
