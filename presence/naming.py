"""What Redis calls a reader at a moment, and how that changes at the site's midnight without being seen in the count.

By day a reader has one name. Around midnight a worker sends two, the old day's and the new day's, and the script
decides by Redis's clock alone which is written and which is removed (``lua/renew.lua``). So two workers, whatever
their own clocks say, never count a reader under both. The rules that make it exact:

- Every command carries the midnight up to which its single name is good. Redis refuses a single name that comes later
  (from a worker that was frozen, say), so an old name is never written after midnight.
- Old names therefore lapse by one lease after midnight at the latest, and until then every command carries both.
- When to begin and end sending both is decided by an estimate of Redis's clock, with a minute to spare on either side.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from typing import NamedTuple

from presence.days import Day, day_at
from presence.identity import Identity, name

MARGIN_MS = 60_000


class Names(NamedTuple):
    """How readers are named now.

    Attributes:
        keys: Of the day's names; around midnight of the old and the new day's.
        midnight_ms: Up to when a single name is good; of two, when the second replaces the first. By Redis's clock.
    """

    keys: tuple[bytes, ...]
    midnight_ms: int

    def of(self, readers: Iterable[bytes]) -> dict[bytes, bytes]:
        """The names of `readers` as the scripts expect them: those of one reader, one or two, joined to one string."""
        if len(self.keys) == 1:
            (key,) = self.keys
            return {reader: name(key, reader) for reader in readers}
        old, new = self.keys
        return {reader: name(old, reader) + name(new, reader) for reader in readers}


class Naming:
    """The names of one site's readers as time passes.

    Args:
        identity: Derives the keys.
        site: Id of the site.
        zone: Where its midnight is.

    Attributes:
        zone: The same.
    """

    __slots__ = ("_day", "_identity", "_keys", "_site", "zone")

    def __init__(self, identity: Identity, site: str, zone: tzinfo) -> None:
        self._identity = identity
        self._site = site
        self.zone = zone
        self._day = Day("", 0, 0)
        self._keys: dict[str, bytes] = {}

    def at(self, store_ms: int, lease_ms: int) -> Names:
        """The names to use at `store_ms`, an estimate of Redis's clock in milliseconds since the epoch.

        Args:
            store_ms: The estimate.
            lease_ms: The longest lease that may have been given before midnight.
        """
        if not self._day.starts_ms <= store_ms < self._day.ends_ms:
            self._day = day_at(self.zone, store_ms)
            self._keys.clear()
        day = self._day
        if store_ms >= day.ends_ms - MARGIN_MS:
            return Names((self._key(day), self._key(day_at(self.zone, day.ends_ms))), day.ends_ms)
        if store_ms < day.starts_ms + lease_ms + MARGIN_MS:
            return Names((self._key(day_at(self.zone, day.starts_ms - 1)), self._key(day)), day.starts_ms)
        return Names((self._key(day),), day.ends_ms)

    def _key(self, day: Day) -> bytes:
        key = self._keys.get(day.name)
        if key is None:
            key = self._keys[day.name] = self._identity.key_of_day(self._site, day.name)
        return key
