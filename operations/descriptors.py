"""How many descriptors this process has open, and how many it may have."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path

_PLACE = Path("/proc/self/fd")
# Older kernels have to list them, which takes milliseconds where there are tens of thousands.
_KEPT_SECONDS = 10.0


class Descriptors:
    """Counts them, without listing them where the kernel says how many there are (Linux 6.2 and later).

    Args:
        place: The directory that has an entry for each.
        clock: Seconds, monotonic.
    """

    def __init__(self, place: Path = _PLACE, clock: Callable[[], float] = time.monotonic) -> None:
        self._place = place
        self._clock = clock
        self._listed = 0
        self._again_at = 0.0

    def open(self) -> int:
        """How many are open; 0 where the system does not say. Where they must be listed, as of ten seconds ago."""
        try:
            if said := self._said():
                return said
            if self._clock() >= self._again_at:
                # Less the one that reads the directory.
                self._listed = max(0, sum(1 for _ in self._place.iterdir()) - 1)
                self._again_at = self._clock() + _KEPT_SECONDS
        except OSError:
            return 0
        return self._listed

    def _said(self) -> int:
        return self._place.stat().st_size


def allowed() -> int:
    """How many this process may have open; 0 for no limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0 if soft == resource.RLIM_INFINITY else soft
