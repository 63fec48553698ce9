"""Sends what is scheduled, to the second, whichever workers live or die.

Every worker looks once a second which is the next, waits for its time by the store's clock, and sends it; the first
writes, the others find it done: a revision is written once. So nobody has to be elected, and nobody's death delays
anything. What became due while no worker or no store was there goes out as soon as both are, and says how late
(``late_ms``); if its end has passed meanwhile it is missed, and says so.

Cost: one command a second and worker, however many are scheduled.
"""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from gateway.tasks import told_to_stop
from notifications import acts
from notifications.actor import SCHEDULE
from notifications.announcement import Announcement
from notifications.errors import (
    ActionRefused,
    EndPassed,
    NotificationsError,
    NotUnderstood,
    OutcomeUnknown,
    SendRefused,
    TooManyActive,
)
from notifications.lifecycle import State
from notifications.log import Log, Request
from notifications.revision import Write
from store.errors import reason

if TYPE_CHECKING:
    from gateway.tasks import Caretaker

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 1.0
_PAUSE_SECONDS = 2.0


class Schedule:
    """The schedule of `log`, as this worker keeps it."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._given_up: set[str] = set()

    def start(self, caretaker: Caretaker) -> None:
        """Begins to look."""
        caretaker.start("schedule", self.run)

    async def run(self) -> None:
        """Looks until it is cancelled."""
        while not told_to_stop():
            try:
                await asyncio.sleep(await self.turn())
            except (RedisError, OSError, SendRefused, OutcomeUnknown) as error:
                log.warning("schedule cannot be kept now", why=reason(error))
                await asyncio.sleep(random.uniform(_PAUSE_SECONDS / 2, _PAUSE_SECONDS))  # noqa: S311  spreads load

    async def turn(self) -> float:
        """Sends what is due; returns in how many seconds to look again."""
        # Those that stay where they are for good: however many they are, what is behind them has its turn.
        passed: set[str] = set()
        while True:
            before = len(passed)
            now_ms, rows = await self._log.due(before)
            for id, starts_ms in rows:
                if starts_ms > now_ms:
                    return min(_LOOK_SECONDS, (starts_ms - now_ms) / 1000)
                await self._begin(id, starts_ms)
                if id in self._given_up:
                    passed.add(id)
            if len(passed) == before:
                return _LOOK_SECONDS

    async def _begin(self, id: str, starts_ms: int) -> None:
        if id in self._given_up:
            return
        # The same for all workers: whoever is first carries it out, the others are given the first answer.
        request = Request("start", id, str(starts_ms).encode())
        key = f"{id}/{starts_ms}"
        try:
            begun = await self._log.act(request, partial(_started, starts_ms), by=SCHEDULE, key=key)
        except EndPassed:
            begun = await self._log.act(
                request._replace(act="miss"), partial(_missed, starts_ms), by=SCHEDULE, key=f"{key}/missed"
            )
        except ActionRefused:
            # Somebody was quicker: sent it, took it off the schedule, or gave it up.
            return
        except (SendRefused, OutcomeUnknown) as error:
            if not isinstance(error.__cause__, NotUnderstood):
                raise
            # Not by this release, whatever the store does meanwhile.
            self._given_up.add(id)
            log.error("scheduled announcement cannot be sent", id=id, why=reason(error))
            return
        except TooManyActive as error:
            # Until one expires or is taken back.
            log.warning("scheduled announcement has to wait", id=id, why=reason(error))
            return
        except NotificationsError as error:
            # Nothing that waiting would mend, and no reason to keep the others waiting.
            self._given_up.add(id)
            log.error("scheduled announcement cannot be sent", id=id, why=reason(error))
            return
        if not begun.replayed:
            one = begun.announcement
            log.info("scheduled announcement", id=id, status=one.status, late_seconds=round(one.late_ms / 1000, 3))


def _started(starts_ms: int, one: Announcement, state: State, now_ms: int) -> Write:
    return acts.moved(one, _still(starts_ms, one, state), "start", SCHEDULE)


def _missed(starts_ms: int, one: Announcement, state: State, now_ms: int) -> Write:
    reason = "its end had passed before it could be sent"
    return acts.moved(one, _still(starts_ms, one, state), "miss", SCHEDULE, reason=reason)


def _still(starts_ms: int, one: Announcement, state: State) -> State:
    """The state, if it is still to go live when it was found to be."""
    if state == "scheduled" and one.starts_ms != starts_ms:
        raise ActionRefused(state, "start")
    return state
