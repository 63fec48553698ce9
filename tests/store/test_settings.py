from __future__ import annotations

import pytest

from store.connection import connect
from store.settings import RedisSettings
from store.urls import CLUSTER_SCHEMES, OPTIONS, TLS_OPTIONS, check_url


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


@pytest.mark.parametrize("url", ["redis+cluster://a:7000", "rediss+cluster://u:p@a/0?ssl_ca_certs=ca.pem"])
def test_a_cluster_is_for_those_who_ask_for_one(url: str) -> None:
    assert check_url(url, CLUSTER_SCHEMES).hostname == "a"
    with pytest.raises(ValueError, match="url must begin with redis://, rediss:// or unix://"):
        RedisSettings(url=url)


@pytest.mark.parametrize("url", ["redis+cluster://a/1", "redis+cluster://a?db=1", "redis+cluster://a?ssl_ca_certs=x"])
def test_what_a_cluster_has_not(url: str) -> None:
    with pytest.raises(ValueError, match="url: "):
        check_url(url, CLUSTER_SCHEMES)


def test_a_store_of_one_room_s_own() -> None:
    all = RedisSettings(url="redis://name/0", username="u", password="p", sentinels=["s:1"], command_seconds=2.0)
    assert all.elsewhere("") is None
    assert all.elsewhere("redis+cluster://b") == (RedisSettings(command_seconds=2.0), "redis+cluster://b")
