"""How long leases run and how often they are renewed, stretched with the size of the site.

A site's readers are renewed at most ``renewals_per_second`` times a second over all workers. Beyond
``renewals_per_second * renew_seconds`` readers the interval grows with their number, and lease and grace with it.

The interval grows slowly, by a tenth of the time that passes, and shrinks at once. So between two renewals of a reader
it grows by 5.2 % at most (solve ``∫ dt / (R + t/10) = 1``), and a lease or a grace given by the terms of its moment is
still longer than the wait for the next renewal.
"""

from __future__ import annotations

from presence.settings import PresenceSettings

GROWTH = 0.1


class Terms:
    """The terms in force for one site.

    Attributes:
        renew_seconds, lease_seconds, grace_seconds: As in the settings, stretched.
    """

    __slots__ = ("_at", "_settings", "grace_seconds", "lease_seconds", "renew_seconds")

    def __init__(self, settings: PresenceSettings) -> None:
        self._settings = settings
        self._at: float | None = None
        self.renew_seconds = settings.renew_seconds
        self.lease_seconds = settings.lease_seconds
        self.grace_seconds = settings.grace_seconds

    def update(self, now: float, online: int) -> None:
        """Stretches to `online` readers of the site, over all workers, at `now` in seconds of any steady clock."""
        wanted = max(self._settings.renew_seconds, online / self._settings.renewals_per_second)
        if self._at is not None:
            wanted = min(wanted, self.renew_seconds + GROWTH * max(0.0, now - self._at))
        # The first time nothing has been promised yet: a worker that starts on a large site joins the others' pace.
        self._at = now
        self.renew_seconds = wanted
        stretch = self.renew_seconds / self._settings.renew_seconds
        self.lease_seconds = self._settings.lease_seconds * stretch
        self.grace_seconds = self._settings.grace_seconds * stretch
