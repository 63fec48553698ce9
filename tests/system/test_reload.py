"""A hangup of the service: what its file says now is in force, and nobody who reads has noticed."""

from __future__ import annotations

import signal
from typing import Any

import aiohttp
import pytest

from tests.service import Service
from tests.system.follower import Follower
from tests.system.metrics import metrics

NEW_ORIGIN = "https://moi.example.vn"


async def answers(service: Service, site: str = "demo", origin: str = NEW_ORIGIN, times: int = 6) -> set[int]:
    """How handshakes of pages of `origin` are answered, by whichever worker."""
    found = set()
    for _ in range(times):
        async with aiohttp.ClientSession() as client:
            try:
                async with client.ws_connect(f"{service.url}/ws?site={site}&path=/", origin=origin):
                    found.add(101)
            except aiohttp.WSServerHandshakeError as refused:
                found.add(refused.status)
    return found


async def ready(service: Service) -> Any:
    async with aiohttp.ClientSession() as client, client.get(service.ops_url + "/readyz") as answer:
        return await answer.json()


async def test_sites_limits_policy_and_log_level_change_and_nobody_leaves(service: Service) -> None:
    async with Follower(service.url, "demo") as reader:
        await reader.until(lambda: reader.online == 1)
        assert await answers(service) == {403}
        assert await answers(service, "moi") == {404}
        service.config = (
            service.config.replace("[notifications]", '[notifications]\napprovals = ["*/emergency 1"]\nmax_active = 2')
            .replace("[operations]", '[operations]\nlog_level = "debug"')
            .replace('origins = ["http://127.0.0.1:*"]', f'origins = ["http://127.0.0.1:*", "{NEW_ORIGIN}"]')
            + f'\n[sites.moi]\norigins = ["{NEW_ORIGIN}"]\nsmall_counts = 10\n'
            + "\n[gateway]\nhandshakes_per_second = 1000\nping_seconds = 24\n"
        )
        service.signal(signal.SIGHUP)
        # Each of two workers says so, since it logs more from then on.
        await service.says("settings in force", times=2)
        assert await answers(service) == {101}
        assert await answers(service, "moi") == {101}
        async with Follower(service.url, "moi") as other:
            await other.until(lambda: other.online == 1)
            await service.publish("demo", title="Tin")
            id = await service.publish("moi", title="Tin")
            await other.until(lambda: id in other.view)
            for refused in ({"severity": "emergency"}, {"severity": "breaking"}):
                with pytest.raises(aiohttp.ClientResponseError) as error:
                    await service.publish("demo", title="Một tin nữa", **refused)
                assert error.value.status in {403, 409}
        assert (await ready(service))["notes"] == [
            "settings: changed in the file, in force after a restart: gateway.ping_seconds"
        ]
        # A worker that is started later has them, too.
        service.kill_workers()
        await service.says("worker ready", times=4)
        assert await answers(service, "moi") == {101}
        assert len(reader.greetings) <= 2


async def test_a_reload_drops_no_session(service: Service) -> None:
    async with Follower(service.url, "demo") as reader:
        await reader.until(lambda: reader.online == 1)
        for number in range(1, 4):
            service.config = service.config.replace(
                "[sites.demo]", f'[sites.them-{number}]\nname = "x"\n\n[sites.demo]'
            )
            service.signal(signal.SIGHUP)
            await service.says("settings reloaded", times=number)
        id = await service.publish("demo")
        await reader.until(lambda: id in reader.view)
        assert (reader.closes, len(reader.greetings)) == ([], 1)


async def test_a_bad_file_changes_nothing_and_is_told_of(service: Service) -> None:
    good = service.config
    async with Follower(service.url, "demo") as reader:
        await reader.until(lambda: reader.online == 1)
        service.config = good.replace("127.0.0.1:*", "moi.example.vn").replace(
            "drain_seconds = 1.0", "drain_seconds = 99"
        )
        service.signal(signal.SIGHUP)
        await service.says("settings refused")
        (line,) = [line for line in service.log().splitlines() if "settings refused" in line]
        assert "operations.drain_seconds" in line
        assert await answers(service, origin="http://127.0.0.1:1") == {101}
        told = await ready(service)
        assert told["status"] == "ready"
        assert "operations.drain_seconds" in told["notes"][0]
        page = await metrics(service, lambda page: page.total("loa_config_reload_failures_total") == 1)
        assert page.total("loa_config_last_reload_successful") == 0

        service.config = good
        service.signal(signal.SIGHUP)
        await service.says("settings reloaded")
        page = await metrics(service, lambda page: page.total("loa_config_last_reload_successful") == 1)
        assert page.total("loa_config_reload_failures_total") == 1
        assert (await ready(service))["notes"] == []
        assert reader.closes == []
