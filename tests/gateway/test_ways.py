"""Both ways in open the same, refuse the same and forget the same."""

from __future__ import annotations

import pytest

from tests.gateway.conftest import ACCEPT, KEY, ORIGIN, House, Opener, Way, page, said, upgrade
from tests.patience import until


async def test_a_proper_handshake_is_answered_and_welcomed(house: House, way: Way) -> None:
    client = await way(house)
    await client.send(upgrade())
    answer = await client.answer()
    assert answer.status == 101
    assert answer.headers == {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-accept": ACCEPT}
    welcome = await client.message()
    assert list(welcome)[:2] == ["type", "site"]
    assert (welcome["type"], welcome["site"]) == ("welcome", "demo")
    assert welcome["reconnect"] == {"base_ms": 500, "cap_ms": 4000}
    assert house.door.handshakes == {"accepted": 1}


async def test_the_session_knows_where_the_reader_is(house: House, way: Way) -> None:
    client = await way(house)
    greeted = []
    house.desk.greet_with(lambda session: greeted.append((session.visitor, session.since)) or b'"online":null')
    await client.send(upgrade("site=demo&path=/tin-t%E1%BB%A9c%2Fm%E1%BB%9Bi&section=thoi-su&visitor=v1.x&since=a.1"))
    assert (await client.opened())["online"] is None
    session = house.session()
    assert (session.path, session.section) == ("/tin-tức/mới", "thoi-su")
    assert greeted == [("v1.x", "a.1")]
    assert not session.watching


@pytest.mark.parametrize(
    "spelling",
    [
        {"connection": "keep-alive, Upgrade"},
        {"connection": "upgrade", "upgrade": "WebSocket"},
        {"host": "trang_tin.example.vn:8080"},
        {"host": "[::1]:8080"},
        {"origin": None},
        {"origin": ORIGIN.upper().replace("HTTPS", "https")},
        {"more": ("Content-Length: 0",)},
        {"more": ("Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Protocol: chat")},
        {"more": ("Sec-WebSocket-Extensions: a", "Sec-WebSocket-Extensions: b")},
    ],
)
async def test_what_browsers_and_proxies_may_write_is_accepted(house: House, way: Way, spelling: dict) -> None:
    client = await way(house)
    await client.send(upgrade(**spelling))
    await client.opened()


async def test_no_extension_and_no_subprotocol_is_negotiated(house: House, way: Way) -> None:
    client = await way(house)
    await client.send(upgrade(more=("Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Protocol: chat")))
    answer = await client.answer()
    assert not {"sec-websocket-extensions", "sec-websocket-protocol"} & set(answer.headers)


async def test_frames_in_the_packet_of_the_request_are_heard(house: House, way: Way) -> None:
    client = await way(house)
    await client.send(upgrade() + said({"type": "page", "path": "/a"}) + said({"type": "page", "path": "/b"}))
    await client.opened()
    await until(lambda: house.session().path == "/b")


async def test_a_frame_begun_in_the_packet_of_the_request_is_heard(house: House, way: Way) -> None:
    client = await way(house)
    message = said({"type": "page", "path": "/a"})
    await client.send_in_pieces(upgrade() + message[:5], message[5:])
    await client.opened()
    await until(lambda: house.session().path == "/a")


async def test_a_head_may_come_byte_by_byte(house: House, way: Way) -> None:
    client = await way(house)
    message = said({"type": "page", "path": "/a"})
    await client.send_in_pieces(*[bytes([byte]) for byte in upgrade() + message])
    await client.opened()
    await until(lambda: house.session().path == "/a")


async def test_a_page_and_an_upgrade_may_come_in_one_packet(house: House, way: Way) -> None:
    client = await way(house)
    await client.send(page() + page() + upgrade() + said({"type": "page", "path": "/a"}))
    assert [(await client.answer()).status, (await client.answer()).status] == [200, 200]
    await client.opened()
    await until(lambda: house.session().path == "/a")


NOT_PROPER = {
    "no site": (404, upgrade("")),
    "an empty site": (404, upgrade("site=")),
    "an unknown site": (404, upgrade("site=nobody")),
    "a foreign origin": (403, upgrade(origin="https://evil.example")),
    "a prefix of the origin": (403, upgrade(origin=ORIGIN + ".evil.example")),
    "no origin to speak of": (403, upgrade(origin="null")),
    "two origins": (400, upgrade(more=(f"Origin: {ORIGIN}",))),
    "a plain GET": (426, upgrade(connection=None, upgrade=None, version=None, key=None)),
    "no Upgrade": (426, upgrade(upgrade=None)),
    "no Connection: Upgrade": (426, upgrade(connection="keep-alive")),
    "another protocol": (426, upgrade(upgrade="h2c")),
    "another protocol too": (426, upgrade(upgrade="websocket, h2c")),
    "another protocol too, and a frame": (426, upgrade(upgrade="websocket, h2c") + said({"type": "page"})),
    "two protocols": (426, upgrade(more=("Upgrade: h2c",))),
    "version 8": (426, upgrade(version="8")),
    "no version": (426, upgrade(version=None)),
    "two versions": (400, upgrade(more=("Sec-WebSocket-Version: 13",))),
    "no key": (400, upgrade(key=None)),
    "a short key": (400, upgrade(key="AAAA")),
    "a key that is not base64": (400, upgrade(key="!" * 22 + "==")),
    "a key of 17 bytes": (400, upgrade(key="AAAAAAAAAAAAAAAAAAAAAAA=")),
    "two keys": (400, upgrade(more=(f"Sec-WebSocket-Key: {KEY}",))),
    "a body": (400, upgrade(more=("Content-Length: 5",)) + b"hello"),
    "a body that is still to come": (400, upgrade(more=("Content-Length: 1000000",)) + b"hello"),
    "a chunked body that is still to come": (400, upgrade(more=("Transfer-Encoding: chunked",)) + b"5\r\nhe"),
    "a chunked body": (400, upgrade(more=("Transfer-Encoding: chunked",)) + b"0\r\n\r\n"),
    "a length and a coding": (400, upgrade(more=("Content-Length: 5", "Transfer-Encoding: chunked")) + b"0\r\n\r\n"),
    "two lengths": (400, upgrade(more=("Content-Length: 0", "Content-Length: 0"))),
    "no host": (400, upgrade(host=None)),
    "two hosts": (400, upgrade(more=("Host: other",))),
    "an empty host": (400, upgrade(host="")),
    "a host that is none": (400, upgrade(host="a b")),
    "a host with a path": (400, upgrade(host="localhost/ws")),
    "a POST": (405, upgrade(method="POST")),
    "an OPTIONS": (405, upgrade(method="OPTIONS")),
    "HTTP/1.0": (400, upgrade(http="1.0")),
    "HTTP/2.0": (400, upgrade(http="2.0")),
    "a header without a colon": (400, upgrade(more=("nonsense",))),
    "a space before the colon": (400, upgrade(more=("X-A : b",))),
    "a control character": (400, upgrade(more=("X-A: \x00",))),
    "a long head": (431, upgrade(more=("X-A: " + "a" * 8192,))),
    "a long head of several lines": (431, upgrade(more=tuple(f"X-{n}: " + "a" * 1000 for n in range(9)))),
    "many lines": (431, upgrade(more=tuple(f"X-{n}: a" for n in range(59)))),
}


@pytest.mark.parametrize(("status", "request_bytes"), NOT_PROPER.values(), ids=NOT_PROPER)
async def test_refused_before_the_upgrade(house: House, way: Way, status: int, request_bytes: bytes) -> None:
    client = await way(house)
    await client.send(request_bytes)
    answer = await client.refused()
    assert answer.status == status
    assert answer.document["status"] == status
    assert answer.document["detail"]
    assert house.door.handshakes["accepted"] == 0
    assert house.hub.total == house.door.sessions == 0
    assert not house.door._per_address._open


@pytest.mark.parametrize("sent", [b"hello", bytes(3_000_000)], ids=["little", "much"])
async def test_a_body_is_not_waited_for(house: House, way: Way, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.gate.LINGER_SECONDS", 0.05)
    monkeypatch.setattr("gateway.compat.LINGER_SECONDS", 0.05)
    client = await way(house)
    client.writer.write(upgrade(more=("Content-Length: 9000000",)) + sent)
    assert (await client.refused()).status == 400
    # Not though the client neither goes on nor hangs up.
    await until(lambda: not any(house.holds))
    assert house.door.handshakes == {"malformed": 1}


async def test_a_refused_client_that_hangs_up_is_forgotten_at_once(house: House, way: Way) -> None:
    client = await way(house)
    await client.send(upgrade(more=("Content-Length: 5",)))
    await client.refused()
    client.writer.write_eof()
    await until(lambda: not any(house.holds))


async def test_what_is_spoken_here_is_named(house: House, way: Way) -> None:
    client = await way(house)
    await client.send(upgrade(version="8"))
    answer = await client.refused()
    assert answer.headers["sec-websocket-version"] == "13"
    assert answer.headers["upgrade"] == "websocket"
    assert "upgrade" in answer.headers["connection"].lower()


async def test_the_allowed_method_is_named(house: House, way: Way) -> None:
    client = await way(house)
    await client.send(upgrade(method="PUT"))
    assert (await client.refused()).headers["allow"] == "GET"


@pytest.mark.parametrize("lines", [64, 65])
async def test_as_many_lines_as_allowed(house: House, way: Way, lines: int) -> None:
    client = await way(house)
    await client.send(upgrade(more=tuple(f"X-{n}: a" for n in range(lines - 6))))
    assert (await client.answer()).status == (101 if lines == 64 else 431)


@pytest.mark.parametrize("size", [8192, 8193])
async def test_as_long_a_head_as_allowed(open_house: Opener, way: Way, size: int) -> None:
    house = await open_house()
    client = await way(house)
    filled = upgrade(more=("X-A: " + "a" * (size - len(upgrade(more=("X-A: ",)))),))
    assert len(filled) == size
    await client.send(filled)
    assert (await client.answer()).status == (101 if size == 8192 else 431)


@pytest.mark.parametrize(
    "request_bytes", [b"GET /page HTTP/1.1\r\nX-A: ", upgrade()[:-2] + b"X-A: "], ids=["page", "ws"]
)
async def test_a_head_without_end(house: House, way: Way, request_bytes: bytes) -> None:
    client = await way(house)
    await client.send(request_bytes + b"a" * 9000)
    assert (await client.refused()).status == 431


async def test_a_head_of_lines_without_end(house: House, way: Way) -> None:
    client = await way(house)
    await client.send(b"GET /page HTTP/1.1\r\n" + b"X-A: b\r\n" * 2000)
    assert (await client.refused()).status == 431


@pytest.mark.parametrize(
    "more",
    [tuple(f"X-{n}: a" for n in range(64)), tuple(f"X-{n}: " + "a" * 1000 for n in range(9))],
    ids=["lines", "bytes"],
)
async def test_pages_have_the_same_limits(house: House, way: Way, more: tuple[str, ...]) -> None:
    client = await way(house)
    await client.send(page("/page", *more))
    answer = await client.refused()
    assert answer.status == answer.document["status"] == 431


# -- how many


async def test_sessions_of_one_address(open_house: Opener, way: Way) -> None:
    house = await open_house(sessions_per_address=2, exempt_networks=[])
    first = await way(house)
    await first.send(upgrade())
    await first.opened()
    second = await way(house)
    await second.send(upgrade())
    await second.opened()

    third = await way(house)
    await third.send(upgrade())
    answer = await third.refused()
    assert (answer.status, answer.headers["retry-after"]) == (429, "60")

    elsewhere = await way(house, "127.0.0.2")
    await elsewhere.send(upgrade())
    await elsewhere.opened()

    first.hang_up()
    await until(lambda: house.door.sessions == 2)
    again = await way(house)
    await again.send(upgrade())
    await again.opened()


async def test_loopback_is_exempt(open_house: Opener, way: Way) -> None:
    house = await open_house(sessions_per_address=1)
    for _ in range(3):
        client = await way(house)
        await client.send(upgrade())
        await client.opened()
    assert not house.door._per_address._open


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("198.51.100.1, 203.0.113.7", "198.51.100.2, 203.0.113.7", True),
        ("198.51.100.1", "203.0.113.7, 198.51.100.1, 127.0.0.9", True),
    ],
)
async def test_a_trusted_proxy_names_the_address(
    open_house: Opener, way: Way, first: str, second: str, same: bool
) -> None:
    house = await open_house(sessions_per_address=1, exempt_networks=[], trusted_proxies=["127.0.0.0/8"])
    client = await way(house)
    await client.send(upgrade(more=(f"X-Forwarded-For: {first}",)))
    await client.opened()
    client = await way(house)
    await client.send(upgrade(more=(f"X-Forwarded-For: {second}",)))
    assert (await client.answer()).status == (429 if same else 101)


async def test_nobody_else_names_an_address(open_house: Opener, way: Way) -> None:
    house = await open_house(sessions_per_address=1, exempt_networks=[])
    client = await way(house)
    await client.send(upgrade(more=("X-Forwarded-For: 203.0.113.7",)))
    await client.opened()
    client = await way(house)
    await client.send(upgrade(more=("X-Forwarded-For: 203.0.113.8",)))
    assert (await client.refused()).status == 429


async def test_sessions_of_one_worker(open_house: Opener, way: Way) -> None:
    house = await open_house(sessions_per_worker=1)
    first = await way(house)
    await first.send(upgrade())
    await first.opened()
    second = await way(house)
    await second.send(upgrade())
    answer = await second.refused()
    assert (answer.status, answer.headers["retry-after"], answer.document["reason"]) == (503, "10", "full")
    first.hang_up()
    await until(lambda: house.door.sessions == 0)
    third = await way(house)
    await third.send(upgrade())
    await third.opened()


async def test_nobody_comes_in_while_the_worker_drains(house: House, way: Way) -> None:
    client = await way(house)
    house.door.draining = True
    await client.send(upgrade())
    answer = await client.refused()
    assert (answer.status, answer.headers["retry-after"], answer.document["reason"]) == (503, "10", "draining")


async def test_a_greeting_that_fails_is_told_and_leaves_nothing(house: House, way: Way) -> None:
    parted = []
    house.desk.on_departure(parted.append)

    def fail(session: object) -> bytes:
        raise RuntimeError("secret")

    house.desk.greet_with(fail)
    client = await way(house)
    await client.send(upgrade())
    answer = await client.refused()
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert len(parted) == 1
    assert house.door.handshakes == {"fault": 1}
    assert house.hub.total == house.door.sessions == 0
