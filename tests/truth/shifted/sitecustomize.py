"""Puts the clock of a process wrong, by as much as a file says: Python imports this at start where its folder is on
``PYTHONPATH``.

Workers are ordinary processes here, started as always; only what they hear when they ask what time it is
differs. The file (its path is in ``TRUTH_CLOCK``) holds one double, the seconds that the clock is ahead, and can be
changed while they run: the clock then jumps. Steady clocks stay as they are, as they would on a real machine.
"""

import datetime as _datetime
import mmap
import os
import struct
import time


def _shift(path: str) -> None:
    with open(path, "rb") as file:  # noqa: PTH123  as little as possible is imported here
        ahead = mmap.mmap(file.fileno(), 8, prot=mmap.PROT_READ)

    def seconds() -> float:
        (read,) = struct.unpack_from("<d", ahead)
        return float(read)

    true, true_ns, true_clock = time.time, time.time_ns, time.clock_gettime

    def shifted() -> float:
        return true() + seconds()

    def shifted_ns() -> int:
        return true_ns() + int(1e9 * seconds())

    def shifted_clock(clock: int) -> float:
        return shifted() if clock == time.CLOCK_REALTIME else true_clock(clock)

    class Shifted(_datetime.datetime):
        @classmethod
        def now(cls, tz=None):  # type: ignore[no-untyped-def]
            return cls.fromtimestamp(shifted(), tz)

        @classmethod
        def utcnow(cls):  # type: ignore[no-untyped-def]
            return cls.fromtimestamp(shifted(), _datetime.UTC).replace(tzinfo=None)

    time.time, time.time_ns, time.clock_gettime = shifted, shifted_ns, shifted_clock
    _datetime.datetime = Shifted  # type: ignore[misc]


if "TRUTH_CLOCK" in os.environ:
    _shift(os.environ["TRUTH_CLOCK"])
