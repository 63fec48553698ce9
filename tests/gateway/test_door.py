"""The door: what it counts, and that it forgets. Its limits over sockets are in test_ways.py."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.desk import FrontDesk
from gateway.door import Door
from gateway.errors import Refusal
from gateway.handshake import Upgrade
from gateway.hub import Hub
from gateway.session import Session
from gateway.settings import GatewaySettings
from tests.gateway.conftest import SITES


def door_of(**options: object) -> tuple[Door, Hub]:
    """A door with these settings, and the hub behind it."""
    settings = GatewaySettings(**options)  # type: ignore[arg-type]
    hub = Hub(settings.slow_bytes)
    return Door(settings, FrontDesk(settings, SITES, hub)), hub


def enter(door: Door, peer: str = "203.0.113.7", site: str = "demo") -> Session:
    """One more session."""
    session, welcome = door.enter(Upgrade(b"", "", "", f"site={site}".encode()), peer, None, Session)  # type: ignore[arg-type]
    assert welcome
    return session


def refused(door: Door, peer: str = "203.0.113.7", site: str = "demo") -> Refusal:
    """Why there may not be one more."""
    with pytest.raises(Refusal) as caught:
        enter(door, peer, site)
    return caught.value


def test_who_entered_is_counted_until_it_left() -> None:
    door, hub = door_of()
    session = enter(door)
    assert (door.sessions, hub.total, session.address) == (1, 1, "203.0.113.7")
    door.left(session)
    assert (door.sessions, hub.total, door._per_address._open) == (0, 0, {})
    assert door.handshakes == {"accepted": 1}


def test_a_refusal_holds_nothing() -> None:
    door, hub = door_of(sessions_per_address=1, sessions_per_worker=2)
    first = enter(door)
    assert refused(door).status == 429
    assert refused(door, "203.0.113.8", "nobody").status == 404
    enter(door, "203.0.113.8")
    assert refused(door, "203.0.113.9").status == 503
    assert (door.sessions, hub.total, len(door._per_address._open)) == (2, 2, 2)
    door.left(first)
    enter(door)


def test_a_full_door_says_so_before_it_looks_at_who_asks() -> None:
    door, _ = door_of()
    door.draining = True
    refusal = refused(door, site="nobody")
    assert (refusal.status, refusal.reason) == (503, "draining")


@pytest.mark.parametrize(
    ("proxies", "key"), [([], "192.0.2.1"), (["192.0.2.0/24"], "2001:db8::/64"), (["192.0.2.9/32"], "192.0.2.1")]
)
def test_an_ordinary_request_is_counted_under_the_same_key(proxies: list[str], key: str) -> None:
    door, _ = door_of(trusted_proxies=proxies)
    headers = {"X-Forwarded-For": "2001:db8::5"}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote="192.0.2.1")
    assert door.address_of(request) == key
