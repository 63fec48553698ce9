"""Which addresses events may be posted to.

A webhook's address is given by a person who may not know the network this service stands in, and its name may lead
somewhere else tomorrow. So the address that is really connected to is looked at, each time: loopback, link-local (where
clouds keep credentials), private and otherwise special networks are refused, also where they are wrapped in IPv6.

Pure.
"""

from __future__ import annotations

import ipaddress

# All that has been given out of IPv6 (RFC 4291, 2.4); what Python calls global reaches further.
_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def public(address: str) -> bool:
    """Whether `address`, an IP address, is one of the public internet."""
    try:
        # Without the zone of a link-local address, which is none of ours in any case.
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return public(str(inner))
        if ip.teredo is not None or ip not in _UNICAST:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)
