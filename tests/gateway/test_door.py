"""The door: what it counts, and that it forgets. Its limits over sockets are in test_ways.py and test_gate.py."""

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
from tests.gateway.conftest import SITES, addresses


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


# -- connections that are no session


def too_many(door: Door, peer: str = "203.0.113.7") -> Refusal:
    """Why there may not be one more arrival."""
    with pytest.raises(Refusal) as caught:
        door.arrive(peer)
    return caught.value


def test_an_arrival_is_counted_until_it_asks() -> None:
    door, _ = door_of()
    key = door.arrive("2001:db8::5")
    assert (key, door.arrivals, addresses(door)) == ("2001:db8::/64", 1, ["2001:db8::/64"])
    door.asked(key)
    assert (door.arrivals, addresses(door)) == (0, [])


def test_a_guest_is_counted_until_it_parts() -> None:
    door, _ = door_of()
    door.host("203.0.113.7")
    assert (door.guests, addresses(door)) == (1, ["203.0.113.7"])
    door.parted("203.0.113.7")
    assert (door.guests, addresses(door)) == (0, [])


def test_each_kind_has_the_limit_per_address_for_itself() -> None:
    door, _ = door_of(sessions_per_address=1)
    key = door.arrive("203.0.113.7")
    door.host(key)
    enter(door)
    refusal = too_many(door)
    assert (refusal.status, refusal.reason, dict(refusal.headers)) == (429, "address", {"Retry-After": "60"})
    with pytest.raises(Refusal) as caught:
        door.host(key)
    assert caught.value.status == 429
    assert refused(door).status == 429
    assert (door.arrivals, door.guests, door.sessions) == (2, 1, 1)
    assert addresses(door) == [key] * 3
    # The one that was refused is under no key.
    door.asked("")
    door.asked(key)
    door.parted(key)
    door.host(door.arrive("203.0.113.7"))


@pytest.mark.parametrize(
    "options", [{"trusted_proxies": ["203.0.113.0/24"]}, {"exempt_networks": ["203.0.113.0/24"]}], ids=str
)
def test_proxies_of_ours_and_exempt_networks_have_no_limit(options: dict[str, object]) -> None:
    door, _ = door_of(sessions_per_address=1, **options)
    for _ in range(5):
        key = door.arrive("203.0.113.7")
        assert key == ""
        door.host(key)
    assert (door.arrivals, door.guests, addresses(door)) == (5, 5, [])


def test_guests_of_one_worker() -> None:
    door, _ = door_of(other_connections=16)
    for _ in range(16):
        door.host("")
    with pytest.raises(Refusal) as caught:
        door.host("203.0.113.7")
    assert (caught.value.status, caught.value.reason) == (503, "crowded")
    assert dict(caught.value.headers) == {"Retry-After": "10"}
    assert (door.guests, addresses(door)) == (16, [])
    # Sessions have room of their own.
    enter(door)


def test_arrivals_have_the_room_that_sessions_and_guests_leave() -> None:
    door, _ = door_of(sessions_per_worker=100, other_connections=16)
    session = enter(door)
    door.host("")
    for _ in range(114):
        door.arrive("203.0.113.7")
    assert not door.crowded
    refusal = too_many(door)
    assert (refusal.status, refusal.reason) == (503, "crowded")
    assert door.crowded
    # As long as it lasts it takes the room of another.
    door.asked("")
    door.left(session)
    door.arrive("203.0.113.7")
    assert too_many(door).status == 503


def test_a_network_has_a_limit_that_many_addresses_share() -> None:
    door, _ = door_of(sessions_per_address=1, sessions_per_network=2)
    first = enter(door, "203.0.113.7")
    enter(door, "203.0.113.8")
    refusal = refused(door, "203.0.113.9")
    assert (refusal.status, refusal.reason, dict(refusal.headers)) == (429, "network", {"Retry-After": "60"})
    enter(door, "203.0.114.9")
    door.left(first)
    enter(door, "203.0.113.9")
    assert door._per_network._open == {"203.0.113.0/24": 2, "203.0.114.0/24": 1}


def test_an_exempt_network_has_none() -> None:
    door, _ = door_of(sessions_per_address=1, sessions_per_network=1, exempt_networks=["203.0.113.0/24"])
    for _ in range(3):
        enter(door, "203.0.113.7")
    assert door._per_network._open == {}


def test_so_many_are_let_begin_in_a_moment_and_the_others_told_when_to_come() -> None:
    now = 100.0
    settings = GatewaySettings(handshakes_per_second=10)
    hub = Hub(settings.slow_bytes)
    door = Door(settings, FrontDesk(settings, SITES, hub), clock=lambda: now)
    for _ in range(5):
        door.pace()
    delays = set()
    for _ in range(200):
        with pytest.raises(Refusal) as caught:
            door.pace()
        assert (caught.value.status, caught.value.reason) == (503, "rate")
        delays.add(dict(caught.value.headers)["Retry-After"])
    assert delays == {"1", "2", "3", "4", "5"}
    now += 0.125
    door.pace()
    with pytest.raises(Refusal):
        door.pace()


def test_no_rate_is_no_limit() -> None:
    door, _ = door_of(handshakes_per_second=0)
    for _ in range(100_000):
        door.pace()


def test_limits_change_and_who_is_in_stays() -> None:
    door, _ = door_of(sessions_per_address=2, handshakes_per_second=0)
    sessions = [enter(door), enter(door)]
    door.adopt(GatewaySettings(sessions_per_address=1, handshakes_per_second=2))
    assert door.sessions == 2
    door.left(sessions.pop())
    assert refused(door).status == 429
    door.pace()
    with pytest.raises(Refusal):
        door.pace()
    door.adopt(GatewaySettings(exempt_networks=["203.0.113.0/24"], handshakes_per_second=0))
    exempt = enter(door)
    assert exempt.address == ""
    for session in (*sessions, exempt):
        door.left(session)
    assert door._per_address._open == {}
