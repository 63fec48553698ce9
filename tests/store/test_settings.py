from __future__ import annotations

import pytest

from store.connection import connect
from store.settings import OPTIONS, TLS_OPTIONS, RedisSettings


@pytest.mark.parametrize(
    "url",
    [
        "",
        "redis://a",
        "redis://a/",
        "redis://:pa%23%2F%3F%40ss@a:6380/2",
        "rediss://u@a:1/2",
        "rediss://a?db=2&ssl_ca_certs=ca.pem&ssl_cert_reqs=none",
        "unix:///run/redis.sock",
        "unix://u:p@/run/redis.sock?db=2&password=p",
    ],
)
def test_addresses_it_takes(url: str) -> None:
    assert RedisSettings(url=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "a:6379",
        "http://a",
        "redis://a:port",
        "redis://a/nought",
        "redis://a\0",
        "unix://",
        "unix:///a%00",
        "redis://[::1",
        "redis://a?db=x",
        "redis://a?db=",
        "redis://a?foo=bar",
        "redis://a?foo",
        # A feed that blocks for longer would be cut off.
        "redis://a?socket_timeout=1",
        "redis://a?max_connections=1",
        "redis://a?ssl_ca_certs=ca.pem",
    ],
)
def test_addresses_it_refuses(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        RedisSettings(url=url)


@pytest.mark.parametrize("sign", ["#", "/", "?", "[", "\N{FULLWIDTH COMMERCIAL AT}"])
@pytest.mark.parametrize("before", ["xyz", "12", ""])
def test_no_part_of_a_password_that_is_not_encoded_is_told(before: str, sign: str) -> None:
    with pytest.raises(ValueError, match=r"url: .* such as redis://host|url: after its \? there may") as refused:
        RedisSettings(url=f"redis://u:{before}{sign}geheim@host:6379/0")
    assert "geheim" not in str(refused.value)
    assert not before or before not in str(refused.value)


async def test_what_it_takes_the_client_takes_too() -> None:
    values = dict.fromkeys((*OPTIONS, *TLS_OPTIONS), "1") | {"ssl_cert_reqs": "none"}
    for address, options in [("redis://a", OPTIONS), ("rediss://a", tuple(values))]:
        url = f"{address}?{'&'.join(f'{name}={values[name]}' for name in options)}"
        client = connect(RedisSettings(url=url), url)
        assert client.connection_pool.make_connection()
        await client.aclose()
