"""Every background task has an owner: the caretaker starts it, stops it, and knows when it died.

A task that ends, by itself or by an exception, is a failure: it was meant to run as long as the worker. Nothing is
restarted here; readiness turns the failure into a restart of the worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import structlog

log = structlog.get_logger(__name__)

# How long a cancelled task may take to end before it is told again.
_PATIENCE_SECONDS = 0.5


class TaskEnded(Exception):
    """A task that was to run for ever returned."""


def told_to_stop() -> bool:
    """Whether the running task was cancelled, also where the cancellation got lost on its way.

    Python 3.11's ``asyncio.wait_for``, with which redis-py writes, loses one that comes with its result (CPython
    #86296).
    A loop around Redis asks after each round, so that it ends at once and not when the caretaker cancels again.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Caretaker:
    """Owns the background tasks of one worker."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, BaseException] = {}
        self._stopping = False

    @property
    def failures(self) -> Mapping[str, BaseException]:
        """Which tasks have died, and of what."""
        return self._failures

    def start(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Starts `work` as a task called `name`; a name is used once."""
        if name in self._tasks:
            raise ValueError(f"a task called {name!r} runs already")
        task = asyncio.get_running_loop().create_task(work(), name=name)
        self._tasks[name] = task
        task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Cancels all tasks, the last started first, and waits for each."""
        self._stopping = True
        while self._tasks:
            _, task = self._tasks.popitem()
            # More than once: a task in `asyncio.wait_for` can lose a cancellation on Python 3.11 (CPython #86296).
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=_PATIENCE_SECONDS)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._stopping or task.cancelled():
            return
        name = task.get_name()
        failure = task.exception() or TaskEnded(name)
        self._failures[name] = failure
        log.error("task died", task=name, exc_info=failure)
