"""One timer for all connections: a wheel of slots that one callback of the event loop turns.

An item is put into the slot in which it is due; a turn costs what is due, not what is held. It is called late by at
most a slot's width, never early, however far ahead it was put. The wheel knows no clock of its own, so it can be
tested with plain numbers; :meth:`Wheel.run` is the shell that turns it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from math import ceil
from typing import Protocol

# Of one turn, so that a crowd that arrived together does not hold the loop when it is due together.
SLICE = 200


class Timed(Protocol):
    """What a wheel can hold."""

    slot: int

    def due(self, now: float) -> float:
        """Acts; returns the seconds until it wants to be called again, 0 for never."""

    def abort(self) -> None:
        """Ends what it stands for."""


class Wheel:
    """Calls ``item.due(now)`` when its time has come.

    Slots are numbered from the clock's zero; number n stands for the time ``n * width`` and shares its place with
    every number that leaves the same remainder, so an item further ahead than one round waits for a later one.

    Args:
        width: Seconds a slot spans.
        slots: How many there are.
        failed: Told of an item that failed when it was called; it is aborted, and all others go on.
    """

    def __init__(
        self, width: float = 0.25, slots: int = 512, *, failed: Callable[[Timed, Exception], None] | None = None
    ) -> None:
        self.width = width
        self._failed = failed
        self._slots: list[set[Timed]] = [set() for _ in range(slots)]
        self._reached = 0
        # Taken out of their slots and not called yet. A turn that comes late, after the process was stopped for a
        # minute, first reaches the present and then calls: what these put back counts from now.
        self._ripe: set[Timed] = set()

    def __len__(self) -> int:
        return len(self._ripe) + sum(map(len, self._slots))

    def put(self, item: Timed, now: float, seconds: float) -> None:
        """Makes `item` due `seconds` after `now`; it must not be in the wheel."""
        item.slot = max(ceil((now + seconds) / self.width), self._reached + 1)
        self._slots[item.slot % len(self._slots)].add(item)

    def discard(self, item: Timed) -> None:
        """Forgets `item`; nothing happens if it is not held."""
        self._slots[item.slot % len(self._slots)].discard(item)
        self._ripe.discard(item)

    def turn(self, now: float, most: int | None = None) -> bool:
        """Calls what is due by `now`, at most `most` items.

        Returns:
            Whether anything due is left for another call.
        """
        self._reach(int(now / self.width))
        ripe = self._ripe
        for _ in range(len(ripe) if most is None else most):
            if not ripe:
                return False
            item = ripe.pop()
            try:
                again = item.due(now)
            except Exception as error:
                if self._failed is None:
                    raise
                # One connection in the wrong state must not end the timer of all.
                self._failed(item, error)
                item.abort()
                continue
            if again:
                self.put(item, now, again)
        return bool(ripe)

    def _reach(self, number: int) -> None:
        """Takes out what is due by slot `number`."""
        if number <= self._reached:
            return
        first = max(self._reached + 1, number - len(self._slots) + 1)
        for passed in range(first, number + 1):
            if slot := self._slots[passed % len(self._slots)]:
                due = {item for item in slot if item.slot <= number}
                slot -= due
                self._ripe |= due
        self._reached = number

    async def run(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Turns the wheel, as each slot begins, until cancelled."""
        while True:
            while self.turn(clock(), SLICE):
                await asyncio.sleep(0)
            await asyncio.sleep(self.width - clock() % self.width)
