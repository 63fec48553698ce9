"""The crowd and the bare loop: the programs in C and those in Python say and hear the same."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from websockets.utils import accept_key

from benchmarks import compiled, machine
from benchmarks.errors import PeerFailed
from benchmarks.peers import Bare, Crowd
from benchmarks.product import REQUEST
from gateway import frames

READERS = 40
KINDS = ["python", *(["c"] if compiled.compiler() else [])]
CORE = machine.cores().others


@pytest.fixture(scope="module", params=KINDS)
def programs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What starts each of the two."""
    cc = compiled.compiler() if request.param == "c" else None
    into = tmp_path_factory.mktemp("compiled")
    return {name: compiled.program(name, into, cc) for name in ("bare", "crowd")}


@pytest.fixture
def bare(programs: dict[str, list[str]]) -> Iterator[Bare]:
    with Bare(programs["bare"], CORE) as running:
        yield running


@pytest.fixture
def crowd(programs: dict[str, list[str]]) -> Iterator[Crowd]:
    with Crowd("crowd", programs["crowd"], CORE) as running:
        yield running


def test_answers_a_handshake_with_the_key_of_the_rfc(bare: Bare) -> None:
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    with socket.create_connection(("127.0.0.1", bare.port), timeout=60) as browser:
        browser.sendall(f"GET / HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
        answer = browser.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert accept_key(key).encode() in answer


@pytest.mark.slow
def test_everybody_hears_what_is_sent(bare: Bare, crowd: Crowd) -> None:
    message = b'{"type":"announcement","title":"%b"}' % (b"x" * 300)
    joined = crowd.join(bare.port, READERS, REQUEST)
    assert joined.seconds > 0
    crowd.arm()
    assert bare.send(frames.text(message)) >= 0
    heard = crowd.heard(READERS)
    assert len(heard.at) == READERS
    assert heard.message == message


@pytest.mark.slow
def test_what_is_no_announcement_is_not_counted(bare: Bare, crowd: Crowd) -> None:
    crowd.join(bare.port, READERS, REQUEST)
    crowd.arm()
    # A count, a ping, and an announcement that comes in two pieces.
    bare.send(frames.text(b'{"type":"presence","online":1}') + frames.PING)
    whole = frames.text(b'{"type":"announcement","title":"late"}')
    bare.send(whole[:10])
    bare.send(whole[10:])
    assert crowd.heard(READERS).message == b'{"type":"announcement","title":"late"}'
    assert crowd.ask("arm")["pings"] == READERS


@pytest.mark.slow
def test_a_ping_right_behind_the_answer_is_answered(crowd: Crowd) -> None:
    # A service counts a reader once it has answered; what it asks comes in one write with the answer.
    pongs = []

    def serve(listener: socket.socket) -> None:
        browser, _ = listener.accept()
        with browser:
            browser.recv(4096)
            browser.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + frames.text(b"{}") + frames.PING)
            pongs.append(browser.recv(4096))
            # It leaves without a farewell.
            with contextlib.suppress(ConnectionError):
                browser.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        crowd.join(listener.getsockname()[1], 1, REQUEST)
        assert crowd.ask("arm")["pings"] == 1
        crowd.leave()
        server.join()
    assert pongs[0][:2] == bytes((0x8A, 0x80 | len(frames.PING[2:])))


@pytest.mark.slow
def test_a_reader_that_is_lost_is_an_error(bare: Bare, crowd: Crowd) -> None:
    crowd.join(bare.port, READERS, REQUEST)
    bare.__exit__(None, None, None)
    with pytest.raises(PeerFailed, match="lost their connection"):
        while True:
            crowd.arm()


@pytest.mark.slow
def test_a_server_that_refuses_is_an_error(crowd: Crowd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(PeerFailed, match=f"{READERS} of {READERS} readers were refused"):
        crowd.join(port, READERS, REQUEST)
