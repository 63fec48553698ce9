"""Whose address counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.addresses import Addresses

PROXIES = ["10.0.0.0/8", "2001:db8:ffff::/48"]


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("2001:db8:ffff::9", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1,203.0.113.7,10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", ", ,", "10.0.0.1"),
        ("10.0.0.1", "_hidden", "10.0.0.1"),
        ("192.0.2.1", "203.0.113.7", "192.0.2.1"),
        ("", "203.0.113.7", ""),
    ],
)
def test_the_first_from_the_right_that_is_no_proxy(peer: str, forwarded_for: str, client: str) -> None:
    assert Addresses(PROXIES, []).client(peer, forwarded_for) == client


def test_without_proxies_the_header_means_nothing() -> None:
    assert Addresses([], []).client("10.0.0.1", "203.0.113.7") == "10.0.0.1"


@given(st.text(alphabet="0123456789abcdef:.,[] %/x", max_size=60))
def test_whatever_it_says_a_client_cannot_choose_the_address_of_its_own_proxy(forged: str) -> None:
    """What stands left of the entry that the proxy wrote changes nothing."""
    addresses = Addresses(PROXIES, [])
    assert addresses.client("10.0.0.1", f"{forged}, 203.0.113.7") == "203.0.113.7"
    addresses.limit_key(addresses.client("10.0.0.1", forged))


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", ""),
        ("127.9.9.9", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("", ""),
        ("unparsable", "unparsable"),
    ],
)
def test_what_limits_are_counted_under(address: str, key: str) -> None:
    assert Addresses([], ["127.0.0.0/8", "::1/128"]).limit_key(address) == key


@pytest.mark.parametrize(
    ("peer", "key"),
    [("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2::1", "2001:db8:1:2::/64"), ("10.0.0.1", ""),
     ("::ffff:10.0.0.1", ""), ("192.0.2.1", ""), ("", "")],
)  # fmt: skip
def test_what_a_connection_without_a_request_is_counted_under(peer: str, key: str) -> None:
    assert Addresses(PROXIES, ["192.0.2.0/24"]).connection_key(peer) == key


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("127.0.0.1", ""),
        ("somewhere", "somewhere"),
    ],
)
def test_a_network_is_that_of_the_limit_key(address: str, network: str) -> None:
    addresses = Addresses([], ["127.0.0.0/8"])
    assert addresses.network_key(addresses.limit_key(address)) == network
