"""WebSocket frames (RFC 6455 section 5) without I/O: what we send, encoded once; what a browser sends, read on demand.

A reader of inbound frames exists only while a frame or a message is incomplete; an idle session has none. Parsing is
that of `websockets`; put together here are messages out of fragments, their limit, and the close code for each fault.
"""

from __future__ import annotations

import codecs
from collections.abc import Generator, Iterator
from typing import NamedTuple

import msgspec
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import CTRL_OPCODES, Close, Frame, Opcode
from websockets.streams import StreamReader

from gateway.closing import CloseCode
from gateway.errors import FrameError

PING = Frame(Opcode.PING, b"").serialize(mask=False)

_FIN = 0x80
_LENGTH = 0x7F
_CONTROL_BYTES = 125  # RFC 6455 section 5.5

# A fragment counts for at least so many bytes of its message. What one costs to read does not depend on its length, so
# a message of fragments of a byte, or of none, would cost thousands of times what a whole one does.
_FRAGMENT_BYTES = 64


class Message(NamedTuple):
    """A whole frame or message: TEXT, BINARY, PING, PONG or CLOSE, and its payload."""

    opcode: Opcode
    payload: bytes


def text(payload: bytes) -> bytes:
    """A text message in one frame; `payload` is UTF-8. Does what `Frame.serialize` does, at the price of a hot path."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def binary(payload: bytes) -> bytes:
    """A binary message in one frame."""
    return Frame(Opcode.BINARY, payload).serialize(mask=False)


def pong(payload: bytes) -> bytes:
    """The answer to a ping."""
    return Frame(Opcode.PONG, payload).serialize(mask=False)


def close(code: CloseCode | int, reason: str = "") -> bytes:
    """A close frame; `reason` is at most 123 bytes."""
    return Frame(Opcode.CLOSE, Close(int(code), reason).serialize()).serialize(mask=False)


def close_reason(retry_ms: int) -> str:
    """The reason that assigns a delay to a browser."""
    return msgspec.json.encode({"retry_ms": retry_ms}).decode()


class Inbound:
    """Puts frames and messages together from bytes as they come.

    Args:
        limit: Longest message, in bytes; a fragment but the last counts for at least 64.
    """

    __slots__ = ("_decoder", "_fragments", "_length", "_limit", "_opcode", "_parser", "_reader")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._reader = StreamReader()
        self._parser: Generator[None, None, Frame] | None = None
        self._opcode: Opcode | None = None
        self._fragments: list[bytes] = []
        self._length = 0
        self._decoder: codecs.IncrementalDecoder | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing is incomplete, so that this object may be dropped."""
        return self._opcode is None and not self._reader.buffer and self._parser is None

    def feed(self, chunk: bytes) -> Iterator[Message]:
        """Takes bytes; yields what they complete.

        Raises:
            FrameError: The input breaks the protocol; nothing more can be read.
        """
        self._reader.feed_data(chunk)
        while (frame := self._frame()) is not None:
            if frame.opcode in CTRL_OPCODES:
                yield Message(frame.opcode, bytes(frame.data))
            elif (message := self._assemble(frame)) is not None:
                yield message

    def _frame(self) -> Frame | None:
        if self._parser is None:
            buffer = self._reader.buffer
            if len(buffer) < 2:
                return None
            left = self._limit - self._length
            if buffer[0] & 0x08:
                # A control frame is no part of the message it interrupts; and its two rules are judged by its head,
                # before its payload is waited for or taken for a message that is too long.
                if not buffer[0] & _FIN or buffer[1] & _LENGTH > _CONTROL_BYTES:
                    raise FrameError(CloseCode.PROTOCOL_ERROR, "a control frame that is fragmented or too long")
                left = _CONTROL_BYTES
            self._parser = Frame.parse(self._reader.read_exact, mask=True, max_size=left)
        try:
            next(self._parser)
        except StopIteration as done:
            self._parser = None
            frame: Frame = done.value
            return frame
        except PayloadTooBig:
            raise FrameError(CloseCode.TOO_LONG, f"a message may be {self._limit} bytes") from None
        except ProtocolError as error:
            raise FrameError(CloseCode.PROTOCOL_ERROR, str(error)) from None
        return None

    def _assemble(self, frame: Frame) -> Message | None:
        if frame.opcode is Opcode.CONT:
            if self._opcode is None:
                raise FrameError(CloseCode.PROTOCOL_ERROR, "a continuation of nothing")
        elif self._opcode is not None:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "a new message inside an unfinished one")
        else:
            self._opcode = frame.opcode
        payload = bytes(frame.data)
        self._check_text(payload, frame.fin)
        if frame.fin:
            message = Message(self._opcode, b"".join((*self._fragments, payload)))
            self._opcode = None
            self._fragments.clear()
            self._length = 0
            self._decoder = None
            return message
        self._fragments.append(payload)
        self._length += max(len(payload), _FRAGMENT_BYTES)
        return None

    def _check_text(self, payload: bytes, final: bool) -> None:
        """Fails at the first fragment that cannot become UTF-8 any more (RFC 6455 section 8.1)."""
        if self._opcode is not Opcode.TEXT:
            return
        try:
            if final and self._decoder is None:
                payload.decode()
                return
            if self._decoder is None:
                self._decoder = codecs.getincrementaldecoder("utf-8")()
            self._decoder.decode(payload, final)
            pending = self._decoder.getstate()[0]
        except UnicodeDecodeError:
            raise FrameError(CloseCode.INVALID_TEXT, "the message is not UTF-8") from None
        if pending[:1] == b"\xed" and pending[1:2] > b"\x9f":
            # A surrogate, which Python's decoder takes for half a character until the third byte.
            raise FrameError(CloseCode.INVALID_TEXT, "the message is not UTF-8")


def parse_close(payload: bytes) -> Close:
    """The code and reason of a close frame a browser sent; code 1005 where it gave none.

    Raises:
        FrameError: They break the protocol.
    """
    try:
        return Close.parse(payload)
    except UnicodeDecodeError:
        raise FrameError(CloseCode.INVALID_TEXT, "the reason is not UTF-8") from None
    except ProtocolError as error:
        raise FrameError(CloseCode.PROTOCOL_ERROR, str(error)) from None
