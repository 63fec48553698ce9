from __future__ import annotations

import pytest

from store.settings import RedisSettings


@pytest.mark.parametrize("url", ["", "redis://a", "rediss://u@a:1/2", "unix:///run/redis.sock"])
def test_addresses_it_takes(url: str) -> None:
    assert RedisSettings(url=url).url == url


@pytest.mark.parametrize("url", ["a:6379", "http://a", "redis://a:port", "unix://", "redis://[::1"])
def test_addresses_it_refuses(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        RedisSettings(url=url)
