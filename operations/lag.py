"""How late the event loop runs what is due: one shared timer, ten times a second."""

from __future__ import annotations

import asyncio

from operations.figures import LAG_EDGES, Histogram

PERIOD_SECONDS = 0.1


class LoopLag:
    """Measures the loop it was started on.

    Attributes:
        histogram: Every lateness so far.
    """

    def __init__(self) -> None:
        self.histogram = Histogram.over(LAG_EDGES)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins; call it on the loop to be measured."""
        loop = asyncio.get_running_loop()
        self._arm(loop)

    def stop(self) -> None:
        """Ends it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(PERIOD_SECONDS, self._look, loop, loop.time() + PERIOD_SECONDS)

    def _look(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self.histogram.observe(max(0.0, loop.time() - due))
        self._arm(loop)
