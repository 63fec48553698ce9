"""The connection of a poll while it waits for its answer.

It is taken over from the gate, so that a reader who waits costs one small object, and is given to a fresh gate when it
was answered: the next poll, or whatever else, may come on it. A poll that goes on with a session of this worker counts
as that session's; one whose session another worker has is a guest here.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway import poll
from gateway.errors import Refusal
from gateway.following import Following
from gateway.inbox import inboxes_of

if TYPE_CHECKING:
    from gateway.door import Door
    from gateway.gate import Gate

_HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: application/json\r\n"
    b"Cache-Control: no-store\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
)

_tickets = itertools.count()


class Waiting(asyncio.Protocol):
    """One poll; see :class:`gateway.poll.Waiter`."""

    __slots__ = (
        "_address",
        "_asked",
        "_begun",
        "_door",
        "_fresh",
        "_guest",
        "_over",
        "_rest",
        "_transport",
        "seen",
        "ticket",
    )

    def __init__(self, door: Door, asked: Following, transport: asyncio.Transport, fresh: Callable[[], Gate]) -> None:
        self._door = door
        self._transport = transport
        self._fresh = fresh
        self._asked = asked
        # The session that it begins, until it has started.
        self._begun: poll.PollSession | None = None
        # Of the guest it is, if it is one.
        self._guest: str | None = None
        # The key under which it is held against somebody that there is no such session.
        self._address = ""
        self._rest = b""
        self._over = False
        self.seen = asked.seen
        # Unique among all workers of the node.
        self.ticket = f"{os.getpid()}.{next(_tickets)}"

    def enter(self, peer: str, key: str) -> None:
        """Asks at the door; `start` is to follow.

        Args:
            peer: Address of the other end of the socket.
            key: The one to count it under if it becomes a guest.

        Raises:
            Refusal: It begins a session and may not, or may not wait here; nothing is held and nothing was sent.
        """
        door, asked = self._door, self._asked
        if not asked.session:
            self._begun = poll.begin(door, asked, peer)
            return
        door.desk.admit(asked)
        self._address = door.limit_key(peer, asked.forwarded_for)
        if not inboxes_of(door).here(asked.session):
            door.believe(self._address)
        if inboxes_of(door).elsewhere(asked.session):
            door.host(key)
            self._guest = key

    def start(self) -> None:
        """Has it answered, perhaps at once. It is the protocol of its transport now."""
        session, self._begun = self._begun, None
        if session is not None:
            session.polled(self)
        else:
            inboxes_of(self._door).poll(self._asked, self)

    def answer(self, body: bytes | None) -> None:
        """Answers it; None if there is no such session."""
        if self._over:
            return
        self._over = True
        self._part()
        gate = self._fresh()
        self._transport.set_protocol(gate)
        lines = inboxes_of(self._door).readable(self._asked.origin, self._asked.site)
        if body is None:
            self._door.misses.note(self._address, self._door.clock())
            gate.connection_made(self._transport)
            gate.refuse(Refusal(404, "session", "There is no such session any more; begin anew without it.", lines))
            return
        head = [f"{name}: {value}\r\n" for name, value in lines]
        head.append(f"Content-Length: {len(body)}\r\n")
        if not self._asked.keep_alive:
            head.append("Connection: close\r\n")
        self._transport.write(b"".join([_HEAD, "".join(head).encode("latin-1"), b"\r\n", body]))
        gate.connection_made(self._transport)
        if not self._asked.keep_alive:
            gate.linger()
        elif self._rest:
            gate.go_on(self._rest)

    def data_received(self, data: bytes) -> None:
        """Called by the transport. A request behind this one waits for its turn."""
        self._rest += data
        if len(self._rest) > self._door.settings.header_bytes:
            self._transport.abort()

    def eof_received(self) -> bool:
        """The other side has ended; so do we."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The browser did not wait for the answer."""
        self._over = True
        self._part()
        inboxes_of(self._door).hung_up(self._asked.session, self.ticket)

    def _part(self) -> None:
        if self._guest is not None:
            self._door.parted(self._guest)
            self._guest = None
