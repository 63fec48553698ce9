"""One connection of one tab, as a browser has it: real frames over a real socket, pings answered as they come.

It remembers the numbers it was told last, as the page shows them. It can go in the three ways browsers go: say
goodbye, be reset, or fall silent with the socket left open, as when the network is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast
from urllib.parse import quote

import msgspec
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from tests.truth.history import Place
from tests.truth.nodes import SITE
from tests.truth.segments import STATES, Number

_decode = msgspec.json.Decoder().decode


class Refused(Exception):
    """The service did not let it in."""


class Connection(asyncio.Protocol):
    """A WebSocket of a tab.

    Args:
        url: Of the node.
        visitor: The token the browser keeps, empty for a newcomer.
        place: The page.
        attention: What the reader does with it.
        show: Which numbers it shows besides the site's.
        lost: Called once, when the connection is over.

    Attributes:
        welcome: The first frame.
        over: Set when the connection is over.
        told: The numbers it was told last.
        stale: Whether it was told that they are old.
        silent: It has vanished.
    """

    def __init__(
        self, url: str, visitor: str, place: Place, attention: int, *, show: str, lost: Callable[[Connection], None]
    ) -> None:
        query = f"site={SITE}&path={quote(place.path)}&section={place.section}&state={STATES[attention]}"
        self._protocol = ClientProtocol(
            parse_uri(f"ws{url.removeprefix('http')}/ws?{query}&visitor={quote(visitor)}&show={show}"), max_size=None
        )
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self.welcome: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.over = asyncio.Event()
        self.told: dict[Number, int | None] = {}
        self.stale = True
        self.silent = False

    async def open(self) -> dict[str, Any]:
        """Connects; returns the welcome.

        Raises:
            OSError: Nobody listens.
            Refused: The service did not let it in, or ended before it had greeted.
        """
        host, port = self._protocol.uri.host, self._protocol.uri.port
        await asyncio.get_running_loop().create_connection(lambda: self, host, port)
        return await self.welcome

    @property
    def connected(self) -> bool:
        """Whether the kernel has ever let it through."""
        return self._transport is not None

    def say(self, **message: object) -> bool:
        """Sends a message; returns False if the other side has ended the connection, of which `lost` is told soon."""
        if self._protocol.state is not State.OPEN:
            return False
        self._protocol.send_text(msgspec.json.encode(message))
        self._flush()
        return True

    def forget_places(self, but: Iterable[Place]) -> None:
        """Forgets what it was told of sections and pages `but` these."""
        kept = {number for place in but for number in (Number("section", place.section), Number("page", place.path))}
        for number in [one for one in self.told if one.kind in ("section", "page") and one not in kept]:
            del self.told[number]

    def close(self) -> None:
        """Says goodbye, as a browser does when a page is closed."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1001)
            self._flush()

    def abort(self) -> None:
        """Resets the connection."""
        if self._transport is not None:
            self._transport.abort()

    def vanish(self) -> None:
        """Falls silent: reads nothing, answers nothing, and leaves the socket open."""
        self.silent = True
        if self._transport is not None:
            self._transport.pause_reading()

    # -- from the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the transport."""
        # uvloop's is none by its class.
        self._transport = cast(asyncio.Transport, transport)
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Called by the transport."""
        if self.silent:
            return
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Response) and event.status_code != 101:
                self._fail(f"answered {event.status_code}")
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._hear(_decode(event.data))
        self._flush()

    def eof_received(self) -> None:
        """Called by the transport, which then closes."""
        self._protocol.receive_eof()

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the transport."""
        self._fail("hung up")
        self.over.set()
        self._lost(self)

    def _flush(self) -> None:
        if self.silent or self._transport is None or self._transport.is_closing():
            return
        for part in self._protocol.data_to_send():
            if part:
                self._transport.write(part)
            else:
                self._transport.close()

    def _fail(self, why: str) -> None:
        if not self.welcome.done():
            self.welcome.set_exception(Refused(why))

    def _hear(self, said: dict[str, Any]) -> None:
        if said["type"] == "welcome":
            self._learn(said)
            for scope in said.get("scopes", ()):
                self._learn(scope)
            if not self.welcome.done():
                self.welcome.set_result(said)
        elif said["type"] == "presence":
            self._learn(said)

    def _learn(self, said: dict[str, Any]) -> None:
        scope = said.get("scope", "site")
        if scope == "states":
            for state in STATES:
                self.told[Number(state)] = said[state]
        elif scope == "site":
            self.told[Number("site")] = said["online"]
            self.stale = said["stale"]
        else:
            self.told[Number(scope, said["section" if scope == "section" else "path"])] = said["online"]
