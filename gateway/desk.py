"""What happens at the door: who may come in, what the first frame says, and who hears what browsers say.

The gate asks a :class:`Desk`; there are two, the :class:`FrontDesk` of the service and the one of
:mod:`gateway.echo`. The rooms above tell the front desk what to say and what they want to hear; it knows none of them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import msgspec
from websockets.frames import Opcode

from gateway import frames
from gateway.closing import CloseCode
from gateway.errors import Refusal
from gateway.handshake import Upgrade, page_path, page_section
from gateway.instants import rfc3339
from gateway.origins import Origins
from gateway.settings import GatewaySettings
from gateway.sites import OfEach, Sites, SiteSettings

if TYPE_CHECKING:
    from gateway.hub import Hub
    from gateway.session import Session

Greeter: TypeAlias = "Callable[[Session], bytes]"
Farewell: TypeAlias = "Callable[[Session], None]"
Listener: TypeAlias = "Callable[[Session, dict[str, Any]], None]"

# What browsers may say and of what type its members are, see docs/protocol.md. Members that are not named may be any.
_KNOWN: dict[str, dict[str, type]] = {
    "page": {"path": str, "section": str, "show": str, "tab": str, "again": bool},
    "state": {"state": str, "tab": str, "seen": bool},
    "gone": {"tab": str},
    # How a browser that follows over HTTP answers a tick; nobody needs to hear it.
    "tick": {},
    "ack": {"id": str, "revision": int, "did": str, "waited": int},
}

# A browser that comes back meets a worker that takes so many a millisecond without holding its loop.
RETURNS_PER_MS = 2


class Desk(Protocol):
    """What the gate asks of the service behind it."""

    def admit(self, upgrade: Upgrade) -> None:
        """Lets a well-formed upgrade in; raises Refusal if not."""

    def opened(self, session: Session) -> bytes:
        """The session exists now; returns the frames to send with the 101, in the same write.

        If this raises, the session was never open: nothing is held, and `closed` is not called.
        """

    def answered(self, session: Session) -> None:
        """The browser was heard of; called at least once for each that was, before `received`."""

    def received(self, session: Session, message: frames.Message) -> None:
        """A whole TEXT or BINARY message; text is valid UTF-8."""

    def closed(self, session: Session) -> None:
        """The session is over; called once for each that was opened."""


class FrontDesk:
    """The desk of the service.

    Args:
        settings: Limits and reconnect delays.
        sites: The portals.
        hub: Where sessions join.
        clock: Unix time in seconds, told to every browser: the clock by which announcements end, the store's.
    """

    def __init__(
        self, settings: GatewaySettings, sites: Sites, hub: Hub, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._hub = hub
        self._clock = clock
        self._heads = OfEach(sites, _head)
        self._origins = OfEach(sites, lambda _, one: Origins(one.origins))
        self._greeters: list[Greeter] = []
        self._answers: list[Farewell] = []
        self._farewells: list[Farewell] = []
        # Those that nobody listens to are known all the same.
        self._listeners: dict[str, list[Listener]] = {**{type: [] for type in _KNOWN}, "page": [_moved]}
        self._now_text = b""
        self._now_ms = 0
        self.ignored = 0

    def greet_with(self, greeter: Greeter) -> None:
        """Adds what `greeter` returns, JSON members without braces, to every welcome.

        It runs inside the handshake, in the same step in which the session joins the hub: no I/O, microseconds only.
        """
        self._greeters.append(greeter)

    def on_answer(self, listener: Farewell) -> None:
        """Calls `listener` once for every session whose browser was heard of since it was welcomed: it is there."""
        self._answers.append(listener)

    def on_departure(self, farewell: Farewell) -> None:
        """Calls `farewell` once for every session that ends."""
        self._farewells.append(farewell)

    def on_message(self, type: str, listener: Listener) -> None:
        """Calls `listener` with every message of this type; members of the protocol have their type, or are missing."""
        self._listeners.setdefault(type, []).append(listener)

    def admit(self, upgrade: Upgrade) -> None:
        """See :class:`Desk`."""
        origins = self._origins.get(upgrade.site)
        if origins is None:
            missing = "Name a site: ?site=…" if not upgrade.site else "There is no such site here."
            raise Refusal(404, "site", missing)
        if upgrade.origin and not origins.allow(upgrade.origin):
            raise Refusal(403, "origin", "Pages of this origin may not connect; see `origins` of the site's settings.")

    def allows(self, origin: str, site: str | None = None) -> bool:
        """Whether pages of this origin may connect to the site; to any site, with None."""
        if site is not None:
            return site in self._origins and self._origins[site].allow(origin)
        return any(origins.allow(origin) for origins in self._origins.values())

    def opened(self, session: Session) -> bytes:
        """See :class:`Desk`. Joins the hub and greets without an await between, so nothing is missed or told twice."""
        self._hub.join(session)
        try:
            members = b",".join([greeter(session) for greeter in self._greeters])
        except BaseException:
            # Those that had greeted are told that it is over.
            self.closed(session)
            raise
        base, cap = reconnect_ms(self._settings, self._hub.total)
        head = b'%b,"now":"%b","reconnect":{"base_ms":%d,"cap_ms":%d}' % (
            self._heads[session.site],
            self._now(),
            base,
            cap,
        )
        # They served their purpose in the greeting; a session keeps none.
        session.visitor = session.since = session.show = session.state = ""
        return frames.text(head + b"," + members + b"}" if members else head + b"}")

    def answered(self, session: Session) -> None:
        """See :class:`Desk`."""
        if session.answered:
            return
        session.answered = True
        for listener in self._answers:
            listener(session)

    def received(self, session: Session, message: frames.Message) -> None:
        """See :class:`Desk`. What does not parse, is not known or has a wrong type in it is ignored and counted."""
        if message.opcode is not Opcode.TEXT:
            session.close(CloseCode.UNSUPPORTED)
            return
        try:
            said = msgspec.json.decode(message.payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # The text of a WebSocket is known to be UTF-8, what comes to an inbox is not.
            self.ignored += 1
            return
        kind = said.get("type") if isinstance(said, Mapping) else None
        if not isinstance(kind, str) or kind not in self._listeners or not _well_typed(said, _KNOWN.get(kind, {})):
            self.ignored += 1
            return
        for listener in self._listeners[kind]:
            listener(session, said)

    def closed(self, session: Session) -> None:
        """See :class:`Desk`."""
        self._hub.leave(session)
        for farewell in self._farewells:
            farewell(session)

    def retry_ms(self) -> int:
        """A delay for one browser that is sent away, so that all do not return at once."""
        spread = max(self._settings.reconnect_cap_ms // 2, self._hub.total // RETURNS_PER_MS)
        return random.randint(self._settings.reconnect_base_ms // 2, spread)  # noqa: S311  spreads load, guards nothing

    def _now(self) -> bytes:
        """The time, to the millisecond, formatted at most once a millisecond."""
        milliseconds = round(self._clock() * 1000)
        if milliseconds != self._now_ms:
            self._now_ms = milliseconds
            self._now_text = rfc3339(milliseconds).encode()
        return self._now_text


def _head(site: str, settings: SiteSettings) -> bytes:
    """The members of a welcome that are the same for all of a site, without a closing brace."""
    small = b',"small":%d' % settings.small_counts if settings.small_counts else b""
    return b'{"type":"welcome","site":"%b","language":"%b"%b' % (site.encode(), settings.language.encode(), small)


def reconnect_ms(settings: GatewaySettings, sessions: int) -> tuple[int, int]:
    """How long the browsers of a worker with so many sessions are told to wait: at most at first, and at most ever."""
    base = max(settings.reconnect_base_ms, sessions // RETURNS_PER_MS)
    return base, max(settings.reconnect_cap_ms, 4 * base)


def _moved(session: Session, said: dict[str, Any]) -> None:
    """The browser went to another page without a new connection; another of its tabs is nothing to the session."""
    if said.get("tab"):
        return
    if "path" in said:
        session.path = page_path(said["path"])
    if "section" in said:
        session.section = page_section(said["section"])


def _well_typed(said: Mapping[str, Any], types: Mapping[str, type]) -> bool:
    """Whether each member that `types` names is of its type or missing; a boolean is no number here."""
    return all(type(said[name]) is wanted for name, wanted in types.items() if name in said)
