"""Whose connection it is: the client's address behind proxies, and the key its limits are counted under.

An address is kept in memory while a connection is open, or while it is among the last that came; it goes nowhere else.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_REMEMBERED = 16_384


class Addresses:
    """Knows the trusted proxies and the exempt networks.

    Args:
        trusted: Networks whose ``X-Forwarded-For`` is believed.
        exempt: Networks without a limit per address.
    """

    def __init__(self, trusted: Iterable[str], exempt: Iterable[str]) -> None:
        self._trusted = [ipaddress.ip_network(network) for network in trusted]
        self._exempt = [ipaddress.ip_network(network) for network in exempt]
        self.limit_key = lru_cache(_REMEMBERED)(self._limit_key)
        self.network_key = lru_cache(_REMEMBERED)(_network_key)

    def client(self, peer: str, forwarded_for: str) -> str:
        """The address the request came from.

        Goes through ``X-Forwarded-For`` from the right and stops at the first address that is not a trusted
        proxy: what stands left of it was written by the client and proves nothing.

        Args:
            peer: The other end of the socket.
            forwarded_for: The header's lines joined by commas, empty if there is none.
        """
        if not forwarded_for or not self.trusts(peer):
            return peer
        client = peer
        for hop in reversed(forwarded_for.split(",")):
            candidate = _bare(hop.strip())
            if _parse(candidate) is None:
                break
            client = candidate
            if not _within(candidate, self._trusted):
                break
        return client

    def trusts(self, peer: str) -> bool:
        """Whether the other end of a socket is a trusted proxy, whose headers are believed."""
        return bool(self._trusted) and _within(peer, self._trusted)

    def connection_key(self, peer: str) -> str:
        """What a connection is counted under that is no session: the key of its other end; empty for a trusted proxy,
        whose connections carry many clients."""
        return "" if self.trusts(peer) else self.limit_key(peer)

    def _limit_key(self, address: str) -> str:
        """What sessions are counted under: the IPv4 address or the IPv6 /64; empty when exempt."""
        if _within(address, self._exempt):
            return ""
        parsed = _parse(address)
        if isinstance(parsed, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((parsed, 64), strict=False))
        return str(parsed) if parsed is not None else address


def _network_key(key: str) -> str:
    """The network of a limit key: the IPv4 /24 or the IPv6 /48; empty when exempt."""
    parsed = _parse(key.partition("/")[0])
    if parsed is None:
        return key
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


def _bare(hop: str) -> str:
    """An entry of ``X-Forwarded-For`` without its port."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def _within(address: str, networks: Iterable[Network]) -> bool:
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in networks)
