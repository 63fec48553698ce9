"""What one worker knows of the log: where it has got to, what is active, and the last changes.

It takes in entries and snapshots and returns the *differences* that browsers have to be told. It trusts nothing but
versions without a gap and an unbroken chain; whatever does not fit makes it ask for a snapshot.

A cursor is ``<first 8 characters of the chain>.<version>``: it names a point in one particular history, so a cursor
from before a loss of the store, from another installation or from nowhere is never taken for one of ours.

Pure: the time is an argument.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from notifications.announcement import Announcement
from notifications.lifecycle import state_at
from notifications.merge import merge, rank

# So many changes a browser may have missed and still be told only those; it also bounds what greetings are cached.
CATCH_UP = 64
REMEMBERED = 256
NEVER_MS = 1 << 62

_CURSOR = re.compile(r"([0-9a-f]{8})\.(0|[1-9][0-9]{0,15})", re.ASCII)


class Head(NamedTuple):
    """Where the log is, and the store's clock at that moment (Unix time in ms)."""

    now_ms: int
    epoch: str
    version: int
    chain: str


class Entry(NamedTuple):
    """One version of the log.

    Attributes:
        version: Which.
        chain: The hash over all history up to here.
        payload: What was stored, byte for byte.
        announcement: The same, understood; None if it was not, as when a newer release of Loa wrote it.
    """

    version: int
    chain: str
    payload: bytes
    announcement: Announcement | None


class Snapshot(NamedTuple):
    """The log at one moment: its head, all that is active, and the newest entries in order."""

    head: Head
    active: list[Announcement]
    recent: list[Entry]


class Difference(NamedTuple):
    """Something browsers have to be told, and how far they are when they have heard it.

    Attributes:
        announcement: Live, recalled, or no longer there, which is told as recalled.
        cursor: For the frame.
        version: Which version of the log says so; None if none does, since it is gone without a word.
    """

    announcement: Announcement
    cursor: str
    version: int | None


class Position(NamedTuple):
    """A point in a history."""

    epoch: str
    version: int
    chain: str

    @property
    def cursor(self) -> str:
        """How browsers name it."""
        return _cursor(self.version, self.chain)


class View:
    """A worker's view of the log; empty until the first snapshot."""

    def __init__(self) -> None:
        self.position: Position | None = None
        self.active: dict[str, Announcement] = {}
        self.next_expiry_ms = NEVER_MS
        self._history: deque[Entry] = deque(maxlen=REMEMBERED)
        self._chains: dict[int, str] = {}

    def follow(self, entry: Entry) -> list[Difference] | None:
        """Takes in the next entry; None if it is not the next one of this history, and a snapshot is needed."""
        position = self.position
        if position is None or entry.version != position.version + 1 or not _continues(position.chain, entry):
            return None
        self.position = Position(position.epoch, entry.version, entry.chain)
        self._remember(entry)
        if entry.announcement is None:
            return []
        self._set_active(merge(self.active, [entry.announcement]).values())
        return [Difference(entry.announcement, self.position.cursor, entry.version)]

    def replace(self, snapshot: Snapshot) -> list[Difference]:
        """Takes `snapshot` for what is true; returns what those who heard what was known before have to be told."""
        head = snapshot.head
        before, known = self.position, self.active
        self.position = Position(head.epoch, head.version, head.chain)
        self._history.clear()
        self._chains = {head.version: head.chain}
        for entry in _unbroken(snapshot.recent, head):
            self._remember(entry)
        if len(self._history) == head.version:
            self._chains[0] = beginning(head.epoch)
        self._set_active(snapshot.active)

        told = [(one, True) for one in self.active.values() if one.id not in known or rank(one) > rank(known[one.id])]
        newest = merge({}, _understood(snapshot.recent))
        for id, one in known.items():
            if id in newest and id not in self.active:
                told.append((newest[id], True))
            elif id not in self.active and state_at(one, head.now_ms) == "live":
                told.append((msgspec.structs.replace(one, status="recalled"), False))
        if before is not None:
            heard = before.version if before.epoch == head.epoch else 0
            told += [(one, True) for one in newest.values() if one.id not in known and _taken_back(one, heard, head)]
        told.sort(key=lambda pair: (pair[0].version, pair[0].id))
        # A browser that hears only the first of them and is cut off must come back for the others.
        earlier = before.cursor if before is not None else ""
        # Of all that was active before this worker was, only the latest can still be waited for by who published it.
        delivered = 0 if before is not None else head.version - CATCH_UP
        cursors = [earlier] * (len(told) - 1) + [self.position.cursor]
        return [
            Difference(one, cursor, one.version if written and one.version > delivered else None)
            for (one, written), cursor in zip(told, cursors, strict=False)
        ]

    def agrees(self, head: Head | None) -> bool:
        """Whether `head`, read no later than the last entry that was followed, lies in this history."""
        return (
            self.position is not None
            and head is not None
            and self.position.epoch == head.epoch
            and self._chains.get(head.version) == head.chain
        )

    def current(self, now_ms: int) -> list[Announcement]:
        """What was published and has not run out at `now_ms`, what was recalled included; the newest change first.

        Of what was recalled, only such as the last `REMEMBERED` changes still tell of.
        """
        newest = merge(self.active, _understood(self._history)).values()
        return sorted(
            (one for one in newest if one.expires_ms > now_ms),
            key=lambda one: (one.updated_ms, one.version),
            reverse=True,
        )

    def revisions(self) -> dict[str, list[Announcement]]:
        """What the last `REMEMBERED` changes tell of each announcement, by its id, the oldest first."""
        found: dict[str, list[Announcement]] = {}
        for one in _understood(self._history):
            found.setdefault(one.id, []).append(one)
        return found

    def expire(self, now_ms: int) -> bool:
        """Forgets what has expired; whether there was anything. Browsers know it by themselves."""
        if self.next_expiry_ms > now_ms:
            return False
        self._set_active([one for one in self.active.values() if state_at(one, now_ms) == "live"])
        return True

    def version_at(self, cursor: str) -> int | None:
        """The version that `cursor` names; None if it is not of this history, or too far back to catch up from."""
        parsed = _CURSOR.fullmatch(cursor)
        if parsed is None or self.position is None:
            return None
        version = int(parsed[2])
        if self.position.version - version > CATCH_UP or self._chains.get(version, "")[:8] != parsed[1]:
            return None
        return version

    def changed_after(self, version: int) -> list[Announcement]:
        """The newest of each announcement changed after `version`, which `version_at` has accepted."""
        return list(merge({}, _understood(entry for entry in self._history if entry.version > version)).values())

    def _remember(self, entry: Entry) -> None:
        self._chains.pop(entry.version - REMEMBERED, None)
        self._history.append(entry)
        self._chains[entry.version] = entry.chain

    def _set_active(self, announcements: Iterable[Announcement]) -> None:
        self.active = {one.id: one for one in announcements if one.status == "live"}
        self.next_expiry_ms = min((one.expires_ms for one in self.active.values()), default=NEVER_MS)


def chained(chain: str, id: str, revision: int, payload: bytes) -> str:
    """The chain after a revision was written, as ``lua/commit.lua`` computes it."""
    link = f"{chain}|{id}|{revision}|".encode() + payload
    return hashlib.sha1(link, usedforsecurity=False).hexdigest()


def beginning(epoch: str) -> str:
    """The chain before anything was written."""
    return hashlib.sha1(epoch.encode(), usedforsecurity=False).hexdigest()


def _continues(chain: str, entry: Entry) -> bool:
    written = entry.announcement
    return written is None or entry.chain == chained(chain, written.id, written.revision, entry.payload)


def _understood(entries: Iterable[Entry]) -> Iterable[Announcement]:
    return (entry.announcement for entry in entries if entry.announcement is not None)


def _taken_back(one: Announcement, heard: int, head: Head) -> bool:
    """Whether `one`, which this worker never knew, was recalled after version `heard` and before it expired.

    A browser may have come here with it from a worker that was not cut off.
    """
    return one.status == "recalled" and one.version > heard and one.expires_ms > head.now_ms


def _unbroken(entries: list[Entry], head: Head) -> list[Entry]:
    """Those of `entries` that lead up to `head` without a gap."""
    run: list[Entry] = []
    version = head.version
    for entry in reversed(entries):
        if entry.version != version:
            break
        run.append(entry)
        version -= 1
    return run[::-1]


def _cursor(version: int, chain: str) -> str:
    return f"{chain[:8]}.{version}"
