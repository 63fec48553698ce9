"""``GET /poll``: the session of a browser that asks, is answered when there is something, and asks again.

For networks that let through neither WebSockets nor streams. Such a session has no connection of its own: what is said
to it lies in its :class:`Mailbox` until a poll takes it. Between two polls it lives for ``pong_seconds``, so a browser
that has vanished is noticed after ``poll_seconds + pong_seconds`` at the latest, and one that hangs up while it waits
at once.

What waits is bounded. Of a number only the newest waits, and it waits until :data:`COUNTS_SECONDS` after the last
answer, or a number that changes all the time would have all ask all the time. Everything else is told at once; but who
has been told so much lately that it has asked nearly as often as it may is told after :data:`BURST_SECONDS`, together
with what has come meanwhile. It is kept up to ``slow_bytes``, and past that the session ends. An answer that was lost
on the way is told again to a browser that says by ``seen`` which one it has; one that does not say begins a new session
and catches up by its cursor.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from gateway import frames
from gateway.closing import CloseCode
from gateway.following import Following
from gateway.handshake import Upgrade
from gateway.inbox import PATH, Correspondent, inboxes_of
from gateway.session import LINGER_SECONDS
from gateway.translation import Scope, Telling, Translator, with_inbox

if TYPE_CHECKING:
    from gateway.door import Door

# Between two answers that tell of numbers alone.
COUNTS_SECONDS = 3.0
# Before an answer to a browser that has used up half of the questions it may ask at once.
BURST_SECONDS = 0.25


class Waiter(Protocol):
    """A poll that waits for its answer.

    Attributes:
        ticket: Names it among all.
        seen: Number of the last answer that arrived; None if the browser does not say.
    """

    @property
    def ticket(self) -> str: ...

    @property
    def seen(self) -> int | None: ...

    def answer(self, body: bytes | None) -> None:
        """Answers it, once; None if there is no such session."""


class Mailbox:
    """What the session of a browser that polls has in the place of a transport: keeps what is written to it.

    Attributes:
        session: Whose it is; None before it is open and after it is over.
        urgent: Whether anything is kept that is no number.
    """

    __slots__ = ("_held", "_number", "_size", "_translator", "session", "urgent")

    def __init__(self, translator: Translator) -> None:
        self._translator = translator
        self._held: dict[Scope | int, Telling] = {}
        self._number = 0
        self._size = 0
        self.session: PollSession | None = None
        self.urgent = False

    def __bool__(self) -> bool:
        return bool(self._held)

    def write(self, frame: bytes) -> None:
        """Keeps the messages in `frame`."""
        for telling in self._translator.tellings(frame):
            self.keep(telling)
        if self.session is not None:
            self.session.arrived()

    def keep(self, telling: Telling) -> None:
        """Keeps one message; of a number the newest."""
        key: Scope | int | None = telling.scope
        if key is None:
            self.urgent = True
            key = self._number
            self._number += 1
        elif key in self._held:
            self._size -= len(self._held.pop(key).text)
        self._held[key] = telling
        self._size += len(telling.text)

    def take(self) -> list[Telling]:
        """All that is kept, which then is kept no longer."""
        taken = [*self._held.values()]
        self._held.clear()
        self._size = 0
        self.urgent = False
        return taken

    def get_write_buffer_size(self) -> int:
        """How much is kept, in bytes."""
        return self._size


class PollSession(Correspondent):
    """A session that is told by answers."""

    __slots__ = ("_answered_at", "_begun", "_due_at", "_flushing", "_number", "_over", "_told", "_waiter")

    way: ClassVar[str] = "poll"

    def __init__(self, door: Door, upgrade: Upgrade, address: str, transport: asyncio.Transport) -> None:
        super().__init__(door, upgrade, address, transport)
        self._waiter: Waiter | None = None
        self._told: list[Telling] = []
        self._number = 0
        self._answered_at = 0.0
        self._due_at = 0.0
        self._begun = False
        self._flushing = False
        self._over = False

    @property
    def mailbox(self) -> Mailbox:
        """Where what is said to it lies."""
        return cast(Mailbox, self.transport)

    # -- from the browser

    def polled(self, waiter: Waiter) -> bool:
        """See Correspondent."""
        if self._over:
            return False
        before, self._waiter = self._waiter, waiter
        if before is not None:
            # Its browser has given up on it, or has lost it.
            before.answer(self._body([]))
        if waiter.seen is not None and waiter.seen != self._number:
            self._tell_again()
        self._told = []
        if self._begun:
            self.answer()
            if not self.closing and not self._within_rate():
                self.close(CloseCode.FLOOD)
                return True
        self._begun = True
        burst = self._in_burst()
        if self.closing or (self.mailbox.urgent and not burst):
            self._flush()
        else:
            self._due_at = 0.0
            now, settings = self._door.clock(), self._door.settings
            patience = min(settings.poll_seconds, settings.ping_seconds)
            if self.mailbox.urgent:
                self._wake(now + BURST_SECONDS)
            else:
                self._wake(self._counts_at(now) if self.mailbox else now + patience)
        return True

    def hung_up(self, ticket: str) -> None:
        """See Correspondent. Whoever waits and hangs up has left; or comes back, and begins anew."""
        if self._waiter is not None and self._waiter.ticket == ticket:
            # It is told that nothing comes any more: another worker, which holds it, waits for that.
            self.abort()

    def _tell_again(self) -> None:
        """The last answer was lost: what it said is kept once more, before what has come since."""
        since = self.mailbox.take()
        for telling in [*self._told, *since]:
            self.mailbox.keep(telling)

    # -- towards the browser

    def arrived(self) -> None:
        """Something lies in the mailbox."""
        if self.closing:
            return
        if self.mailbox.get_write_buffer_size() > self._door.settings.slow_bytes:
            self._door.stalled += 1
            self.abort()
        elif self._waiter is None:
            return
        elif not self.mailbox.urgent:
            self._wake(self._counts_at(self._door.clock()))
        elif self._in_burst():
            self._wake(self._door.clock() + BURST_SECONDS)
        elif not self._flushing:
            # What is said in the same step goes into the same answer.
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def close(self, code: CloseCode, retry_ms: int | None = None) -> None:
        """See Session. The browser is told now if it waits, else by its next poll, for which two seconds are left."""
        if self.closing:
            return
        self._door.closes[code] += 1
        self.mailbox.write(frames.close(code, frames.close_reason(retry_ms) if retry_ms is not None else ""))
        self.closing = True
        if self._waiter is not None:
            self._flush()
        else:
            self._due_at = 0.0
            self._wake(self._door.clock() + LINGER_SECONDS)

    def abort(self) -> None:
        """See Session."""
        self.closing = True
        self._end()

    def due(self, now: float) -> float:
        """The wheel's call: answers a poll that has waited long enough, or ends a session that is not polled."""
        if self.closing:
            self._end()
        elif self._waiter is not None:
            if self._bucket is not None and self._bucket.refilled(now) >= self._door.settings.message_burst:
                self._bucket = None
            self._flush()
        else:
            self._door.vanished += 1
            self.abort()
        return 0.0

    def connection_lost(self, exc: Exception | None) -> None:
        """See Session."""
        self.mailbox.session = None
        super().connection_lost(exc)

    def _flush(self) -> None:
        """Answers the poll that waits with what there is."""
        self._flushing = False
        waiter, self._waiter = self._waiter, None
        if waiter is None or self._over:
            return
        self._told = self.mailbox.take()
        self._number += 1
        body = self._body(self._told)
        if self.closing:
            self._end()
        else:
            self._answered_at = self._door.clock()
            self._due_at = 0.0
            self._wake(self._answered_at + self._door.settings.pong_seconds)
        waiter.answer(body)

    def _body(self, told: list[Telling]) -> bytes:
        messages = b",".join([telling.text for telling in told])
        return b'{"session":"%b","seen":%d,"messages":[%b]}' % (self.id.encode(), self._number, messages)

    def _in_burst(self) -> bool:
        """Whether the browser has lately asked so often that it should not be made to ask again at once."""
        bucket = self._bucket
        return bucket is not None and bucket.refilled(self._door.clock()) < self._door.settings.message_burst / 2

    def _counts_at(self, now: float) -> float:
        return max(now, self._answered_at + COUNTS_SECONDS)

    def _wake(self, at: float) -> None:
        """Has the wheel call at `at`, unless it will before; `_due_at` of 0 forgets when it would."""
        if self._due_at and self._due_at <= at:
            return
        wheel, now = self._door.wheel, self._door.clock()
        self._due_at = at
        wheel.discard(self)
        wheel.put(self, now, at - now)

    def _end(self) -> None:
        """Is over, once; told by the loop, since whoever ends it may be among the sessions."""
        if self._over:
            return
        self._over = True
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.answer(None)
        asyncio.get_running_loop().call_soon(self.connection_lost, None)


def begin(door: Door, asked: Following, peer: str) -> PollSession:
    """Opens a session; its first poll is answered with the welcome.

    Raises:
        Refusal: It may not come in; nothing is held.
    """
    door.pace()
    inboxes = inboxes_of(door)
    mailbox = Mailbox(inboxes.translator)
    session, welcome = door.enter(asked, peer, cast(asyncio.Transport, mailbox), PollSession)
    mailbox.session = session
    inboxes.add(session)
    for telling in with_inbox(welcome, PATH + session.id):
        mailbox.keep(telling)
    return session
