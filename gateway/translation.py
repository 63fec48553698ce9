"""Reads back what was encoded for WebSockets, for browsers that follow over ordinary HTTP.

The rooms above encode one WebSocket frame and hand it to every session. Those that are none want the JSON in it, as an
event (WHATWG HTML, section 9.2) or as a member of a list. The same frame is translated once, however many follow:
:class:`Translator` remembers the last one by its identity. Nothing else of a session's is looked at here.

What browsers cannot see over HTTP is left out (pings, pongs), and a close frame becomes a message of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import msgspec
from websockets.frames import Close, Opcode

from gateway.closing import MEANINGS, CloseCode

# Names a number: a later one of the same name takes its place.
Scope: TypeAlias = tuple[str, str, str]


class _Members(msgspec.Struct):
    """What is of interest in a message."""

    type: str = ""
    cursor: str = ""
    scope: str = ""
    section: str = ""
    path: str = ""


class _Reason(msgspec.Struct):
    """The reason of a close frame, see :func:`gateway.frames.close_reason`."""

    retry_ms: int


_members = msgspec.json.Decoder(_Members).decode
_reason = msgspec.json.Decoder(_Reason).decode


class Telling:
    """One message to a browser.

    Attributes:
        text: The JSON, in UTF-8, without line breaks.
        event: The same as an event; its id is the cursor where the message has one, so that an ``EventSource`` that
            comes back says by itself how far it has got.
        scope: Of which number it is news; None of what is no number, and must not be left out.
    """

    __slots__ = ("event", "scope", "text")

    def __init__(self, text: bytes, retry_ms: int | None = None) -> None:
        members = _members(text)
        self.text = text
        self.scope: Scope | None = None
        if members.type == "presence":
            self.scope = (members.scope, members.section, members.path)
        lines = [b"data: ", text, b"\n\n"]
        if members.cursor:
            lines[:0] = [b"id: ", members.cursor.encode(), b"\n"]
        if retry_ms is not None:
            # For an `EventSource` without our script; it would come back after three seconds, and all would at once.
            lines[:0] = [b"retry: %d\n" % retry_ms]
        self.event = b"".join(lines)


def tellings(written: bytes) -> Iterator[Telling]:
    """The messages in `written`, whole unmasked frames as :mod:`gateway.frames` encodes them."""
    for opcode, payload in _frames(written):
        if opcode is Opcode.TEXT:
            yield Telling(payload)
        elif opcode is Opcode.CLOSE:
            yield farewell(payload)


def farewell(payload: bytes) -> Telling:
    """The payload of a close frame as a message."""
    close = Close.parse(payload)
    retry_ms = _reason(close.reason).retry_ms if close.reason else None
    said: dict[str, object] = {"type": "close", "code": close.code, "reason": MEANINGS[CloseCode(close.code)].says}
    if retry_ms is not None:
        said["retry_ms"] = retry_ms
    return Telling(msgspec.json.encode(said), retry_ms)


def with_inbox(welcome: bytes, path: str) -> list[Telling]:
    """The welcome, as it was encoded for a WebSocket, with the path to which its browser is to say what it says."""
    member = b',"inbox":%b}' % msgspec.json.encode(path)
    return [Telling(telling.text[:-1] + member) for telling in tellings(welcome)]


class Translator:
    """Translates what is written to many sessions, one after the other, once."""

    __slots__ = ("_events", "_frame", "_tellings")

    def __init__(self) -> None:
        self._frame = b""
        self._tellings: tuple[Telling, ...] = ()
        self._events = b""

    def tellings(self, written: bytes) -> tuple[Telling, ...]:
        """The messages in `written`."""
        if written is not self._frame:
            self._tellings = tuple(tellings(written))
            self._events = b"".join([telling.event for telling in self._tellings])
            self._frame = written
        return self._tellings

    def events(self, written: bytes) -> bytes:
        """The same as events; nothing, if there is no message in it."""
        if written is not self._frame:
            self.tellings(written)
        return self._events


def _frames(written: bytes) -> Iterator[tuple[Opcode, bytes]]:
    """Opcode and payload of each frame (RFC 6455 section 5.2)."""
    at = 0
    while at < len(written):
        opcode, size = Opcode(written[at] & 0x0F), written[at + 1]
        at += 2
        if size > 125:
            digits = 2 if size == 126 else 8
            size = int.from_bytes(written[at : at + digits], "big")
            at += digits
        yield opcode, written[at : at + size]
        at += size
