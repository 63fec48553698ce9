"""A session, on both ways in: what it takes, what it refuses and how it ends."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import struct
import sys
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from websockets.frames import Opcode

from gateway.closing import CloseCode
from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.handshake import Upgrade
from gateway.hub import Hub
from gateway.session import PING_AND_TICK, Session, first_ping
from gateway.settings import GatewaySettings
from tests.gateway.conftest import Client, House, Opener, Way, farewell, frame, said, upgrade
from tests.gateway.test_frames import BROKEN, NOT_UTF8
from tests.patience import until

PIECEMEAL = frame(Opcode.PING, b"in pieces")


async def entered(house: House, way: Way, **spelling: Any) -> Client:
    """A client whose session is open."""
    client = await way(house)
    await client.send(upgrade(**spelling))
    await client.opened()
    return client


def goes_on(house: House) -> None:
    """Time goes on, at once, to when the only session is due: so no client need be quick."""
    wheel = house.door.wheel
    wheel.turn((house.session().slot + 1) * wheel.width)


async def ticks(house: House) -> None:
    """Waits for a sign of life, and lets time go on until it was judged and the next ping is out."""
    await until(lambda: house.session()._heard)
    goes_on(house)
    goes_on(house)


# -- what it hears


async def test_a_message_reaches_its_listeners_and_others_are_counted(house: House, way: Way) -> None:
    heard: list[dict[str, Any]] = []
    house.desk.on_message("state", lambda session, message: heard.append(message))
    client = await entered(house, way)
    not_json = [b"", b"{", b"\x00", b"{'a':1}", b'{"type":"state"} x', b"[" * 4000, b'"\\ud800"', b"1e999"]
    unknown = [b"null", b"1", b"[]", b'"state"', b"{}", b'{"type":1}', b'{"type":["state"]}', b'{"type":"nothing"}']
    wrong = [b'{"type":"state","state":5}', b'{"type":"state","state":null}']
    bad = [*not_json, *unknown, *wrong]
    for payload in bad:
        await client.send(frame(Opcode.TEXT, payload))
    await client.send(said({"type": "state", "state": "idle", "more": None}))
    await until(lambda: heard)
    assert heard == [{"type": "state", "state": "idle", "more": None}]
    assert house.desk.ignored == len(bad)


@pytest.mark.parametrize(
    "message",
    [
        {"path": "no-slash"},
        {"path": "/" + "a" * 512},
        {"path": "/\u0000"},
    ],
)
async def test_a_move_to_a_path_that_is_none_leads_nowhere(house: House, way: Way, message: dict[str, Any]) -> None:
    client = await entered(house, way)
    await client.send(said({"type": "page", **message}))
    await client.send(said({"type": "page", "section": "cuối"}))
    await until(lambda: house.session().section == "cuối")
    assert house.session().path == ""


@pytest.mark.parametrize("message", [{"path": 1}, {"path": None}, {"section": "a b"}, {"path": "/other", "tab": "k3"}])
async def test_what_is_no_move_of_this_page_leaves_it_where_it_is(
    house: House, way: Way, message: dict[str, Any]
) -> None:
    client = await entered(house, way)
    await client.send(said({"type": "page", **message}))
    await client.send(said({"type": "page", "section": "cuối"}))
    await until(lambda: house.session().section == "cuối")
    assert house.session().path == "/"


async def test_a_listener_that_fails_is_not_the_browsers_fault(house: House, way: Way) -> None:
    def fail(session: Session, message: dict[str, Any]) -> None:
        raise RuntimeError("secret")

    house.desk.on_message("ack", fail)
    client = await entered(house, way)
    with capture_logs() as logs:
        await client.send(said({"type": "ack"}))
        close = await client.closed()
    assert (close.code, close.reason) == (1011, "")
    assert [entry["event"] for entry in logs] == ["message failed"]


# -- pings


@pytest.mark.parametrize("payload", [b"", b"hello", bytes(range(125))])
async def test_a_ping_is_answered_with_its_payload(house: House, way: Way, payload: bytes) -> None:
    client = await entered(house, way)
    await client.send(frame(Opcode.PING, payload))
    pong = await client.frame()
    assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, payload)


async def test_pings_between_fragments_are_answered_and_the_message_is_whole(house: House, way: Way) -> None:
    client = await entered(house, way)
    text = json.dumps({"type": "page", "path": "/tối"}, ensure_ascii=False).encode()
    for index in range(len(text)):
        last = index == len(text) - 1
        await client.send(frame(Opcode.CONT if index else Opcode.TEXT, text[index : index + 1], fin=last))
        if index in (3, len(text) - 4):
            await client.send(frame(Opcode.PING, b"%d" % index))
            assert bytes((await client.frame()).data) == b"%d" % index
    await until(lambda: house.session().path == "/tối")


async def test_a_client_that_answers_pings_stays(house: House, way: Way) -> None:
    client = await entered(house, way)
    await client.send(frame(Opcode.PONG))
    for _ in range(3):
        await ticks(house)
        ping = await client.frame()
        assert ping.opcode is Opcode.PING
        assert await client.message() == {"type": "tick"}
        await client.send(frame(Opcode.PONG, bytes(ping.data)))
    assert house.door.sessions == 1
    assert house.door.vanished == 0


@pytest.mark.parametrize(
    "signs_of_life", [(frame(Opcode.PING),) * 2, (frame(Opcode.TEXT, b"{}"),) * 2, (PIECEMEAL[:4], PIECEMEAL[4:6])]
)
async def test_any_sign_of_life_is_an_answer(house: House, way: Way, signs_of_life: tuple[bytes, bytes]) -> None:
    client = await entered(house, way)
    # Once to the welcome, and once to a ping: a tick that comes after it says that it was judged.
    for sign in signs_of_life:
        await client.send(sign)
        await ticks(house)
        await client.message()
    assert house.door.vanished == 0


async def test_a_client_that_stops_answering_is_gone_in_time(house: House, way: Way) -> None:
    client = await entered(house, way)
    await client.send(frame(Opcode.PONG))
    await ticks(house)
    session, wheel = house.session(), house.door.wheel
    # Not before the ping's deadline has passed; that it is not much later is the wheel's promise.
    assert (session.slot - wheel._reached) * wheel.width >= house.settings.pong_seconds - wheel.width
    assert await client.message() == {"type": "tick"}
    wheel.turn((session.slot - 1) * wheel.width)
    assert not session.closing
    goes_on(house)
    await client.gone()
    await until(lambda: house.door.sessions == 0)
    assert house.door.vanished == 1


@pytest.mark.slow
async def test_who_never_answers_the_welcome_is_gone_before_the_first_tick(open_house: Opener, way: Way) -> None:
    # The first ping may be ten minutes off.
    house = await open_house(ping_seconds=600.0, pong_seconds=0.3)
    # Before the welcome: what a busy machine takes in between can only make it later.
    opened_at = house.door.clock()
    client = await entered(house, way)
    await client.gone()
    assert house.door.clock() - opened_at >= 0.3 - 0.01
    await until(lambda: house.door.sessions == 0)
    assert (house.door.vanished, len(house.door.wheel)) == (1, 0)


@given(st.floats(0.5, 3600), st.floats(0.01, 0.99), st.booleans())
def test_the_welcome_is_judged_after_its_time_and_then_the_first_ping_comes_in_its_own(
    ping_seconds: float, part: float, pongs: bool
) -> None:
    settings = GatewaySettings(ping_seconds=ping_seconds, pong_seconds=ping_seconds * part)
    door = Door(settings, FrontDesk(settings, {}, Hub(settings.slow_bytes)), clock=lambda: 0.0)
    silent, speaking = (Session(door, Upgrade(b"", "", "", b""), "", Sink()) for _ in range(2))
    width = door.wheel.width
    for session in (silent, speaking):
        session.begin(welcomed=True)
        assert settings.pong_seconds <= width * session.slot <= settings.pong_seconds + width + 1e-6
        door.wheel.discard(session)
    speaking.data_received(frame(Opcode.PONG) if pongs else frame(Opcode.TEXT, b"{}"))
    assert silent.due(0.0) == 0.0
    assert (silent.transport.aborted, door.vanished) == (True, 1)
    wait = speaking.due(0.0)
    assert (speaking.closing, speaking.transport.written) == (False, [])
    # A slot late at either end.
    assert (
        settings.pong_seconds + wait + 2 * width <= max(ping_seconds, settings.pong_seconds + 2 * width) + width + 1e-6
    )
    assert speaking.due(wait) == settings.pong_seconds
    assert speaking.transport.written == [PING_AND_TICK]


def test_who_was_not_welcomed_need_not_answer_before_the_first_ping() -> None:
    settings = GatewaySettings()
    door = Door(settings, FrontDesk(settings, {}, Hub(settings.slow_bytes)))
    session = Session(door, Upgrade(b"", "", "", b""), "", Sink())
    session.begin(welcomed=False)
    door.wheel.discard(session)
    assert session.due(settings.pong_seconds) == settings.pong_seconds
    assert session.transport.written == [PING_AND_TICK]


@given(st.floats(0.1, 3600), st.floats(0.01, 0.99))
def test_a_tick_comes_at_least_every_ping_seconds(ping_seconds: float, part: float) -> None:
    settings = GatewaySettings(ping_seconds=ping_seconds, pong_seconds=ping_seconds * part)
    door = Door(settings, FrontDesk(settings, {}, Hub(settings.slow_bytes)))
    session = Session(door, Upgrade(b"", "", "", b""), "", Sink())
    width = door.wheel.width
    wait = session.due(0.0)
    assert session.transport.written == [PING_AND_TICK]
    session.data_received(frame(Opcode.PONG))
    wait += session.due(wait)
    # Each of the two waits may be a slot longer.
    assert wait + 2 * width <= max(ping_seconds, settings.pong_seconds + 3 * width) + 1e-6
    session.due(wait)
    assert session.transport.written == [PING_AND_TICK] * 2
    assert first_ping(door) + width <= max(ping_seconds, settings.pong_seconds + width) + 1e-6


class Sink(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True

    def write(self, data: bytes) -> None:
        self.written.append(data)


# -- what it refuses


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
async def test_breaks_the_protocol(house: House, way: Way, sent: bytes) -> None:
    client = await entered(house, way)
    await client.send(sent)
    assert (await client.closed()).code == CloseCode.PROTOCOL_ERROR
    assert house.door.closes == {1002: 1}


@pytest.mark.parametrize(
    "payload", [b"\x03", b"\x00\x00", b"\x03\xe7", b"\x03\xed", b"\x03\xee", b"\x03\xf7", b"\x0b\xb7"]
)
async def test_a_close_that_nobody_may_send(house: House, way: Way, payload: bytes) -> None:
    client = await entered(house, way)
    await client.send(frame(Opcode.CLOSE, payload))
    assert (await client.closed()).code == CloseCode.PROTOCOL_ERROR


@pytest.mark.parametrize("pieces", NOT_UTF8.values(), ids=NOT_UTF8)
async def test_text_that_is_not_utf8(house: House, way: Way, pieces: list[bytes]) -> None:
    client = await entered(house, way)
    for index, piece in enumerate(pieces):
        await client.send(frame(Opcode.CONT if index else Opcode.TEXT, piece, fin=index == len(pieces) - 1))
    assert (await client.closed()).code == CloseCode.INVALID_TEXT


async def test_broken_text_is_refused_before_the_message_ends(house: House, way: Way) -> None:
    client = await entered(house, way)
    await client.send(frame(Opcode.TEXT, b"a\xf4", fin=False))
    await client.send(frame(Opcode.CONT, b"\x90", fin=False))
    assert (await client.closed()).code == CloseCode.INVALID_TEXT


async def test_a_close_reason_that_is_not_utf8(house: House, way: Way) -> None:
    client = await entered(house, way)
    await client.send(frame(Opcode.CLOSE, b"\x03\xe8\xff"))
    assert (await client.closed()).code == CloseCode.INVALID_TEXT


@pytest.mark.parametrize(
    "sent",
    [
        frame(Opcode.TEXT, b"a" * 4097),
        frame(Opcode.TEXT, b"", size=2**40),
        frame(Opcode.TEXT, b"a" * 4000, fin=False) + frame(Opcode.CONT, b"a" * 97),
        frame(Opcode.TEXT, fin=False) + frame(Opcode.CONT, fin=False) * 5000,
        frame(Opcode.TEXT, b"a", fin=False) + frame(Opcode.CONT, b"a", fin=False) * 4094 + frame(Opcode.CONT, b"a"),
    ],
    ids=["a frame", "a monster", "the sum of fragments", "empty fragments", "fragments of a byte"],
)
async def test_too_long(house: House, way: Way, sent: bytes) -> None:
    client = await entered(house, way)
    await client.send(sent)
    assert (await client.closed()).code == CloseCode.TOO_LONG


async def test_a_message_as_long_as_allowed(house: House, way: Way) -> None:
    client = await entered(house, way)
    await client.send(frame(Opcode.TEXT, b'{"type":"page","path":"/a"' + b" " * (4096 - 27) + b"}"))
    await until(lambda: house.session().path == "/a")


async def test_binary(house: House, way: Way) -> None:
    client = await entered(house, way)
    await client.send(frame(Opcode.BINARY, b"\x00"))
    assert (await client.closed()).code == CloseCode.UNSUPPORTED


@pytest.mark.parametrize("flood", [frame(Opcode.TEXT, b"{}"), frame(Opcode.PING), frame(Opcode.PONG)])
async def test_a_flood(house: House, way: Way, flood: bytes) -> None:
    client = await entered(house, way)
    await client.send(flood * 100)
    assert (await client.closed()).code == CloseCode.FLOOD
    assert house.desk.ignored <= 20


async def test_a_burst_is_no_flood(house: House, way: Way) -> None:
    client = await entered(house, way)
    await client.send(frame(Opcode.TEXT, b"{}") * 20)
    await until(lambda: house.desk.ignored == 20)
    assert house.door.sessions == 1


async def test_what_follows_a_fault_is_not_heard(house: House, way: Way) -> None:
    heard: list[object] = []
    house.desk.on_message("state", lambda session, message: heard.append(message))
    client = await entered(house, way)
    await client.send(frame(Opcode.BINARY, b"") + said({"type": "state"}) + frame(Opcode.TEXT, masked=False))
    assert (await client.closed()).code == CloseCode.UNSUPPORTED
    assert not heard
    assert house.door.closes == {1003: 1}


# -- how it ends


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
async def test_a_close_is_echoed(house: House, way: Way, code: int) -> None:
    client = await entered(house, way)
    await client.send(farewell(code, "bye"))
    close = await client.closed()
    assert (close.code, close.reason) == (code, "")
    assert not house.door.closes


async def test_a_close_without_a_code_is_echoed_without(house: House, way: Way) -> None:
    client = await entered(house, way)
    await client.send(frame(Opcode.CLOSE))
    assert (await client.closed()).code == 1005


@pytest.mark.parametrize("behind", [frame(Opcode.PING), frame(Opcode.TEXT, b"{}") * 1000, b"\xff" * 500_000])
async def test_nothing_behind_a_close_is_heard_and_none_of_it_costs_the_answer(
    house: House, way: Way, behind: bytes
) -> None:
    client = await entered(house, way)
    await client.send(farewell())
    client.writer.write(behind)
    assert (await client.closed()).code == 1000
    assert house.desk.ignored == 0


async def test_a_close_frame_arrives_though_much_was_sent_and_not_read(house: House, way: Way) -> None:
    client = await entered(house, way)
    client.writer.write(frame(Opcode.BINARY, b"") + b"\x82" * 3_000_000)
    assert (await client.closed()).code == CloseCode.UNSUPPORTED
    await client.writer.drain()


async def test_a_browser_that_does_not_hang_up_is_hung_up(
    house: House, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.session.LINGER_SECONDS", 0.05)
    client = await entered(house, way)
    client.writer.transport.pause_reading()
    house.session().close(CloseCode.RESTART, 1234)
    await until(lambda: house.door.sessions == 0)


async def test_the_delay_is_in_the_reason(house: House, way: Way) -> None:
    client = await entered(house, way)
    house.session().close(CloseCode.TRY_LATER, 1234)
    close = await client.closed()
    assert (close.code, json.loads(close.reason)) == (1013, {"retry_ms": 1234})


async def test_a_session_is_closed_once_and_gets_nothing_more(house: House, way: Way) -> None:
    client = await entered(house, way)
    session = house.session()
    session.close(CloseCode.RESTART, 1)
    session.close(CloseCode.SERVER_FAULT)
    session.send(PING_AND_TICK)
    assert (await client.closed()).code == CloseCode.RESTART
    assert house.door.closes == {1012: 1}


@pytest.mark.parametrize("how", ["reset", "half-closed", "aborted by us"])
async def test_a_departure_is_told_once(house: House, way: Way, how: str) -> None:
    parted: list[Session] = []
    house.desk.on_departure(parted.append)
    client = await entered(house, way)
    session = house.session()
    if how == "reset":
        # Closes without goodbye, and sends a reset instead.
        raw = client.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.hang_up()
    elif how == "half-closed":
        client.writer.write_eof()
        await client.ended()
    else:
        session.abort()
        await client.gone()
    await until(lambda: house.door.sessions == 0)
    assert parted == [session]
    assert session.closing


# -- what it costs


async def test_a_session_is_slots_and_an_idle_one_has_nothing_more(house: House, way: Way) -> None:
    client = await entered(house, way)
    session = house.session()
    assert not hasattr(session, "__dict__")
    assert session._inbound is None
    assert session._bucket is None
    assert (session.visitor, session.since) == ("", "")
    await client.send(frame(Opcode.TEXT, b"{}", fin=False))
    await until(lambda: session._inbound is not None)
    await client.send(frame(Opcode.CONT))
    await until(lambda: house.desk.ignored)
    assert session._inbound is None
    assert session._bucket is not None
    # The next ping takes it away.
    await ticks(house)
    assert session._bucket is None


async def test_an_idle_session_of_the_gate_is_few_objects(house: House) -> None:
    client = await house.connect()
    await client.send(upgrade())
    await client.opened()
    session = house.session()
    assert sys.getsizeof(session) <= 250
    shared = (house.door, session.transport, type(session))
    own = [value for value in gc.get_referents(session) if not any(value is one for one in shared)]
    assert all(isinstance(value, str | bool | int | float | Enum | None) for value in own), own


# -- whether anybody is there


async def test_the_first_thing_heard_says_that_somebody_is_there_and_only_once(house: House, way: Way) -> None:
    there: list[Any] = []
    house.desk.on_answer(there.append)
    client = await entered(house, way)
    assert there == []
    await client.send(frame(Opcode.PONG))
    await until(lambda: there)
    await client.send(frame(Opcode.PONG) + frame(Opcode.PONG, b"more") + said({"type": "state", "state": "idle"}))
    await client.send(frame(Opcode.PING, b"done"))
    assert bytes((await client.frame()).data) == b"done"
    assert there == [house.session()]


async def test_a_goodbye_says_that_nobody_is_there(house: House, way: Way) -> None:
    there: list[Any] = []
    house.desk.on_answer(there.append)
    client = await entered(house, way)
    await client.send(farewell())
    await client.closed()
    assert there == []


async def test_the_answer_to_the_first_ping_is_no_message(open_house: Opener, way: Way) -> None:
    house = await open_house(messages_per_second=0.1, message_burst=1)
    client = await entered(house, way)
    await client.send(frame(Opcode.PONG))
    await client.send(said({"type": "state", "state": "idle"}))
    await client.send(frame(Opcode.PONG))
    assert (await client.closed()).code == CloseCode.FLOOD


async def test_a_fault_of_who_waits_for_an_answer_is_not_the_browsers(house: House, way: Way) -> None:
    def fail(session: Session) -> None:
        raise RuntimeError("broken")

    house.desk.on_answer(fail)
    client = await entered(house, way)
    with capture_logs() as logs:
        await client.send(frame(Opcode.PONG))
        assert (await client.closed()).code == CloseCode.SERVER_FAULT
    assert [entry["event"] for entry in logs] == ["message failed"]
