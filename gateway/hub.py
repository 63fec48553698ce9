"""Reaches every session: one message, encoded once, the same bytes to each.

A broadcast returns at once and is written in slices that give the loop back every few milliseconds. Announcements go
before counts, also in the middle of a count; a newer count of a channel replaces one that has not begun. Nothing here
awaits, so a slow browser costs the others nothing: it misses counts while its transport is paused, and is aborted when
the announcements kept for it pass ``slow_bytes``.

A frame goes straight to the socket where the session names its descriptor: a sixth off what a delivery costs. That is
sound because such a session's transport pauses as soon as it holds a byte, so nothing is overtaken, and because the
session is `closing` from before its descriptor is closed, so no other connection can have got it. What the kernel does
not take, and any error, is left to the transport.
"""

from __future__ import annotations

import asyncio
import os
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import structlog

from gateway import frames

if TYPE_CHECKING:
    from gateway.session import Session

log = structlog.get_logger(__name__)

# A slice is as many sessions as fit into this time, flushing to the kernel included.
SLICE_SECONDS = 0.004
_FEWEST, _MOST = 16, 512

# Upper edges of the histogram of fan-out times, in seconds.
FANOUT_EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Delivery(NamedTuple):
    """How a broadcast went: sessions written to, seconds from the call to the last write, sessions left out."""

    sessions: int
    seconds: float
    skipped: int


class _Broadcast:
    """One message on its way."""

    __slots__ = ("begun_at", "done", "frame", "left", "sent", "skipped", "urgent")

    def __init__(
        self, frame: bytes, left: Iterator[Session], urgent: bool, done: Callable[[Delivery], None] | None, now: float
    ) -> None:
        self.frame = frame
        self.left = left
        self.urgent = urgent
        self.done = done
        self.begun_at = now
        self.sent = 0
        self.skipped = 0


class Hub:
    """Holds the sessions of this worker by channel.

    A channel is whatever names it: for every session the id of its site, and besides any object of the rooms above.

    Args:
        slow_bytes: Announcements kept for a session that reads slowly, in bytes.
        clock: Seconds, for measuring; not the loop's, which stands still within a callback.
    """

    def __init__(self, slow_bytes: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self._slow_bytes = slow_bytes
        self._clock = clock
        # In the order they came: so they lie in memory, the kernel's too, and a fan-out is a tenth faster for it.
        self._channels: dict[Hashable, dict[Session, None]] = {}
        self._urgent: deque[_Broadcast] = deque()
        self._counts: dict[Hashable, _Broadcast] = {}
        self._count: _Broadcast | None = None
        self._pumping = False
        self._slice = 128
        self._slice_began = 0.0
        self._written = 0
        self._exhausted: _Broadcast | None = None
        self._behind: set[Session] = set()
        self.total = 0
        self.deliveries = 0
        self.octets = 0
        self.skipped = 0
        self.aborted = 0
        self.longest_slice = 0.0
        self.fanout_buckets = [0] * (len(FANOUT_EDGES) + 1)
        self.fanout_seconds = 0.0

    def sessions(self, channel: Hashable) -> int:
        """How many sessions this worker holds on `channel`; on that of a site, all of the site."""
        return len(self._channels.get(channel, ()))

    def everyone(self) -> Iterator[Session]:
        """All sessions, as they are now."""
        sites = (members for channel, members in self._channels.items() if isinstance(channel, str))
        return iter([*chain.from_iterable(sites)])

    def join(self, session: Session) -> None:
        """From now on `session` gets what its site gets."""
        self.enter(session, session.site)
        self.total += 1

    def leave(self, session: Session) -> None:
        """The opposite of `join`; other channels it has to `exit` before."""
        self.exit(session, session.site)
        self._behind.discard(session)
        self.total -= 1

    def enter(self, session: Session, channel: Hashable) -> None:
        """From now on `session` gets what is said on `channel`, too."""
        self._channels.setdefault(channel, {})[session] = None

    def exit(self, session: Session, channel: Hashable) -> None:
        """The opposite of `enter`; of a channel it is not on, nothing."""
        members = self._channels.get(channel)
        if members is not None:
            members.pop(session, None)
            if not members:
                del self._channels[channel]

    def caught_up(self) -> list[Session]:
        """Sessions that a count was left out for and that can be written to again; each is named once.

        Whoever tells counts asks now and then, or these would show an old one until the next change.
        """
        ready = [session for session in self._behind if not session.paused_at]
        self._behind.difference_update(ready)
        return ready

    def broadcast(
        self,
        message: bytes,
        channels: Iterable[Hashable],
        *,
        urgent: bool,
        done: Callable[[Delivery], None] | None = None,
    ) -> None:
        """Sends `message`, JSON text, to every session on one of `channels` that is here now.

        Args:
            message: The JSON, in UTF-8.
            channels: Those nobody is on cost nothing.
            urgent: An announcement: before counts, and kept for slow sessions. Else a count: it may be left out, and
                a later one for the same channel replaces it.
            done: Called once with the Delivery, after the last session was written to. A count ends channel by
                channel: once for each, and not at all for one that a later count replaced.
        """
        frame = frames.text(message)
        now = self._clock()
        if urgent:
            # A session is told once.
            everyone = dict.fromkeys(chain.from_iterable(self._channels.get(channel, ()) for channel in channels))
            self._urgent.append(_Broadcast(frame, iter(everyone), True, done, now))
        else:
            for channel in channels:
                # Who gets it is looked up when it begins: a count waits only while it may still be replaced.
                self._counts[channel] = _Broadcast(frame, iter(()), False, done, now)
        if not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _next(self) -> _Broadcast | None:
        if self._urgent:
            return self._urgent[0]
        if self._count is None and self._counts:
            channel, self._count = next(iter(self._counts.items()))
            del self._counts[channel]
            self._count.left = iter([*self._channels.get(channel, ())])
        return self._count

    def _pump(self) -> None:
        """Writes one slice and comes back for the next after the loop has flushed it and looked at its sockets."""
        now = self._clock()
        if self._written:
            self._fit(now - self._slice_began)
        if self._exhausted is not None:
            self._finish(self._exhausted)
        broadcast = self._next()
        if broadcast is None:
            self._pumping = False
            return
        self._slice_began = self._clock()
        try:
            self._written = self._write(broadcast)
        finally:
            # Whatever happens in a slice, the next one comes: a pump that stands still would look like a quiet portal.
            asyncio.get_running_loop().call_soon(self._pump)
        if self._written < self._slice:
            self._exhausted = broadcast

    def _write(self, broadcast: _Broadcast) -> int:
        frame, size, write = broadcast.frame, len(broadcast.frame), os.write
        sessions = [*islice(broadcast.left, self._slice)]
        reached = len(sessions)
        skipped = 0
        left = iter(sessions)
        while True:
            try:
                for session in left:
                    if session.paused_at or session.closing:
                        skipped += not self._keep(session, broadcast)
                    elif session.descriptor < 0:
                        session.transport.write(frame)
                    else:
                        try:
                            sent = write(session.descriptor, frame)
                        except OSError:
                            sent = 0
                        if sent < size:
                            session.transport.write(frame[sent:])
                break
            except Exception as error:
                # Costs this session its connection, and those behind it nothing: they are what `left` still holds.
                log.error("delivery failed", site=session.site, exc_info=error)
                skipped += 1
                session.abort()
        broadcast.sent += reached - skipped
        broadcast.skipped += skipped
        self.deliveries += reached - skipped
        self.octets += size * (reached - skipped)
        return reached

    def _keep(self, session: Session, broadcast: _Broadcast) -> bool:
        """Decides for a session that is not writable; whether it will get the message."""
        if session.closing:
            return False
        if not broadcast.urgent:
            self.skipped += 1
            self._behind.add(session)
            return False
        if session.transport.get_write_buffer_size() + len(broadcast.frame) > self._slow_bytes:
            self.aborted += 1
            session.abort()
            return False
        session.transport.write(broadcast.frame)
        return True

    def _finish(self, broadcast: _Broadcast) -> None:
        """The last slice has been flushed."""
        self._exhausted = None
        seconds = self._clock() - broadcast.begun_at
        if broadcast.urgent:
            self._urgent.remove(broadcast)
            # What nobody was there for would make the times of the others look better than they are.
            if broadcast.sent or broadcast.skipped:
                self._observe(seconds)
        else:
            self._count = None
        if broadcast.done is not None:
            # By the loop, not here: a listener that fails must not stop the pump.
            asyncio.get_running_loop().call_soon(broadcast.done, Delivery(broadcast.sent, seconds, broadcast.skipped))

    def _fit(self, held: float) -> None:
        """Fits the slice to the machine: `held` is what the last one took, with its flush."""
        self.longest_slice = max(self.longest_slice, held)
        if self._written == self._slice and held > 0:
            fitting = self._slice * SLICE_SECONDS / held
            self._slice = max(_FEWEST, min(_MOST, round(0.7 * self._slice + 0.3 * fitting)))
        self._written = 0

    def _observe(self, seconds: float) -> None:
        self.fanout_seconds += seconds
        self.fanout_buckets[bisect_left(FANOUT_EDGES, seconds)] += 1
