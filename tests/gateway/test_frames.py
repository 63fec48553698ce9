"""Frames: whatever was sent, cut anywhere, is heard as sent; whatever breaks the protocol is found at once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode

from gateway import frames
from gateway.closing import CloseCode
from gateway.errors import FrameError
from gateway.frames import Inbound, Message
from tests.gateway.conftest import frame

CONTROL = [Opcode.PING, Opcode.PONG, Opcode.CLOSE]
UNKNOWN = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]


def fault(sent: bytes, limit: int = 4096) -> CloseCode:
    """The code with which this input ends."""
    with pytest.raises(FrameError) as caught:
        list(Inbound(limit).feed(sent))
    return caught.value.code


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_text_is_encoded_as_websockets_does(size: int) -> None:
    payload = b"a" * size
    assert frames.text(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


messages = st.one_of(
    st.tuples(st.just(Opcode.TEXT), st.text(max_size=200).map(str.encode)),
    st.tuples(st.just(Opcode.BINARY), st.binary(max_size=200)),
)
controls = st.tuples(st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125))


@st.composite
def conversations(draw: st.DrawFn) -> tuple[bytes, list[Message]]:
    """Messages in fragments with control frames between; the bytes, and what is to be heard in order."""
    sent, heard = b"", []
    for opcode, payload in draw(st.lists(messages, max_size=5)):
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=3)))
        pieces = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        for index, piece in enumerate(pieces):
            for control, content in draw(st.lists(controls, max_size=1)):
                sent += frame(control, content)
                heard.append(Message(control, content))
            last = index == len(pieces) - 1
            sent += frame(Opcode.CONT if index else opcode, piece, fin=last)
        heard.append(Message(opcode, payload))
    return sent, heard


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(conversations(), st.data())
def test_any_conversation_cut_anywhere_is_heard_as_sent(
    conversation: tuple[bytes, list[Message]], data: st.DataObject
) -> None:
    sent, expected = conversation
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    inbound = Inbound(4096)
    heard = []
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        heard += inbound.feed(sent[start:end])
    assert heard == expected
    assert inbound.idle


def test_nothing_is_kept_only_between_messages() -> None:
    inbound = Inbound(4096)
    sent = frame(Opcode.TEXT, b"a", fin=False) + frame(Opcode.PING) + frame(Opcode.CONT, b"b")
    idle = []
    for byte in sent:
        list(inbound.feed(bytes([byte])))
        idle.append(inbound.idle)
    assert idle == [False] * (len(sent) - 1) + [True]


BROKEN = {
    "not masked": frame(Opcode.TEXT, b"hi", masked=False),
    "a ping not masked": frame(Opcode.PING, masked=False),
    **{f"reserved bits {bits}": frame(Opcode.TEXT, b"hi", reserved=bits) for bits in range(1, 8)},
    "a reserved bit on a ping": frame(Opcode.PING, reserved=4),
    **{f"opcode {opcode}": frame(opcode, b"hi") for opcode in UNKNOWN},
    **{f"a fragment of {opcode.name}": frame(opcode, fin=False) for opcode in CONTROL},
    **{f"a {opcode.name} of 126 bytes": frame(opcode, b"a" * 126) for opcode in CONTROL},
    **{f"a {opcode.name} of 65536 bytes": frame(opcode, b"a" * 65536) for opcode in CONTROL},
    "a continuation of nothing": frame(Opcode.CONT, b"hi"),
    "a continuation behind a message": frame(Opcode.TEXT, b"hi") + frame(Opcode.CONT, b"hi"),
    "a message in a message": frame(Opcode.TEXT, b"hi", fin=False) + frame(Opcode.TEXT, b"hi"),
    "binary in text": frame(Opcode.TEXT, b"hi", fin=False) + frame(Opcode.BINARY, b"hi"),
}


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
def test_breaks_the_protocol(sent: bytes) -> None:
    assert fault(sent) is CloseCode.PROTOCOL_ERROR


@pytest.mark.parametrize("sent", [frame(Opcode.PING, size=126)[:2], frame(Opcode.CLOSE, fin=False, size=125)[:2]])
def test_a_control_frame_is_judged_by_its_head(sent: bytes) -> None:
    assert fault(sent) is CloseCode.PROTOCOL_ERROR


NOT_UTF8 = {
    "a stray byte": [b"caf\xe9"],
    "a surrogate": [b"\xed\xa0\x80"],
    "overlong": [b"\xc0\xaf"],
    "beyond the last character": [b"\xf4\x90\x80\x80"],
    "ends in the middle": [b"\xe1\xbb"],
    "ends in the middle of a fragment's character": [b"a\xe1", b"\xbb"],
    "broken over two fragments": [b"\xe1", b"a\x87"],
}


@pytest.mark.parametrize("pieces", NOT_UTF8.values(), ids=NOT_UTF8)
def test_text_that_is_not_utf8(pieces: list[bytes]) -> None:
    sent = b"".join(
        frame(Opcode.CONT if index else Opcode.TEXT, piece, fin=index == len(pieces) - 1)
        for index, piece in enumerate(pieces)
    )
    assert fault(sent) is CloseCode.INVALID_TEXT


@pytest.mark.parametrize(
    "pieces", [[b"\xed\xa0\x80"], [b"\xed\xa0"], [b"a\xed", b"\xbf"], [b"\xf4", b"\x90"], [b"ok", b"\xff"]]
)
def test_broken_text_is_found_before_the_message_ends(pieces: list[bytes]) -> None:
    sent = b"".join(
        frame(Opcode.CONT if index else Opcode.TEXT, piece, fin=False) for index, piece in enumerate(pieces)
    )
    assert fault(sent) is CloseCode.INVALID_TEXT


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=6))
def test_text_is_heard_if_and_only_if_it_is_utf8(pieces: list[bytes]) -> None:
    sent = b"".join(
        frame(Opcode.CONT if index else Opcode.TEXT, piece, fin=index == len(pieces) - 1)
        for index, piece in enumerate(pieces)
    )
    whole = b"".join(pieces)
    try:
        whole.decode()
    except UnicodeDecodeError:
        assert fault(sent) is CloseCode.INVALID_TEXT
    else:
        assert list(Inbound(4096).feed(sent)) == [Message(Opcode.TEXT, whole)]


def test_a_character_may_be_cut_between_fragments() -> None:
    sent = frame(Opcode.TEXT, "tứ".encode()[:2], fin=False) + frame(Opcode.CONT, "tứ".encode()[2:])
    assert list(Inbound(4096).feed(sent)) == [Message(Opcode.TEXT, "tứ".encode())]


def test_a_message_as_long_as_allowed() -> None:
    whole = frame(Opcode.TEXT, b"a" * 4096)
    parts = frame(Opcode.TEXT, b"a" * 4000, fin=False) + frame(Opcode.CONT, b"a" * 96)
    assert [message.payload for message in Inbound(4096).feed(whole + parts)] == [b"a" * 4096] * 2


@pytest.mark.parametrize(
    "sent",
    [
        frame(Opcode.TEXT, size=4097),
        frame(Opcode.BINARY, size=2**63),
        frame(Opcode.TEXT, b"a" * 4000, fin=False) + frame(Opcode.CONT, size=97),
        frame(Opcode.TEXT, b"a" * 4096, fin=False) + frame(Opcode.CONT, b"a", fin=False),
    ],
    ids=["one frame", "a monster", "the last fragment", "no last fragment"],
)
def test_a_message_that_is_too_long_is_not_waited_for(sent: bytes) -> None:
    assert fault(sent) is CloseCode.TOO_LONG


def test_a_ping_fits_into_a_message_that_is_nearly_full() -> None:
    sent = frame(Opcode.TEXT, b"a" * 4090, fin=False) + frame(Opcode.PING, b"p" * 125) + frame(Opcode.CONT, b"a" * 6)
    assert list(Inbound(4096).feed(sent)) == [Message(Opcode.PING, b"p" * 125), Message(Opcode.TEXT, b"a" * 4096)]


@pytest.mark.parametrize("size", [0, 1, 63, 64])
def test_a_message_has_only_so_many_fragments(size: int) -> None:
    fragment = b"a" * size
    begun = frame(Opcode.TEXT, fragment, fin=False) + frame(Opcode.CONT, fragment, fin=False) * 63
    whole = Message(Opcode.TEXT, fragment * 64)
    assert list(Inbound(4096).feed(begun + frame(Opcode.CONT))) == [whole]
    assert fault(begun + frame(Opcode.CONT, b"a")) is CloseCode.TOO_LONG
    assert fault(begun + frame(Opcode.CONT, fin=False) * 2) is CloseCode.TOO_LONG


def test_fragments_are_charged_for_one_message_at_a_time() -> None:
    sent = (frame(Opcode.TEXT, b"a", fin=False) + frame(Opcode.CONT, b"b")) * 200
    assert list(Inbound(256).feed(sent)) == [Message(Opcode.TEXT, b"ab")] * 200


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 3999, 4000, 4999])
def test_a_close_that_may_be_sent(code: int) -> None:
    assert frames.parse_close(code.to_bytes(2, "big") + "tạm biệt".encode()) == Close(code, "tạm biệt")


def test_a_close_without_a_code() -> None:
    assert frames.parse_close(b"") == Close(1005, "")


@pytest.mark.parametrize("code", [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_a_close_code_nobody_may_send(code: int) -> None:
    with pytest.raises(FrameError) as caught:
        frames.parse_close(code.to_bytes(2, "big"))
    assert caught.value.code is CloseCode.PROTOCOL_ERROR


def test_half_a_close_code() -> None:
    with pytest.raises(FrameError) as caught:
        frames.parse_close(b"\x03")
    assert caught.value.code is CloseCode.PROTOCOL_ERROR


def test_a_close_reason_that_is_not_utf8() -> None:
    with pytest.raises(FrameError) as caught:
        frames.parse_close(b"\x03\xe8\xff")
    assert caught.value.code is CloseCode.INVALID_TEXT
    assert str(caught.value) == "INVALID_TEXT: the reason is not UTF-8"


@given(st.integers(0, 10**9))
def test_a_reason_with_a_delay_fits_into_a_close_frame(retry_ms: int) -> None:
    reason = frames.close_reason(retry_ms)
    assert json.loads(reason) == {"retry_ms": retry_ms}
    assert len(frames.close(CloseCode.RESTART, reason)) <= 2 + 125
