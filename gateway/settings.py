"""The settings of this room, section ``[gateway]``."""

from __future__ import annotations

import ipaddress
from typing import Annotated, ClassVar

from msgspec import Meta, Struct, field

PositiveSeconds = Annotated[float, Meta(gt=0, le=3600)]


class GatewaySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many may connect, how large and how fast they may speak, and when silence means gone.

    Attributes:
        sessions_per_worker: Sessions one worker holds; more are answered 503. Each takes a file descriptor.
        sessions_per_address: Sessions on each worker from one IPv4 address, or one IPv6 /64; more are answered 429.
            The same number holds for connections from there for pages and the API, and for those without a request yet.
        sessions_per_network: Sessions on each worker from one IPv4 /24, or one IPv6 /48, which whoever owns many
            addresses mostly owns; more are answered 429.
        handshakes_per_second: Browsers that one worker lets begin to follow, on average, and half as many at once; more
            are answered 503 before anything is done for them, and told when to come back. 0: no limit.
        other_connections: Connections for pages and the API one worker holds; more are answered 503. Each takes a file
            descriptor.
        exempt_networks: Networks without a limit per address or network.
        trusted_proxies: Networks whose X-Forwarded-For is believed.
        header_bytes: Longest request head, in bytes; a longer one is answered 431.
        header_lines: Most header lines in a request; more are answered 431.
        message_bytes: Longest message a browser may send, in bytes.
        messages_per_second: Messages a session may send, on average.
        message_burst: Messages a session may send at once.
        handshake_seconds: A connection that has not sent its request by then is closed.
        ping_seconds: Time between two pings to a session.
        pong_seconds: A session that has not answered a ping by then is gone.
        poll_seconds: A poll that nothing has come for is answered by then, and by ping_seconds.
        events_seconds: An event stream whose browser has said nothing for so long ends, and the browser comes back.
        slow_bytes: Announcements kept for a session that reads slowly, in bytes; past it the session is aborted.
        slow_seconds: A session that could not be written to for so long is aborted.
        reconnect_base_ms: A browser that lost its connection waits a random time up to this, doubled at each failure.
        reconnect_cap_ms: The longest of those waits. Both stretch with the sessions a worker holds.
    """

    LIVE: ClassVar = frozenset(
        {
            "sessions_per_address",
            "sessions_per_network",
            "handshakes_per_second",
            "exempt_networks",
            "trusted_proxies",
            "messages_per_second",
            "message_burst",
            "slow_bytes",
            "slow_seconds",
            "reconnect_base_ms",
            "reconnect_cap_ms",
        }
    )

    sessions_per_worker: Annotated[int, Meta(ge=1, le=1_000_000)] = 15_000
    sessions_per_address: Annotated[int, Meta(ge=1)] = 300
    sessions_per_network: Annotated[int, Meta(ge=1)] = 3_000
    handshakes_per_second: Annotated[float, Meta(ge=0, le=1_000_000)] = 4_000.0
    other_connections: Annotated[int, Meta(ge=16, le=1_000_000)] = 2_000
    exempt_networks: list[str] = field(default_factory=lambda: ["127.0.0.0/8", "::1/128"])
    trusted_proxies: list[str] = []
    header_bytes: Annotated[int, Meta(ge=1024, le=65536)] = 8192
    header_lines: Annotated[int, Meta(ge=16, le=256)] = 64
    message_bytes: Annotated[int, Meta(ge=256, le=65536)] = 4096
    messages_per_second: Annotated[float, Meta(gt=0)] = 10.0
    message_burst: Annotated[int, Meta(ge=1)] = 20
    handshake_seconds: PositiveSeconds = 10.0
    ping_seconds: PositiveSeconds = 25.0
    pong_seconds: PositiveSeconds = 15.0
    poll_seconds: Annotated[float, Meta(gt=0, le=25)] = 25.0
    events_seconds: PositiveSeconds = 300.0
    slow_bytes: Annotated[int, Meta(ge=16384)] = 65536
    slow_seconds: PositiveSeconds = 10.0
    reconnect_base_ms: Annotated[int, Meta(ge=50)] = 500
    reconnect_cap_ms: Annotated[int, Meta(ge=500)] = 4000

    def __post_init__(self) -> None:
        if self.pong_seconds >= self.ping_seconds:
            raise ValueError(
                "pong_seconds must be less than ping_seconds, or a ping goes out before the last was judged"
            )
        if self.sessions_per_network < self.sessions_per_address:
            raise ValueError("sessions_per_network must not be less than sessions_per_address, which is part of it")
        if self.reconnect_cap_ms < self.reconnect_base_ms:
            raise ValueError("reconnect_cap_ms must not be less than reconnect_base_ms")
        if self.message_burst < self.messages_per_second:
            raise ValueError("message_burst must not be less than messages_per_second")
        for name in ("exempt_networks", "trusted_proxies"):
            for network in getattr(self, name):
                try:
                    ipaddress.ip_network(network)
                except ValueError:
                    why = f"{network!r} is not a network such as 10.0.0.0/8 or 2001:db8::/32"
                    raise ValueError(f"{name}: {why}") from None
