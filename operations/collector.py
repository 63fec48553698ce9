"""What the garbage collector has to look at, and how long it holds the event loop, on whose thread it runs."""

from __future__ import annotations

import gc
import time
from typing import Any

from operations.figures import Histogram

# Upper edges in seconds.
PAUSE_EDGES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


def set_aside_what_stays() -> None:
    """Spares the collector what will stay anyway, once all is imported and stands: modules, classes, settings.

    A full collection would look at some 100,000 objects in vain each time, and hold the loop for 50 ms meanwhile.
    """
    gc.collect()
    gc.freeze()


def collect_seldom() -> None:
    """Has the collector run seldom, as a worker may.

    Connections are freed by reference counting; in a storm of handshakes the collector would only look at them in vain.
    """
    gc.set_threshold(100_000, 50, 100)


class CollectorPauses:
    """Measures every collection of this process from `start` to `stop`.

    Attributes:
        histogram: Every pause so far.
    """

    def __init__(self) -> None:
        self.histogram = Histogram.over(PAUSE_EDGES)
        self._began_at = 0.0

    def start(self) -> None:
        """Begins."""
        gc.callbacks.append(self._called)

    def stop(self) -> None:
        """Ends it."""
        if self._called in gc.callbacks:
            gc.callbacks.remove(self._called)

    def _called(self, phase: str, _info: dict[str, Any]) -> None:
        if phase == "start":
            self._began_at = time.perf_counter()
        elif self._began_at:
            self.histogram.observe(time.perf_counter() - self._began_at)
            self._began_at = 0.0
