"""Where browsers that follow over ordinary HTTP say what others say over their WebSocket.

Such a browser opens a connection for each thing it says, and the kernel gives it to whichever worker it likes. So the
name of an inbox says which worker has it, and any other worker asks that one by way of a :class:`Relay`: for a message
to be heard, and for the answer to a poll. What one worker asks another is a :class:`Say`, :class:`Ask` or
:class:`HungUp`, as JSON; nothing is asked for a name that cannot be one.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

import msgspec
import structlog
from websockets.frames import Opcode

from gateway import cors, frames
from gateway.closing import CloseCode
from gateway.following import Following
from gateway.handshake import Upgrade
from gateway.session import Session
from gateway.translation import Translator

if TYPE_CHECKING:
    from gateway.desk import FrontDesk
    from gateway.door import Door
    from gateway.poll import Waiter

log = structlog.get_logger(__name__)

PATH = "/say/"
_ID = re.compile(r"(0|[1-9][0-9]{0,3})\.[A-Za-z0-9_-]{22}")
_UNGUESSABLE_BYTES = 16

Reply: TypeAlias = Callable[[str], None]


class Say(msgspec.Struct, tag=True, frozen=True):
    """Hear what a browser says; answered with an HTTP status."""

    id: str
    origin: str
    body: bytes


class Ask(msgspec.Struct, tag=True, frozen=True):
    """Answer a poll; answered with the body when there is something to say, empty if there is no such session.

    `ticket` names this poll among all.
    """

    id: str
    site: str
    seen: int | None
    ticket: str


class HungUp(msgspec.Struct, tag=True, frozen=True):
    """The browser did not wait for the answer to the poll `ticket`; answered with nothing."""

    id: str
    ticket: str


_question = msgspec.json.Decoder(Say | Ask | HungUp).decode
_encode = msgspec.json.Encoder().encode


class Relay(Protocol):
    """How a worker asks another one of the same node."""

    def ask(self, worker: int, question: str) -> asyncio.Future[str | None]:
        """What the worker of that index answers; None if there is none, or it ended meanwhile."""


class Correspondent(Session):
    """A session whose browser speaks by an inbox.

    Attributes:
        id: Names it, and is known to its browser alone.
    """

    __slots__ = ("id",)

    def __init__(self, door: Door, upgrade: Upgrade, address: str, transport: asyncio.Transport) -> None:
        super().__init__(door, upgrade, address, transport)
        self.id = inboxes_of(door).name()

    def posted(self, body: bytes) -> None:
        """Its browser has said something; nothing at all is a sign of life."""
        self._heard = True
        # First: what it says is of a reader, and becomes one only by this.
        self.answer()
        if self.closing:
            return
        if body:
            self.hear(frames.Message(Opcode.TEXT, body))
        elif not self._within_rate():
            self.close(CloseCode.FLOOD)

    def polled(self, waiter: Waiter) -> bool:
        """A poll has come; whether it will be answered."""
        return False

    def hung_up(self, ticket: str) -> None:
        """The poll `ticket` will not be answered: nobody waits for it."""

    def answer(self) -> None:
        """Its browser has shown that it hears us."""
        try:
            inboxes_of(self._door).desk.answered(self)
        except Exception as error:
            # As with a message: a listener's fault is not the browser's.
            log.error("answer failed", site=self.site, exc_info=error)

    def connection_lost(self, exc: Exception | None) -> None:
        """See Session."""
        inboxes_of(self._door).forget(self)
        super().connection_lost(exc)


class RemoteWaiter:
    """A poll that another worker holds, see :class:`gateway.poll.Waiter`."""

    __slots__ = ("_reply", "seen", "ticket")

    def __init__(self, asked: Ask, reply: Reply) -> None:
        self.ticket = asked.ticket
        self.seen = asked.seen
        self._reply = reply

    def answer(self, body: bytes | None) -> None:
        """Answers it; None if there is no such session."""
        self._reply(body.decode() if body is not None else "")


class Inboxes:
    """All inboxes of one worker.

    Args:
        door: Holds the sessions.
        desk: Hears what is said.
        worker: Index of this worker.
        relay: Asks the others, if there are any.

    Attributes:
        translator: For what is said to all sessions here.
    """

    def __init__(self, door: Door, desk: FrontDesk, *, worker: int = 0, relay: Relay | None = None) -> None:
        self.door = door
        self.desk = desk
        self.translator = Translator()
        self._worker = worker
        self._relay = relay
        self._sessions: dict[str, Correspondent] = {}
        door.inboxes = self

    def name(self) -> str:
        """A new name."""
        return f"{self._worker}.{secrets.token_urlsafe(_UNGUESSABLE_BYTES)}"

    def add(self, session: Correspondent) -> None:
        """From now on there is an inbox for `session`."""
        self._sessions[session.id] = session

    def forget(self, session: Correspondent) -> None:
        """The opposite of `add`; of a session without an inbox, nothing."""
        self._sessions.pop(session.id, None)

    def readable(self, origin: str, site: str | None = None) -> cors.Lines:
        """What lets pages of `origin` read an answer: to a request for `site`, or with None to one that names none."""
        return cors.readable(origin, self.desk.allows(origin, site))

    async def say(self, id: str, origin: str, body: bytes) -> int:
        """Takes what a browser says to the session `id`.

        Returns:
            An HTTP status: 204, it was heard; 403, pages of `origin` may not; 404, there is no such session; 503, it
            is another worker's, which does not answer.
        """
        owner = self._owner(id)
        if owner is None:
            return 404
        if owner == self._worker or self._relay is None:
            return self._hear(Say(id, origin, body))
        try:
            async with asyncio.timeout(self.door.settings.handshake_seconds):
                told = await self._relay.ask(owner, _encode(Say(id, origin, body)).decode())
        except TimeoutError:
            return 503
        return int(told) if told else 404

    def here(self, id: str) -> bool:
        """Whether there is a session `id`, and this worker has it."""
        return id in self._sessions

    def elsewhere(self, id: str) -> bool:
        """Whether the session `id` would be another worker's."""
        owner = self._owner(id)
        return owner is not None and owner != self._worker and self._relay is not None

    def poll(self, asked: Following, waiter: Waiter) -> None:
        """Has a poll answered, here or by the worker whose session it goes on with."""
        question = Ask(asked.session, asked.site, waiter.seen, waiter.ticket)
        owner = self._owner(asked.session)
        if owner is None or owner == self._worker or self._relay is None:
            self._wait(question, waiter)
        else:
            future = self._relay.ask(owner, _encode(question).decode())
            future.add_done_callback(lambda done: waiter.answer(_body(done)))

    def hung_up(self, id: str, ticket: str) -> None:
        """The browser does not wait any more for the answer to a poll that `poll` was told of."""
        owner = self._owner(id)
        if owner is not None and owner != self._worker and self._relay is not None:
            self._relay.ask(owner, _encode(HungUp(id, ticket)).decode())
        elif (session := self._sessions.get(id)) is not None:
            session.hung_up(ticket)

    def asked(self, question: str, reply: Reply) -> None:
        """Another worker asks; `reply` is called once with the answer."""
        one = _question(question)
        match one:
            case Say():
                reply(str(self._hear(one)))
            case Ask():
                self._wait(one, RemoteWaiter(one, reply))
            case HungUp():
                if (session := self._sessions.get(one.id)) is not None:
                    session.hung_up(one.ticket)
                reply("")

    def _owner(self, id: str) -> int | None:
        """Index of the worker that `id` may be a session of; None if it is no name."""
        parts = _ID.fullmatch(id)
        return int(parts[1]) if parts is not None else None

    def _hear(self, said: Say) -> int:
        session = self._sessions.get(said.id)
        if session is None or session.closing:
            return 404
        if said.origin and not self.desk.allows(said.origin, session.site):
            return 403
        session.posted(said.body)
        return 204

    def _wait(self, question: Ask, waiter: Waiter) -> None:
        session = self._sessions.get(question.id)
        if session is None or session.site != question.site or not session.polled(waiter):
            waiter.answer(None)


def inboxes_of(door: Door) -> Inboxes:
    """Those of a door that has them; only there is anybody let in who needs one."""
    if door.inboxes is None:
        raise LookupError("this door has no inboxes")
    return door.inboxes


def _body(done: asyncio.Future[str | None]) -> bytes | None:
    """What another worker has answered to a poll."""
    told = done.result() if not done.cancelled() else None
    return told.encode() if told else None
