"""Names of the keys of this room's history: all of one site under one hash tag, so that a script may take several.

Pure. What each holds, and for how long, stands in ``docs/history.md``.
"""

from __future__ import annotations


class Keys:
    """The keys of one site.

    Args:
        prefix: First part of every key.
        site: Id of the site.
    """

    __slots__ = ("_head",)

    def __init__(self, prefix: str, site: str) -> None:
        self._head = f"{prefix}:history:{{{site}}}"

    def views(self, year: str) -> str:
        """HASH, ``MM-DD`` → page views of that day."""
        return f"{self._head}:views:{year}"

    def visits(self, year: str) -> str:
        """HASH, ``MM-DD`` → readers of that day."""
        return f"{self._head}:visits:{year}"

    @property
    def total(self) -> str:
        """HASH: ``visits`` and ``views`` of all days, and ``since``, the first of them."""
        return f"{self._head}:total"

    def readers(self, date: str) -> str:
        """HyperLogLog of the readers of a day, ``YYYY-MM-DD``."""
        return f"{self._head}:readers:{date}"

    def applied(self, run: str) -> str:
        """The number of the last batch of a worker's run that is in the counters."""
        return f"{self._head}:applied:{run}"

    @property
    def record(self) -> str:
        """HASH: ``online``, the most readers ever, and ``at``, when."""
        return f"{self._head}:record"

    @property
    def imported(self) -> str:
        """HASH: ``total`` of an older counter, and a field for each year with the days of it."""
        return f"{self._head}:imported"

    def minutes(self, date: str) -> str:
        """The minutes of a day in UTC, see :mod:`presence.history.series`."""
        return f"{self._head}:minutes:{date}"

    def hours(self, month: str) -> str:
        """The hours of a month in UTC, ``YYYY-MM``."""
        return f"{self._head}:hours:{month}"

    @property
    def candidates(self) -> str:
        """HASH, a worker's run → the pages most read there."""
        return f"{self._head}:candidates"

    def pages(self, minute: int) -> str:
        """The most read pages at a minute since the epoch."""
        return f"{self._head}:pages:{minute}"
