"""RFC 6455 from the outside: the families of cases of the Autobahn suite, against ``gateway.echo`` as a process.

The suite itself is not at hand here; the numbers in the comments are its own. Families 12 and 13 are about compression,
which is never negotiated.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from websockets.frames import Opcode

from tests.gateway.conftest import Client, farewell, frame, upgrade

ROOT = Path(__file__).parents[2]
TEXT, BINARY, CONT, PING, PONG, CLOSE = Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PING, Opcode.PONG, Opcode.CLOSE
MIB = 2**20


@pytest.fixture(scope="module")
def echo_port() -> Iterator[int]:
    """The port of an echo that lives as long as these tests."""
    command = [sys.executable, "-m", "gateway.echo", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        announced = re.fullmatch(r"echo at ws://127\.0\.0\.1:(\d+)/ws\n", process.stdout.readline())
        assert announced is not None
        yield int(announced[1])
        process.terminate()


@pytest.fixture
async def client(echo_port: int) -> AsyncIterator[Client]:
    """An open connection."""
    connected = Client(*await asyncio.open_connection("127.0.0.1", echo_port))
    await connected.send(upgrade("", origin=None))
    assert (await connected.answer()).status == 101
    yield connected
    connected.hang_up()


async def echoes(client: Client, opcode: Opcode, payload: bytes) -> None:
    """The next frame is this message, whole."""
    received = await client.frame()
    assert received.opcode is opcode
    assert bytes(received.data) == payload
    assert received.fin


async def still_there(client: Client) -> None:
    """The connection is open, and ends properly when it is closed."""
    await client.send(frame(TEXT, b"still there?"))
    await echoes(client, TEXT, b"still there?")
    await client.send(farewell())
    assert (await client.closed()).code == 1000


def fragments(opcode: Opcode, payload: bytes, size: int) -> bytes:
    """The message in frames of `size` bytes."""
    pieces = [payload[start : start + size] for start in range(0, len(payload), size)] or [b""]
    return b"".join(
        frame(CONT if index else opcode, piece, fin=index == len(pieces) - 1) for index, piece in enumerate(pieces)
    )


# -- 1: messages of every kind of length


@pytest.mark.parametrize("size", [0, 125, 126, 127, 128, 65535, 65536])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_1_a_message(client: Client, opcode: Opcode, size: int) -> None:
    payload = b"*" * size if opcode is TEXT else b"\xfe" * size
    await client.send(frame(opcode, payload))
    await echoes(client, opcode, payload)
    await still_there(client)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_1_8_a_message_in_chops(client: Client, opcode: Opcode) -> None:
    payload = b"*" * 65536
    sent = frame(opcode, payload)
    for start in range(0, len(sent), 997):
        await client.send(sent[start : start + 997])
        await asyncio.sleep(0)
    await echoes(client, opcode, payload)
    await still_there(client)


# -- 2: pings and pongs


@pytest.mark.parametrize("payload", [b"", b"Hello, world!", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125])
async def test_2_1_to_2_4_a_ping(client: Client, payload: bytes) -> None:
    await client.send(frame(PING, payload))
    await echoes(client, PONG, payload)
    await still_there(client)


async def test_2_5_a_ping_that_is_too_long(client: Client) -> None:
    await client.send(frame(PING, b"\xfe" * 126))
    assert (await client.closed()).code == 1002


async def test_2_6_a_ping_byte_by_byte(client: Client) -> None:
    for byte in frame(PING, b"\xfe" * 125):
        await client.send(bytes([byte]))
        await asyncio.sleep(0)
    await echoes(client, PONG, b"\xfe" * 125)


@pytest.mark.parametrize("payload", [b"", b"unsolicited"])
async def test_2_7_to_2_9_a_pong_nobody_asked_for(client: Client, payload: bytes) -> None:
    await client.send(frame(PONG, payload) + frame(PING, b"ping"))
    await echoes(client, PONG, b"ping")
    await still_there(client)


@pytest.mark.parametrize("chopped", [False, True])
async def test_2_10_and_2_11_ten_pings(client: Client, chopped: bool) -> None:
    sent = b"".join(frame(PING, b"payload-%d" % number) for number in range(10))
    for piece in [bytes([byte]) for byte in sent] if chopped else [sent]:
        await client.send(piece)
    for number in range(10):
        await echoes(client, PONG, b"payload-%d" % number)


# -- 3: reserved bits


@pytest.mark.parametrize("reserved", range(1, 8))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
async def test_3_a_reserved_bit(client: Client, opcode: Opcode, reserved: int) -> None:
    await client.send(frame(TEXT, b"fine") + frame(opcode, b"", reserved=reserved) + frame(PING))
    await echoes(client, TEXT, b"fine")
    assert (await client.closed()).code == 1002


# -- 4: opcodes nobody has defined


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
@pytest.mark.parametrize("payload", [b"", b"reserved opcode payload"])
async def test_4_an_unknown_opcode(client: Client, opcode: int, payload: bytes) -> None:
    await client.send(frame(TEXT, b"fine") + frame(opcode, payload) + frame(PING))
    await echoes(client, TEXT, b"fine")
    assert (await client.closed()).code == 1002


# -- 5: fragments


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
async def test_5_1_and_5_2_a_control_frame_in_fragments(client: Client, opcode: Opcode) -> None:
    await client.send(frame(opcode, b"frag", fin=False) + frame(CONT, b"ment"))
    assert (await client.closed()).code == 1002


@pytest.mark.parametrize("size", [1, 5, 10])
@pytest.mark.parametrize("between", [b"", frame(PONG)])
async def test_5_3_to_5_5_a_message_in_fragments(client: Client, size: int, between: bytes) -> None:
    payload = b"fragment1fragment2"
    await client.send(frame(TEXT, payload[:size], fin=False) + between + frame(CONT, payload[size:]))
    await echoes(client, TEXT, payload)
    await still_there(client)


async def test_5_6_to_5_8_a_ping_between_fragments(client: Client) -> None:
    await client.send(frame(TEXT, b"fragment1", fin=False) + frame(PING, b"ping") + frame(CONT, b"fragment2"))
    await echoes(client, PONG, b"ping")
    await echoes(client, TEXT, b"fragment1fragment2")
    await still_there(client)


@pytest.mark.parametrize("fin", [True, False])
@pytest.mark.parametrize("before", [b"", frame(TEXT, b"whole")])
async def test_5_9_to_5_14_a_continuation_of_nothing(client: Client, fin: bool, before: bytes) -> None:
    await client.send(before + frame(CONT, b"fragment", fin=fin) + frame(TEXT, b"Hello"))
    if before:
        await echoes(client, TEXT, b"whole")
    assert (await client.closed()).code == 1002


async def test_5_15_a_continuation_behind_the_end(client: Client) -> None:
    sent = frame(TEXT, b"1", fin=False) + frame(CONT, b"2") + frame(CONT, b"3", fin=False) + frame(TEXT, b"4")
    await client.send(sent)
    await echoes(client, TEXT, b"12")
    assert (await client.closed()).code == 1002


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_5_18_a_message_in_a_message(client: Client, opcode: Opcode) -> None:
    await client.send(frame(TEXT, b"fragment1", fin=False) + frame(opcode, b"fragment2"))
    assert (await client.closed()).code == 1002


async def test_5_19_and_5_20_fragments_and_pings(client: Client) -> None:
    await client.send(
        frame(TEXT, b"1", fin=False)
        + frame(CONT, b"2", fin=False)
        + frame(PING, b"ping1")
        + frame(CONT, b"3", fin=False)
        + frame(CONT, b"4", fin=False)
        + frame(PING, b"ping2")
    )
    await echoes(client, PONG, b"ping1")
    await echoes(client, PONG, b"ping2")
    await client.send(frame(CONT, b"5"))
    await echoes(client, TEXT, b"12345")
    await still_there(client)


# -- 6: UTF-8

PROPER = {
    "nothing": b"",  # 6.1
    "text": "Hello-µ@ßöäüàá-UTF-8!!".encode(),  # 6.2
    "κόσμε": "κόσμε".encode(),  # 6.5, 6.6
    "first of each length": "\x00\x80\u0800\U00010000".encode(),  # 6.7
    "last of each length": "\x7f\u07ff\uffff\U0010ffff".encode(),  # 6.9
    "around the surrogates": "\ud7ff\ue000\ufffd".encode(),  # 6.11
    "no characters": "\ufffe\uffff\U0001fffe\U0010ffff".encode(),  # 6.22
    "replacement character": "�".encode(),  # 6.23
    "Vietnamese": "Đồng bào chú ý: nước lũ đang lên nhanh.".encode(),
}
IMPROPER = {
    "overlong 2": b"\xc0\x80",  # 6.18, 6.21
    "overlong 2, last": b"\xc1\xbf",
    "overlong 3": b"\xe0\x80\x80",
    "overlong 3, last": b"\xe0\x9f\xbf",
    "overlong 4": b"\xf0\x80\x80\x80",
    "overlong 4, last": b"\xf0\x8f\xbf\xbf",
    "five bytes": b"\xf8\x88\x80\x80\x80",  # 6.8
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "beyond the last": b"\xf4\x90\x80\x80",  # 6.9
    "a stray continuation": b"\x80",  # 6.12
    "two of them": b"\x80\xbf",
    "a lone start": b"\xc0\x20",  # 6.14
    "a lone start of three": b"\xe0\x20",
    "half a character": b"\xe1\xbb",  # 6.15
    "FE": b"\xfe",  # 6.17
    "FF": b"\xff",
    "first surrogate": b"\xed\xa0\x80",  # 6.20
    "last surrogate": b"\xed\xbf\xbf",
    "a surrogate pair": b"\xed\xa0\x80\xed\xb0\x80",  # 6.21
    "in the middle": b"fine \xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80 edited",  # 6.3
}


@pytest.mark.parametrize("payload", PROPER.values(), ids=PROPER)
async def test_6_text(client: Client, payload: bytes) -> None:
    await client.send(frame(TEXT, payload))
    await echoes(client, TEXT, payload)
    await client.send(fragments(TEXT, payload, 1))
    await echoes(client, TEXT, payload)
    await still_there(client)


@pytest.mark.parametrize("payload", IMPROPER.values(), ids=IMPROPER)
@pytest.mark.parametrize("fragmented", [False, True])
async def test_6_no_text(client: Client, payload: bytes, fragmented: bool) -> None:
    await client.send(fragments(TEXT, payload, 1) if fragmented else frame(TEXT, payload))
    assert (await client.closed()).code == 1007


@pytest.mark.parametrize("payload", [b"\xce\xba\xf4\x90", b"\xce\xba\xed\xa0"])
async def test_6_4_no_text_is_found_before_the_end(client: Client, payload: bytes) -> None:
    await client.send(frame(TEXT, payload[:3], fin=False))
    await client.send(frame(CONT, payload[3:], fin=False))
    assert (await client.closed()).code == 1007


# -- 7: closing


@pytest.mark.parametrize(
    "behind",
    [b"", farewell(), frame(PING), frame(TEXT, b"late"), frame(TEXT, b"late", fin=False)],
    ids=["nothing", "another", "a ping", "a message", "a fragment"],
)
async def test_7_1_nothing_is_answered_behind_a_close(client: Client, behind: bytes) -> None:
    await client.send(frame(TEXT, b"before") + farewell() + behind)
    await echoes(client, TEXT, b"before")
    assert (await client.closed()).code == 1000


async def test_7_1_5_a_close_in_the_middle_of_a_message(client: Client) -> None:
    await client.send(frame(TEXT, b"fragment1", fin=False) + farewell() + frame(CONT, b"fragment2"))
    assert (await client.closed()).code == 1000


async def test_7_1_6_a_close_behind_a_long_message(client: Client) -> None:
    await client.send(frame(TEXT, b"B" * 256 * 1024) + frame(TEXT, b"Hello") + farewell() + frame(PING))
    await echoes(client, TEXT, b"B" * 256 * 1024)
    await echoes(client, TEXT, b"Hello")
    assert (await client.closed()).code == 1000


@pytest.mark.parametrize(
    ("payload", "code"),
    [(b"", 1005), (b"\x03", 1002), (b"\x03\xe8", 1000), (b"\x03\xe8Hello World!", 1000),
     (b"\x03\xe8" + b"*" * 123, 1000), (b"\x03\xe8" + b"*" * 124, 1002),
     (b"\x03\xe8\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80", 1007)],
)  # fmt: skip
async def test_7_3_to_7_5_what_a_close_may_say(client: Client, payload: bytes, code: int) -> None:
    await client.send(frame(CLOSE, payload))
    assert (await client.closed()).code == code


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
async def test_7_7_a_close_code(client: Client, code: int) -> None:
    await client.send(farewell(code))
    assert (await client.closed()).code == code


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535])
async def test_7_9_and_7_13_no_close_code(client: Client, code: int) -> None:
    await client.send(farewell(code))
    assert (await client.closed()).code == 1002


# -- 9: much


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_9_1_and_9_2_a_long_message(client: Client, opcode: Opcode) -> None:
    payload = b"*" * (4 * MIB)
    sending = asyncio.create_task(client.send(frame(opcode, payload)))
    await echoes(client, opcode, payload)
    await sending
    await still_there(client)


@pytest.mark.parametrize(("opcode", "size"), [(TEXT, 256), (TEXT, 1024), (BINARY, 65536)])
async def test_9_3_and_9_4_a_long_message_in_fragments(client: Client, opcode: Opcode, size: int) -> None:
    payload = b"*" * (2 * MIB)
    sending = asyncio.create_task(client.send(fragments(opcode, payload, size)))
    await echoes(client, opcode, payload)
    await sending


@pytest.mark.parametrize("chop", [1500, 64])
async def test_9_5_and_9_6_a_long_message_in_chops(client: Client, chop: int) -> None:
    payload = b"*" * (chop * 1000)
    sent = frame(TEXT, payload)
    for start in range(0, len(sent), chop):
        client.writer.write(sent[start : start + chop])
        await asyncio.sleep(0)
    await echoes(client, TEXT, payload)


@pytest.mark.parametrize("size", [0, 16, 1024])
async def test_9_7_and_9_8_many_messages(client: Client, size: int) -> None:
    payload = b"*" * size
    for _ in range(500):
        await client.send(frame(TEXT, payload))
        await echoes(client, TEXT, payload)


# -- 10: fragments of another size than the segments


async def test_10_1_fragments_of_1300_bytes(client: Client) -> None:
    payload = b"*" * 65536
    await client.send(fragments(TEXT, payload, 1300))
    await echoes(client, TEXT, payload)
    await still_there(client)
