"""What one worker hears of its announcements' reach, and what of it the store has yet to be told.

Whatever browsers say is hostile until it fits: only what this worker has told, to the site of that session, in the
revision that is shown or was until half a minute ago, is taken, and each deed once from a session. All else is ignored
and counted by why. Memory follows what was published and who is here, never what browsers make up.

A reader is named by a keyed hash over the announcement and the reader's id (BLAKE2b as a MAC, RFC 7693, 8 bytes). The
store counts the names in a HyperLogLog and keeps none; and without the key nobody can tell which reader one is of, nor
that two, of two announcements, are of one.

Pure: times are arguments, in milliseconds of Unix time by the store's clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from msgspec import Struct

from notifications.announcement import Announcement
from notifications.reach.outbox import DEEDS, Outbox

_BITS = {deed: 1 << number for number, deed in enumerate(DEEDS)}

# Why an acknowledgement was ignored: it names no deed; no announcement that was told here; one of other sites; a
# revision that is not shown; its session is no reader's; has said so before; has said so of too many.
IGNORED = ("deed", "unknown", "site", "revision", "apart", "again", "many")

NAME_BYTES = 8
# Browsers hold their answers back for some seconds, so that not all come at once.
LATE_MS = 30_000
MOST_WAITED_MS = 15_000
# Announcements that one session may have answered at a time.
MOST_HEARD = 64


class Said(NamedTuple):
    """What a browser says, as it says it: that its reader did this, `waited_ms` before it said so."""

    id: str
    revision: int
    did: str
    waited_ms: int = 0


class Listener(Protocol):
    """A session, as far as it matters here.

    Attributes:
        site: Where its reader is.
        told: How many announcements had been told when it was greeted; or a :class:`Heard`, once it has answered one.
    """

    site: str
    told: object


class Heard(Struct, gc=False):
    """What a session has said.

    Attributes:
        mark: How many announcements had been told when it was greeted.
        deeds: By the number of the telling: which deeds, as bits.
    """

    mark: int
    deeds: dict[int, int]


class _Revision(Struct):
    """One that was told. `number` is that of the telling among all; `over_ms` is when the next was, 0 until then."""

    number: int
    sent_ms: int
    over_ms: int = 0


class _Known(Struct):
    """An announcement that was told here, and its revisions."""

    sites: tuple[str, ...]
    expires_ms: int
    revisions: dict[int, _Revision] = {}

    def over(self, now_ms: int) -> None:
        """Something newer is told."""
        for one in self.revisions.values():
            one.over_ms = one.over_ms or now_ms


class Hearing:
    """Of one run of a worker.

    Args:
        key: Of the readers' names, the same on all workers; 32 bytes.
        run: Names this run of this worker.

    Attributes:
        outbox: What the store has yet to be told.
        taken: Acknowledgements that counted.
        ignored: Those that did not, by why.
    """

    def __init__(self, key: bytes, run: str) -> None:
        self.outbox = Outbox(run)
        self.taken = 0
        self.ignored: dict[str, int] = dict.fromkeys(IGNORED, 0)
        self._key = key
        self._known: dict[str, _Known] = {}
        # Of all tellings of which something may still be said.
        self._numbers: set[int] = set()

    def __len__(self) -> int:
        return len(self._known)

    # What was told

    def told(self, announcement: Announcement, number: int, connected: int, now_ms: int) -> None:
        """An announcement is being told, the telling of that `number`, to so many sessions."""
        id, revision = announcement.id, announcement.revision
        known = self._known.get(id)
        if announcement.status != "live":
            if known is not None:
                known.over(now_ms)
            return
        if known is None:
            known = self._known[id] = _Known(announcement.sites, announcement.expires_ms)
        if revision <= max(known.revisions, default=0):
            return
        known.over(now_ms)
        known.sites, known.expires_ms = announcement.sites, announcement.expires_ms
        known.revisions[revision] = _Revision(number, announcement.updated_ms)
        self._numbers.add(number)
        self.outbox.open(id, announcement.expires_ms)
        if connected:
            self.outbox.sums(id, revision).connected += connected

    def delivered(self, announcement: Announcement, sessions: int) -> None:
        """It was written to so many."""
        if sessions and self._is_told(announcement.id, announcement.revision):
            self.outbox.sums(announcement.id, announcement.revision).received += sessions

    def greeted(self, times: Mapping[tuple[str, int], int]) -> None:
        """So many sessions were greeted with these announcements, by id and revision."""
        for (id, revision), sessions in times.items():
            if self._is_told(id, revision):
                self.outbox.sums(id, revision).greeted += sessions

    def forget(self, now_ms: int) -> None:
        """Gives up announcements of which nothing more is taken."""
        for id, known in list(self._known.items()):
            for revision, one in list(known.revisions.items()):
                if one.over_ms and one.over_ms + LATE_MS < now_ms:
                    del known.revisions[revision]
                    self._numbers.discard(one.number)
            over = not known.revisions or known.expires_ms + LATE_MS < now_ms
            if over and self.outbox.close(id):
                del self._known[id]
                self._numbers.difference_update(one.number for one in known.revisions.values())

    def _is_told(self, id: str, revision: int) -> bool:
        known = self._known.get(id)
        return known is not None and revision in known.revisions

    # What browsers say

    def ack(self, session: Listener, reader: bytes | None, said: Said, now_ms: int) -> bool:
        """A session says that its reader did something; whether that counts.

        Args:
            session: Which.
            reader: The reader's id; None if it is no reader's.
            said: By its browser.
            now_ms: When it came.
        """
        why = self._take(session, reader, said, now_ms)
        if why:
            self.ignored[why] += 1
        else:
            self.taken += 1
        return not why

    def _take(self, session: Listener, reader: bytes | None, said: Said, now_ms: int) -> str:  # noqa: PLR0911  one line for each reason
        bit = _BITS.get(said.did)
        if bit is None:
            return "deed"
        known = self._known.get(said.id)
        if known is None:
            return "unknown"
        if session.site not in known.sites:
            return "site"
        told = known.revisions.get(said.revision)
        if told is None or (told.over_ms and told.over_ms + LATE_MS < now_ms):
            return "revision"
        if reader is None:
            return "apart"
        heard = session.told
        if not isinstance(heard, Heard):
            heard = session.told = Heard(heard if isinstance(heard, int) else 0, {})
        before = heard.deeds.get(told.number, 0)
        if before & bit:
            return "again"
        if not before and not self._has_room(heard):
            return "many"
        heard.deeds[told.number] = before | bit
        # Who was greeted with it came later than it was sent, and says nothing of how fast it went.
        if said.did == "rendered" and heard.mark < told.number:
            waited_ms = min(max(0, said.waited_ms), MOST_WAITED_MS)
            self.outbox.sums(said.id, said.revision).rendered(now_ms - waited_ms - told.sent_ms)
        self.outbox.note(said.id, said.did, self._name(said.id, reader))
        return ""

    def _has_room(self, heard: Heard) -> bool:
        if len(heard.deeds) >= MOST_HEARD:
            # Those that are over make some.
            heard.deeds = {number: bits for number, bits in heard.deeds.items() if number in self._numbers}
        return len(heard.deeds) < MOST_HEARD

    def _name(self, id: str, reader: bytes) -> bytes:
        return hashlib.blake2b(b"%b|%b" % (id.encode(), reader), digest_size=NAME_BYTES, key=self._key).digest()
