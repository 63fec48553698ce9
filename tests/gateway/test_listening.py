"""The public port: shared, with TLS, and drained."""

from __future__ import annotations

import asyncio
import datetime
import errno
import json
import math
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.frames import Opcode

from gateway import listening
from gateway.closing import CloseCode
from tests.gateway.conftest import PAGE, House, Opener, Way, ask, farewell, frame, page, said, upgrade
from tests.patience import until

# -- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    directory = tmp_path_factory.mktemp("tls")
    (directory / "certificate.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return directory / "certificate.pem", directory / "key.pem"


Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


@pytest.fixture
def tls(certificate: tuple[Path, Path]) -> Contexts:
    """Ours, and that of a client who trusts the certificate."""
    return listening.tls_context(*certificate), ssl.create_default_context(cafile=certificate[0])


async def test_over_tls_all_is_as_without(open_house: Opener, way: Way, tls: Contexts) -> None:
    house = await open_house(tls=tls)
    client = await way(house)
    await client.send_in_pieces(upgrade()[:50], upgrade()[50:] + said({"type": "page", "path": "/a"}))
    await client.opened()
    await until(lambda: house.session().path == "/a")
    house.hub.broadcast(b'{"type":"announcement"}', ["demo"], urgent=True)
    assert await client.message() == {"type": "announcement"}
    await client.send(frame(Opcode.PING, b"x"))
    assert (await client.frame()).opcode is Opcode.PONG
    await client.send(farewell(1000))
    assert (await client.closed()).code == 1000


async def test_over_tls_a_stream_and_a_poll_are_as_without(open_house: Opener, way: Way, tls: Contexts) -> None:
    house = await open_house(tls=tls)
    stream, poll = await way(house), await way(house)
    await stream.send(ask("events"))
    await stream.followed()
    await poll.send(ask("poll"))
    id = (await poll.polled())["session"]
    await poll.send(ask("poll", f"site=demo&session={id}"))
    house.hub.broadcast(b'{"type":"x"}', ("demo",), urgent=True)
    assert await stream.told() == {"type": "x"}
    assert (await poll.polled())["messages"] == [{"type": "x"}]
    await poll.send(ask("poll", "site=demo&session=x"))
    assert (await poll.refused()).status == 404
    draining = asyncio.create_task(listening.drain(house.door, house.desk, house.hub, 5.0))
    assert (await stream.told())["type"] == "close"
    await stream.ended()
    house.polling[0].abort()
    assert await draining == 2


async def test_over_tls_a_close_frame_arrives_though_much_was_sent(open_house: Opener, way: Way, tls: Contexts) -> None:
    house = await open_house(tls=tls)
    client = await way(house)
    await client.send(upgrade())
    await client.opened()
    client.writer.write(frame(Opcode.BINARY) + bytes(300_000))
    received = await client.frame()
    assert (received.opcode, bytes(received.data)) == (Opcode.CLOSE, CloseCode.UNSUPPORTED.to_bytes(2, "big"))
    await client.gone()


async def test_over_tls_a_refusal_arrives(open_house: Opener, way: Way, tls: Contexts) -> None:
    house = await open_house(tls=tls)
    client = await way(house)
    await client.send(upgrade("site=nobody"))
    assert (await client.refused()).status == 404


async def test_over_tls_connections_that_are_no_session_have_the_same_limits(open_house: Opener, tls: Contexts) -> None:
    house = await open_house(
        tls=tls, sessions_per_address=20, exempt_networks=[], sessions_per_worker=5, other_connections=16
    )
    for _ in range(20):
        await house.connect()
    await until(lambda: house.door.arrivals == 20)
    late = await house.connect()
    assert (await late.refused()).status == 429
    await house.connect("127.0.0.2")
    await until(lambda: house.door.arrivals == 21)
    crowding = await house.connect("127.0.0.2")
    await crowding.gone()
    assert house.door.handshakes == {"address": 1, "crowded": 1}


async def test_over_tls_a_slow_reader_is_not_kept_more_for(open_house: Opener, way: Way, tls: Contexts) -> None:
    house = await open_house(tls=tls)
    client = await way(house)
    await client.send(upgrade())
    await client.opened()
    session = house.session()
    client.writer.transport.pause_reading()
    while not session.closing:
        house.hub.broadcast(b"a" * 8000, ["demo"], urgent=True)
        await asyncio.sleep(0)
        assert session.transport.get_write_buffer_size() <= 2 * house.settings.slow_bytes
    assert house.hub.aborted == 1


async def test_a_tls_port_speaks_nothing_else(open_house: Opener, tls: Contexts) -> None:
    house = await open_house(tls=tls)
    house.tls = None
    client = await house.connect()
    await client.send(upgrade())
    await client.gone()


async def test_who_never_begins_with_tls_is_ended_by_the_deadline(open_house: Opener, tls: Contexts) -> None:
    house = await open_house(tls=tls, handshake_seconds=0.1)
    house.tls = None
    client = await house.connect()
    await client.gone()


def test_no_old_tls(certificate: tuple[Path, Path]) -> None:
    assert listening.tls_context(*certificate).minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_key_that_does_not_belong_is_refused(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(ssl.SSLError):
        listening.tls_context(certificate[0], other)
    with pytest.raises(FileNotFoundError):
        listening.tls_context(tmp_path / "missing.pem", other)


# -- the port


async def test_workers_share_a_port_only_where_they_are_told_to(house: House) -> None:
    second = await listening.listen(house.door, None, "127.0.0.1", house.port)
    second.close()
    with pytest.raises(OSError) as caught:
        await listening.listen(house.door, None, "127.0.0.1", house.port, reuse_port=False)
    assert caught.value.errno == errno.EADDRINUSE


# -- draining


async def test_everybody_is_sent_away_with_a_delay_of_their_own(house: House, way: Way) -> None:
    clients = []
    for _ in range(20):
        client = await way(house)
        await client.send(upgrade())
        await client.opened()
        clients.append(client)
    late = await way(house)
    draining = asyncio.create_task(listening.drain(house.door, house.desk, house.hub, 10.0))
    delays = []
    for client in clients:
        close = await client.closed()
        assert close.code == CloseCode.RESTART
        reason = json.loads(close.reason)
        assert list(reason) == ["retry_ms"]
        delays.append(reason["retry_ms"])
        client.hang_up()
    await until(lambda: not house.door.sessions)
    assert all(250 <= delay <= 2000 for delay in delays)
    assert len(set(delays)) > 1
    assert house.door.closes == {1012: 20}

    await late.send(upgrade())
    assert (await late.refused()).status == 503
    assert await draining == 20


async def test_draining_does_not_wait_for_ever(open_house: Opener, way: Way) -> None:
    house = await open_house()
    client = await way(house)
    await client.send(upgrade())
    await client.opened()
    client.writer.transport.pause_reading()
    assert await listening.drain(house.door, house.desk, house.hub, 0.05) == 1
    assert house.door.sessions == 1


async def test_draining_an_empty_house_is_done_at_once(house: House) -> None:
    assert await listening.drain(house.door, house.desk, house.hub, 10.0) == 0


async def test_who_had_come_before_the_port_closed_is_still_answered(
    open_house: Opener, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_ASK_SECONDS", math.inf)
    house = await open_house()
    guest = await house.connect_after_page()
    client = await house.connect()
    await until(lambda: house.door.arrivals == 1)
    draining = asyncio.create_task(listening.drain(house.door, house.desk, house.hub, math.inf))
    await until(lambda: house.door.draining)
    assert not draining.done()
    await client.send(page())
    assert await draining == 0
    # Each of these answers is the last on its connection: the next request finds another worker.
    for one in (client, guest):
        if one is guest:
            await guest.send(page())
        answer = await one.refused()
        assert (answer.status, answer.body) == (200, PAGE.encode())


async def test_draining_does_not_wait_for_who_asks_for_nothing(
    open_house: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_ASK_SECONDS", 0.05)
    house = await open_house()
    await house.connect()
    await until(lambda: house.door.arrivals == 1)
    assert await listening.drain(house.door, house.desk, house.hub, math.inf) == 0
    assert house.door.arrivals == 1


async def test_whom_the_kernel_holds_when_the_port_is_shut_is_taken_in() -> None:
    taken = []

    class Taken(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken.append(transport)

    listener = await asyncio.get_running_loop().create_server(Taken, "127.0.0.1", 0)
    with socket.create_connection(listener.sockets[0].getsockname()):
        await listening.shut(listener)
        assert len(taken) == 1
        assert not listener.is_serving()
        taken[0].abort()
