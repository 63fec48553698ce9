"""Settings that contradict themselves are refused."""

from __future__ import annotations

import inspect

import msgspec
import pytest

from gateway.settings import GatewaySettings


def test_the_defaults_are_accepted() -> None:
    assert msgspec.convert({}, GatewaySettings) == GatewaySettings()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"ping_seconds": 10.0, "pong_seconds": 10.0}, "pong_seconds must be less than ping_seconds"),
        ({"reconnect_base_ms": 5000, "reconnect_cap_ms": 4000}, "reconnect_cap_ms must not be less"),
        ({"sessions_per_network": 299}, "sessions_per_network must not be less than sessions_per_address"),
        ({"message_burst": 5}, "message_burst must not be less than messages_per_second"),
        ({"exempt_networks": ["127.0.0.1/8"]}, "exempt_networks: '127.0.0.1/8' is not a network"),
        ({"trusted_proxies": ["proxy"]}, "trusted_proxies: 'proxy' is not a network"),
        ({"sessions_per_worker": 0}, "sessions_per_worker"),
        ({"other_connections": 15}, "other_connections"),
        ({"message_bytes": 1 << 20}, "message_bytes"),
        ({"header_lines": "64"}, "header_lines"),
        ({"slow_bytes": 1}, "slow_bytes"),
        ({"ping_seconds": 0}, "ping_seconds"),
        ({"pings": 1}, "unknown field `pings`"),
    ],
)
def test_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(given, GatewaySettings)
    assert says in str(caught.value)


def test_every_setting_is_described() -> None:
    described = inspect.getdoc(GatewaySettings)
    assert described is not None
    for name in GatewaySettings.__struct_fields__:
        assert f"{name}:" in described


def test_no_two_settings_share_their_lists() -> None:
    GatewaySettings().exempt_networks.append("10.0.0.0/8")
    assert GatewaySettings().exempt_networks == ["127.0.0.0/8", "::1/128"]
