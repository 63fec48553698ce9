"""The front desk: whom it lets in, how it greets, and whom it tells."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from gateway import frames
from gateway.desk import RETURNS_PER_MS, FrontDesk
from gateway.door import Door
from gateway.errors import Refusal
from gateway.handshake import Upgrade
from gateway.hub import Hub
from gateway.session import Session
from gateway.settings import GatewaySettings
from gateway.sites import SiteSettings
from tests.gateway.conftest import ORIGIN, SITES


class Crowd(Hub):
    """A hub that says it holds more than it does."""

    pretended = 0

    def join(self, session: Session) -> None:
        super().join(session)
        self.total = max(self.total, self.pretended)


def opened(desk: FrontDesk, site: str = "demo") -> Session:
    """A session that `desk` has not seen yet."""
    door = Door(GatewaySettings(), desk)
    return Session(door, Upgrade(b"", "", "", f"site={site}&visitor=v&since=s".encode()), "", None)  # type: ignore[arg-type]


def greeting(desk: FrontDesk, session: Session) -> dict[str, Any]:
    """The welcome of a session."""
    reader = StreamReader()
    reader.feed_data(desk.opened(session))
    try:
        next(Frame.parse(reader.read_exact, mask=False))
    except StopIteration as done:
        assert not reader.buffer
        assert done.value.opcode is Opcode.TEXT
        welcome: dict[str, Any] = json.loads(bytes(done.value.data))
        return welcome
    raise AssertionError("half a frame")


def desk_of(hub: Hub | None = None) -> FrontDesk:
    """A front desk with the usual sites."""
    return FrontDesk(GatewaySettings(), SITES, hub or Hub(65536))


@pytest.mark.parametrize(
    ("site", "origin", "status"),
    [("demo", ORIGIN, 0), ("demo", "", 0), ("demo", "https://evil.example", 403), ("demo", "null", 403),
     ("other", ORIGIN, 403), ("other", "http://a.example.vn:81", 0), ("", ORIGIN, 404), ("nobody", ORIGIN, 404)],
)  # fmt: skip
def test_who_may_come_in(site: str, origin: str, status: int) -> None:
    asked = Upgrade(b"", origin, "", f"site={site}".encode())
    if not status:
        desk_of().admit(asked)
        return
    with pytest.raises(Refusal) as caught:
        desk_of().admit(asked)
    assert caught.value.status == status


def test_a_welcome_says_what_the_rooms_say() -> None:
    desk = desk_of()
    desk.greet_with(lambda session: b'"visitor":"' + session.visitor.encode() + b'"')
    desk.greet_with(lambda session: b'"cursor":"' + session.since.encode() + b'"')
    session = opened(desk)
    welcome = greeting(desk, session)
    assert list(welcome) == ["type", "site", "language", "now", "reconnect", "visitor", "cursor"]
    assert (welcome["language"], welcome["visitor"], welcome["cursor"]) == ("vi", "v", "s")
    assert (session.visitor, session.since) == ("", "")


def test_a_welcome_says_the_time() -> None:
    said = greeting(desk_of(), opened(desk_of()))["now"]
    assert said.endswith("Z")
    assert len(said) == len("2026-11-23T04:25:16.120Z")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(said)) < timedelta(minutes=1)


def test_the_time_is_that_of_the_clock_it_is_given() -> None:
    now = datetime(2026, 11, 23, 4, 25, 16, 120_000, UTC).timestamp()
    desk = FrontDesk(GatewaySettings(), SITES, Hub(65536), clock=lambda: now)
    assert greeting(desk, opened(desk))["now"] == "2026-11-23T04:25:16.120Z"
    now += 0.001
    assert greeting(desk, opened(desk))["now"] == "2026-11-23T04:25:16.121Z"


@pytest.mark.parametrize(("sessions", "base", "cap"), [(1, 500, 4000), (10_000, 5000, 20_000), (900, 500, 4000)])
def test_reconnect_delays_grow_with_the_crowd(sessions: int, base: int, cap: int) -> None:
    hub = Crowd(65536)
    hub.pretended = sessions
    desk = desk_of(hub)
    assert greeting(desk, opened(desk))["reconnect"] == {"base_ms": base, "cap_ms": cap}
    delays = [desk.retry_ms() for _ in range(500)]
    assert min(delays) >= 250
    assert max(delays) <= max(2000, sessions // RETURNS_PER_MS)
    assert max(delays) - min(delays) > 1000


def test_a_greeting_that_fails_leaves_nobody_behind() -> None:
    hub = Hub(65536)
    desk = desk_of(hub)
    parted: list[Session] = []
    desk.on_departure(parted.append)

    def fail(session: Session) -> bytes:
        raise RuntimeError

    desk.greet_with(fail)
    session = opened(desk)
    with pytest.raises(RuntimeError):
        desk.opened(session)
    assert (hub.total, parted) == (0, [session])


def heard(desk: FrontDesk, message: object) -> Session:
    """The session that has said this."""
    session = opened(desk)
    desk.received(session, frames.Message(Opcode.TEXT, json.dumps(message).encode()))
    return session


@pytest.mark.parametrize(
    "message",
    [
        {"type": "state", "state": "reading"},
        {"type": "ack", "id": "01kb", "revision": 2, "did": "rendered"},
        {"type": "ack", "id": "01kb", "revision": 2, "did": "rendered", "waited": 4120},
        {"type": "page", "path": "/a", "section": "b"},
        {"type": "page", "path": "/a", "title": 5},
        {"type": "page"},
    ],
)
def test_what_the_protocol_knows_is_not_counted_though_nobody_listens(message: dict[str, Any]) -> None:
    desk = desk_of()
    session = heard(desk, message)
    assert desk.ignored == 0
    assert session.path == message.get("path", "/")


@pytest.mark.parametrize(
    "message",
    [
        {"type": "page", "path": 5},
        {"type": "page", "path": None},
        {"type": "page", "path": "/a", "section": ["b"]},
        {"type": "state", "state": 5},
        {"type": "ack", "id": 1, "revision": 2, "did": "rendered"},
        {"type": "ack", "id": "01kb", "revision": "2", "did": "rendered"},
        {"type": "ack", "id": "01kb", "revision": 2.5, "did": "rendered"},
        {"type": "ack", "id": "01kb", "revision": True, "did": "rendered"},
        {"type": "ack", "id": "01kb", "revision": 2, "did": {}},
        {"type": "ack", "id": "01kb", "revision": 2, "did": "rendered", "waited": 4120.5},
    ],
)
def test_a_member_of_the_wrong_type_is_counted_and_nobody_hears_it(message: dict[str, Any]) -> None:
    desk = desk_of()
    told: list[dict[str, Any]] = []
    desk.on_message(message["type"], lambda session, said: told.append(said))
    session = heard(desk, message)
    assert (desk.ignored, told, session.path) == (1, [], "/")


def test_a_room_may_listen_to_what_the_protocol_does_not_know() -> None:
    desk = desk_of()
    told: list[dict[str, Any]] = []
    desk.on_message("poll", lambda session, said: told.append(said))
    heard(desk, {"type": "poll", "path": 5})
    assert (desk.ignored, told) == (0, [{"type": "poll", "path": 5}])


def test_a_welcome_says_below_which_number_a_site_is_not_exact() -> None:
    desk = FrontDesk(GatewaySettings(), {"demo": SiteSettings(small_counts=10), "tinh": SiteSettings()}, Hub(65536))
    assert greeting(desk, opened(desk))["small"] == 10
    assert "small" not in greeting(desk, opened(desk, "tinh"))
