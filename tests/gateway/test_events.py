"""Server-Sent Events over real sockets, on a fresh connection and on one that aiohttp serves already."""

from __future__ import annotations

import asyncio
import ctypes
import json
import socket
import struct

import pytest

from gateway import frames
from gateway.closing import CloseCode
from gateway.listening import drain
from tests.gateway.conftest import ORIGIN, Client, House, Opener, Way, ask, page
from tests.patience import until

NEWS = b'{"type":"announcement","id":"a","cursor":"9f2c41d0.18"}'
COUNT = b'{"type":"presence","online":7}'


async def following(house: House, way: Way, query: str = "site=demo", *more: str) -> tuple[Client, dict]:
    """A client that follows, and its welcome."""
    client = await way(house)
    await client.send(ask("events", query, *more))
    _, welcome = await client.followed()
    return client, welcome


async def say(house: House, inbox: str, message: object, **spelling: object) -> int:
    """Says something to an inbox on a connection of its own; the status of the answer."""
    client = await house.connect()
    body = json.dumps(message).encode() if message is not None else b""
    await client.send(ask(inbox[1:], "", "Content-Type: text/plain", method="POST", body=body, **spelling))
    answer = await client.answer()
    await client.ended()
    return answer.status


async def test_the_stream_opens_with_the_welcome(house: House, way: Way) -> None:
    client = await way(house)
    await client.send(ask("events"))
    answer, welcome = await client.followed()
    assert answer.headers == {
        "content-type": "text/event-stream",
        "cache-control": "no-store, no-transform",
        "connection": "close",
        "x-accel-buffering": "no",
        "x-content-type-options": "nosniff",
        "access-control-allow-origin": ORIGIN,
        "access-control-expose-headers": "Retry-After",
        "vary": "Origin",
    }
    assert list(welcome)[:2] == ["type", "site"]
    assert welcome["inbox"] == f"/say/{house.session().id}"
    assert house.door.handshakes == {"accepted": 1}
    assert house.door.by_way == {"websocket": 0, "sse": 1, "poll": 0}


async def test_what_is_broadcast_arrives_and_its_cursor_is_its_id(house: House, way: Way) -> None:
    client, _ = await following(house, way)
    house.hub.broadcast(COUNT, ("demo",), urgent=False)
    assert await client.event() == {"data": COUNT.decode()}
    house.hub.broadcast(NEWS, ("demo",), urgent=True)
    assert await client.event() == {"id": "9f2c41d0.18", "data": NEWS.decode()}
    house.session().send(frames.text(COUNT))
    assert await client.event() == {"data": COUNT.decode()}


async def test_the_session_knows_where_the_reader_is(house: House, way: Way) -> None:
    greeted = []
    house.desk.greet_with(lambda session: greeted.append((session.visitor, session.since)) or b'"online":null')
    await following(house, way, "site=demo&path=/tin%2Fm%E1%BB%9Bi&section=thoi-su&visitor=v1.x&since=a.1&show=page")
    session = house.session()
    assert (session.path, session.section, session.again) == ("/tin/mới", "thoi-su", False)
    assert greeted == [("v1.x", "a.1")]


async def test_an_event_source_that_comes_back_says_how_far_it_has_got(house: House, way: Way) -> None:
    greeted = []
    house.desk.greet_with(lambda session: greeted.append(session.since) or b'"cursor":"9f2c41d0.18"')
    client = await way(house)
    await client.send(ask("events", "site=demo&since=9f2c41d0.2", "Last-Event-ID: 9f2c41d0.17"))
    assert (await client.answer()).status == 200
    event = await client.event()
    assert event["id"] == "9f2c41d0.18"
    assert 0 < int(event["retry"]) <= 4000
    assert greeted == ["9f2c41d0.17"]
    assert house.session().again


async def test_a_proxy_may_speak_http_1_0(house: House, way: Way) -> None:
    client = await way(house)
    await client.send(ask("events", http="1.0"))
    await client.followed()


@pytest.mark.parametrize(
    ("status", "request_bytes"),
    [
        (404, ask("events", "")),
        (404, ask("events", "site=nobody")),
        (403, ask("events", origin="https://evil.example")),
        (400, ask("events", "site=demo", "Host: other")),
        (400, ask("events", body=b"hello")),
        (400, ask("events", "site=demo", "Transfer-Encoding: chunked") + b"0\r\n\r\n"),
        (431, ask("events", "site=demo", *[f"X-{n}: a" for n in range(64)])),
    ],
    ids=["no site", "unknown site", "origin", "two hosts", "body", "chunked", "lines"],
)
async def test_refused(house: House, way: Way, status: int, request_bytes: bytes) -> None:
    client = await way(house)
    await client.send(request_bytes)
    answer = await client.refused()
    assert answer.status == answer.document["status"] == status
    assert answer.document["detail"]
    assert "access-control-allow-origin" not in answer.headers
    assert house.hub.total == house.door.sessions == 0


async def test_limits_are_those_of_sessions_and_pages_may_read_the_refusal(open_house: Opener, way: Way) -> None:
    house = await open_house(sessions_per_address=1, exempt_networks=[])
    await following(house, way)
    client = await way(house)
    await client.send(ask("events"))
    answer = await client.refused()
    assert (answer.status, answer.headers["retry-after"]) == (429, "60")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-expose-headers"] == "Retry-After"


async def test_a_full_worker_says_so(open_house: Opener, way: Way) -> None:
    house = await open_house(sessions_per_worker=1)
    await following(house, way)
    client = await way(house)
    await client.send(ask("events"))
    answer = await client.refused()
    assert (answer.status, answer.headers["retry-after"], answer.document["reason"]) == (503, "10", "full")


async def test_draining_assigns_a_delay_and_ends_the_stream(house: House, way: Way) -> None:
    client, _ = await following(house, way)
    late = await way(house)
    draining = asyncio.create_task(drain(house.door, house.desk, house.hub, 5.0))
    event = await client.event()
    close = json.loads(event["data"])
    assert (close["type"], close["code"]) == ("close", 1012)
    assert close["reason"]
    assert event["retry"] == str(close["retry_ms"])
    await client.ended()
    client.hang_up()
    await late.send(ask("events"))
    assert (await late.refused()).document["reason"] == "draining"
    assert await draining == 1
    assert house.door.closes == {CloseCode.RESTART: 1}


async def test_whoever_sends_more_is_cut_off(house: House, way: Way) -> None:
    client, _ = await following(house, way)
    await client.send(page())
    await client.gone()
    await until(lambda: house.door.sessions == 0)


@pytest.mark.slow
async def test_ticks_come_and_the_silent_are_kept(open_house: Opener, way: Way) -> None:
    house = await open_house(ping_seconds=0.2, pong_seconds=0.05)
    client, _ = await following(house, way)
    for _ in range(3):
        assert await client.told() == {"type": "tick"}
    assert house.door.vanished == 0


@pytest.mark.slow
async def test_whoever_answers_ticks_is_held_to_it(open_house: Opener, way: Way) -> None:
    house = await open_house(ping_seconds=0.2, pong_seconds=0.05)
    client, welcome = await following(house, way)
    assert await say(house, welcome["inbox"], {"type": "tick"}) == 204
    await client.gone()
    assert house.door.vanished == 1
    assert house.desk.ignored == 0


@pytest.mark.slow
async def test_a_stream_whose_browser_says_nothing_ends_some_time(open_house: Opener, way: Way) -> None:
    house = await open_house(ping_seconds=0.2, pong_seconds=0.05, events_seconds=0.3)
    client, _ = await following(house, way)
    while (message := await client.told()) == {"type": "tick"}:
        pass
    assert (message["type"], message["code"]) == ("close", 1012)
    assert message["retry_ms"] <= house.settings.reconnect_cap_ms
    await client.ended()


@pytest.mark.slow
async def test_a_client_that_has_vanished_is_noticed(open_house: Opener, way: Way) -> None:
    house = await open_house(ping_seconds=0.4, pong_seconds=0.3)
    client, _ = await following(house, way)
    vanish(client)
    await until(lambda: house.door.sessions == 0)
    assert house.door.vanished == 1


async def test_a_slow_reader_misses_counts_keeps_announcements_and_is_aborted(
    open_house: Opener, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.door.SWEEP_SECONDS", 0.01)
    house = await open_house(slow_bytes=65536)
    client, _ = await following(house, way)
    client.writer.transport.pause_reading()
    session = house.session()
    filler = frames.text(b'{"type":"x","said":"%b"}' % (b"a" * 8000))
    while not session.paused_at:
        session.send(filler)
        await asyncio.sleep(0)
    house.hub.broadcast(COUNT, ("demo",), urgent=False)
    await until(lambda: house.hub.skipped == 1)
    while house.hub.aborted == 0:
        house.hub.broadcast(b'{"type":"x","said":"%b"}' % (b"a" * 30000), ("demo",), urgent=True)
        await asyncio.sleep(0)
    await until(lambda: house.door.sessions == 0)
    assert not house.door.slow


async def test_what_is_said_to_the_inbox_is_heard(house: House, way: Way) -> None:
    answered: list[object] = []
    house.desk.on_answer(answered.append)
    client, welcome = await following(house, way)
    session = house.session()
    assert not session.answered
    assert await say(house, welcome["inbox"], {"type": "page", "path": "/b"}) == 204
    assert session.path == "/b"
    assert await say(house, welcome["inbox"], None) == 204
    assert answered == [session]
    client.hang_up()
    await until(lambda: house.door.sessions == 0)
    assert await say(house, welcome["inbox"], {"type": "page", "path": "/c"}) == 404


def vanish(client: Client) -> None:
    """From now on the client's kernel drops whatever comes, unacknowledged, as a lost network does."""
    nothing = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0 bytes
    program = struct.pack("HL", 1, ctypes.addressof(nothing))
    attach_filter = 26
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, attach_filter, program)
