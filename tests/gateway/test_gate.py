"""The gate on a fresh connection: what it waits for, for how long, and how many it lets wait."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.gate import Gate, peer_address
from gateway.hub import Hub
from gateway.session import Session
from gateway.settings import GatewaySettings
from tests.gateway.conftest import SITES, Client, House, Opener, Way, addresses, page, said, upgrade
from tests.patience import until


class Wire(asyncio.Transport):
    """A transport without a network: hands bytes to whichever protocol has it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 4711)})
        self.protocol: Any = None
        self.written = b""
        self.aborted = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is held back here."""

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: Any) -> None:
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """There is no other side."""

    def abort(self) -> None:
        self.aborted = True


class Listener(asyncio.Protocol):
    """The neighbour: keeps what it is handed."""

    def __init__(self) -> None:
        self.heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data


def fresh() -> tuple[Wire, Door, list[Listener]]:
    """A gate with a wire in it, its door, and the neighbours it calls."""
    limits = GatewaySettings()
    door = Door(limits, FrontDesk(limits, SITES, Hub(limits.slow_bytes)))
    called: list[Listener] = []

    def neighbour(door: Door, key: str) -> Listener:
        called.append(Listener())
        return called[-1]

    wire = Wire()
    wire.protocol = Gate(door, neighbour)
    wire.protocol.connection_made(wire)
    return wire, door, called


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """The stream in pieces."""
    edges = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[start:end] for start, end in pairwise(edges)]


@given(st.lists(st.integers(0, 500), max_size=8), st.sampled_from([b"", b"\r\n", b"\r\n\r\n"]))
def test_an_upgrade_cut_anywhere_becomes_a_session_that_has_heard_all(places: list[int], before: bytes) -> None:
    wire, door, called = fresh()
    for piece in cut(before + upgrade() + said({"type": "page", "path": "/a"}), places):
        wire.protocol.data_received(piece)
    assert isinstance(wire.protocol, Session)
    assert wire.protocol.path == "/a"
    assert wire.written.startswith(b"HTTP/1.1 101 ")
    assert (door.sessions, len(door.wheel), called) == (1, 1, [])
    assert (door.arrivals, door.guests) == (0, 0)


@given(st.lists(st.integers(0, 500), max_size=8))
def test_a_page_cut_anywhere_goes_to_the_neighbour_bytes_and_all(places: list[int]) -> None:
    wire, door, called = fresh()
    stream = page() + upgrade()
    for piece in cut(stream, places):
        wire.protocol.data_received(piece)
    (neighbour,) = called
    assert neighbour.heard == stream
    assert wire.protocol is neighbour
    assert neighbour.transport is wire
    assert (door.sessions, len(door.wheel), wire.written) == (0, 0, b"")
    assert (door.arrivals, door.guests) == (0, 1)


@given(st.lists(st.binary(min_size=1, max_size=100), max_size=10))
def test_any_bytes_are_waited_for_handed_on_or_refused(pieces: list[bytes]) -> None:
    wire, door, called = fresh()
    for piece in pieces:
        wire.protocol.data_received(piece)
    assert door.sessions == 0
    if wire.written:
        assert wire.written.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 "))
        assert not called
    assert len(door.wheel) == 1 - len(called)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.integers(0, 300), max_size=4))
async def test_an_upgrade_cut_anywhere_over_a_socket(house: House, places: list[int]) -> None:
    client = await house.connect()
    await client.send_in_pieces(*cut(upgrade() + said({"type": "page", "path": "/a"}), places))
    await client.opened()
    await until(lambda: [session.path for session in house.hub.everyone()] == ["/a"])
    client.hang_up()
    await until(lambda: house.door.sessions == 0)


@pytest.mark.parametrize("sent", [b"", b"G", b"\r\n", b"\r\n\r\n", upgrade()[:-1], page()[:-1]])
async def test_who_does_not_finish_a_request_is_ended_by_the_deadline(open_house: Opener, sent: bytes) -> None:
    house = await open_house(handshake_seconds=0.1)
    # Before it is accepted: what a busy machine takes in between can only make it later.
    started_at = house.door.clock()
    client = await house.connect()
    await client.send(sent)
    await client.gone()
    assert house.door.clock() - started_at >= 0.09
    assert house.door.handshakes == {"deadline": 1}


def test_the_deadline_is_for_the_request_not_for_the_session() -> None:
    limits = GatewaySettings(handshake_seconds=10.0, pong_seconds=15.0)
    door = Door(limits, FrontDesk(limits, SITES, Hub(limits.slow_bytes)), clock=lambda: 100.0)
    session, silent = Wire(), Wire()
    for wire in (session, silent):
        wire.protocol = Gate(door, None)
        wire.protocol.connection_made(wire)
    session.protocol.data_received(upgrade())
    door.wheel.turn(110.0 + door.wheel.width)
    assert (session.aborted, silent.aborted) == (False, True)
    assert door.sessions == 1


def test_the_deadline_counts_from_the_accept_whatever_tls_took_of_it() -> None:
    now = 100.0
    limits = GatewaySettings(handshake_seconds=10.0)
    door = Door(limits, FrontDesk(limits, SITES, Hub(limits.slow_bytes)), clock=lambda: now)
    gate, wire = Gate(door, None), Wire()
    now = 109.0
    gate.connection_made(wire)
    door.wheel.turn(109.9)
    assert not wire.aborted
    door.wheel.turn(110.0 + door.wheel.width)
    assert wire.aborted
    assert door.handshakes == {"deadline": 1}


@pytest.mark.parametrize("sent", [b"g", b"\x16\x03\x01\x02\x00", b"get /ws HTTP/1.1\r\n", b"\x00", b"GET\t/"])
async def test_what_cannot_become_a_request_is_not_waited_for(house: House, sent: bytes) -> None:
    client = await house.connect()
    await client.send(sent)
    assert (await client.refused()).status == 400
    assert house.door.handshakes == {"malformed": 1}


async def test_a_refusal_arrives_though_much_was_sent_and_not_read(house: House) -> None:
    client = await house.connect()
    client.writer.write(upgrade("site=nobody") + b"\x00" * 3_000_000)
    assert (await client.refused()).status == 404


async def test_a_refused_client_that_does_not_hang_up_is_hung_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.gate.LINGER_SECONDS", 0.05)
    client = await house.connect()
    await client.send(upgrade("site=nobody"))
    await client.refused()
    await until(lambda: len(house.door.wheel) == 0)
    assert "deadline" not in house.door.handshakes


async def test_who_goes_before_the_request_is_forgotten(house: House) -> None:
    client = await house.connect()
    await client.send(b"GET /ws")
    await until(lambda: len(house.door.wheel) == 1)
    client.hang_up()
    await until(lambda: len(house.door.wheel) == 0)
    assert not house.door.handshakes


@pytest.mark.parametrize(
    "target", ["/wss", "/ws/", "/ws/a", "/w", "/?site=demo", "//ws?site=demo", "*", "/page/ws?site=demo"]
)
async def test_another_address_is_not_ours(house: House, target: str) -> None:
    client = await house.connect()
    await client.send(upgrade().replace(b"/ws?site=demo", target.encode()))
    assert (await client.answer()).status in (400, 404)
    assert not house.door.handshakes


@pytest.mark.parametrize("target", ["http://localhost/ws?site=demo", "/%77s?site=demo"])
async def test_another_spelling_of_ours_is_served_by_the_neighbour(house: House, target: str) -> None:
    client = await house.connect()
    await client.send(upgrade().replace(b"/ws?site=demo", target.encode()))
    await client.opened()
    assert house.door.handshakes == {"accepted": 1}


def test_an_address_where_there_is_none() -> None:
    wire = Wire()
    wire._extra = {"peername": "/run/loa.sock"}
    assert peer_address(wire) == ""


# -- how many that are no session


async def silent(house: House, count: int, source: str | None = None) -> list[Client]:
    """So many connections that have sent half a request, and are known to the house."""
    clients = [await house.connect(source) for _ in range(count)]
    for client in clients:
        await client.send(b"GET /ws")
    await until(lambda: house.door.arrivals >= count)
    return clients


async def test_half_requests_from_one_address(open_house: Opener) -> None:
    house = await open_house(sessions_per_address=2, exempt_networks=[])
    first, _ = await silent(house, 2)
    late = await house.connect()
    answer = await late.refused()
    assert (answer.status, answer.headers["retry-after"], answer.document["reason"]) == (429, "60", "address")
    assert house.door.handshakes == {"address": 1}

    elsewhere = await house.connect("127.0.0.2")
    await elsewhere.send(upgrade())
    await elsewhere.opened()

    first.hang_up()
    late.hang_up()
    await until(lambda: house.door.arrivals == 1)
    again = await house.connect()
    await again.send(upgrade())
    await again.opened()


async def test_guests_from_one_address(open_house: Opener) -> None:
    house = await open_house(sessions_per_address=2, exempt_networks=[])
    guests = [await house.connect_after_page() for _ in range(2)]
    late = await house.connect()
    await late.send(page())
    answer = await late.refused()
    assert (answer.status, answer.headers["retry-after"], answer.document["reason"]) == (429, "60", "address")
    await house.connect_after_page("127.0.0.2")

    # Those that read pages there keep nobody there from coming in.
    reader = await house.connect()
    await reader.send(upgrade())
    await reader.opened()

    guests[0].hang_up()
    await until(lambda: house.door.guests == 2)
    await house.connect_after_page()


async def test_a_storm_is_held_off_whatever_browsers_ask_for(open_house: Opener) -> None:
    house = await open_house(handshakes_per_second=0.001)
    reader = await house.connect()
    await reader.send(upgrade())
    await reader.opened()
    late = await house.connect()
    await late.send(upgrade(origin="https://nobody.example.com"))
    answer = await late.refused()
    assert (answer.status, answer.document["reason"]) == (503, "rate")
    assert 1 <= int(answer.headers["retry-after"]) <= 5
    # Whoever is here, and pages and the API, are not concerned.
    await house.connect_after_page()
    assert house.door.handshakes == {"accepted": 1, "rate": 1}


async def test_guests_of_one_worker(open_house: Opener) -> None:
    house = await open_house(other_connections=16)
    guests = [await house.connect_after_page() for _ in range(16)]
    late = await house.connect()
    await late.send(page())
    answer = await late.refused()
    assert (answer.status, answer.headers["retry-after"], answer.document["reason"]) == (503, "10", "crowded")
    assert house.door.handshakes == {"crowded": 1}

    reader = await house.connect()
    await reader.send(upgrade())
    await reader.opened()
    await guests[0].send(upgrade())
    await guests[0].opened()
    # It is a session now, and its place as a guest is free.
    await house.connect_after_page()
    assert (house.door.guests, house.door.sessions) == (16, 2)


async def test_half_requests_of_one_worker(open_house: Opener) -> None:
    house = await open_house(sessions_per_worker=4, other_connections=16)
    waiting = await silent(house, 20)
    late = await house.connect()
    await late.gone()
    await until(lambda: house.door.arrivals == 20)
    assert house.door.handshakes == {"crowded": 1}
    waiting[0].hang_up()
    await until(lambda: house.door.arrivals == 19)
    reader = await house.connect()
    await reader.send(upgrade())
    await reader.opened()


async def test_a_whole_portal_may_come_back_at_once(open_house: Opener) -> None:
    """All are connected before the first of them asks, and many more than there may be guests."""
    house = await open_house(sessions_per_worker=100, other_connections=16)
    clients = [await house.connect() for _ in range(100)]
    await until(lambda: house.door.arrivals == 100)
    for client in clients:
        await client.send(upgrade())
    for client in clients:
        await client.opened()
    assert house.door.handshakes == {"accepted": 100}
    assert (house.door.sessions, house.door.arrivals) == (100, 0)


async def test_who_is_refused_counts_until_it_has_hung_up(open_house: Opener) -> None:
    house = await open_house(sessions_per_address=5, exempt_networks=[])
    client = await house.connect()
    await client.send(upgrade("site=nobody"))
    await client.refused()
    assert (house.door.arrivals, addresses(house.door)) == (1, ["127.0.0.1"])
    client.hang_up()
    await until(lambda: not any(house.holds))


async def test_a_session_is_counted_as_nothing_else_on_either_way(open_house: Opener, way: Way) -> None:
    house = await open_house(sessions_per_address=5, exempt_networks=[])
    client = await way(house)
    await client.send(upgrade())
    await client.opened()
    door = house.door
    assert (door.sessions, door.guests, door.arrivals, addresses(door)) == (1, 0, 0, ["127.0.0.1"])
    client.hang_up()
    await until(lambda: not any(house.holds))
