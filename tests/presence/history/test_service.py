"""Views and visits of a whole service, whatever is killed under it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.patience import PATIENCE_SECONDS
from tests.presence.portals import BROWSER
from tests.service import Service
from tests.system import processes

pytestmark = pytest.mark.slow

STATS = "/api/v1/sites/demo/stats"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path, 1) as one:
        yield one


async def viewed(http: ClientSession, service: Service, pages: int, visitor: str = "") -> str:
    """A reader opens a page, and goes on to others; its token, when all of them have been heard."""
    async with http.ws_connect(f"{service.url}/ws?site=demo&path=/0&visitor={visitor}") as socket:
        token = str((await socket.receive_json())["visitor"])
        for page in range(1, pages):
            await socket.send_json({"type": "page", "path": f"/{page}", "show": "page"})
            # Its number is told of every page that is heard of.
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (await socket.receive_json()).get("path") != f"/{page}":
                    pass
    return token


async def until_total(http: ClientSession, service: Service, visits: int, views: int) -> dict[str, Any]:
    """The numbers, as soon as they are as wanted."""
    said: dict[str, Any] = {}
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while said.get("total") != {"visits": visits, "views": views} or said["stale"]:
                async with http.get(f"{service.url}{STATS}") as answer:
                    said = await answer.json(content_type=None)
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(said) from None
    return said


async def test_nothing_is_lost_or_counted_twice_by_a_store_or_a_service_that_starts_again(
    service: Service, tmp_path: Path
) -> None:
    async with ClientSession(headers=BROWSER) as http:
        token = await viewed(http, service, 5)
        await until_total(http, service, 1, 5)
        # The store is killed: views go on, wait, and are written when it is back.
        valkey = processes.store(service.pid)
        os.kill(valkey, signal.SIGKILL)
        await viewed(http, service, 3, token)
        await until_total(http, service, 1, 8)
        # A stop in good order loses nothing, though nobody waits for the numbers before it.
        await viewed(http, service, 4)
        assert service.interrupt() == 0
        service.start()
        await until_total(http, service, 2, 12)
        # Killed outright, what has been written is there.
        service.kill()
        service.start()
        said = await until_total(http, service, 2, 12)
        assert said["record"]["online"] >= 1
        metrics = await (await http.get(f"{service.ops_url}/metrics")).text()
        assert 'loa_page_views_total{site="demo"' in metrics
        assert "loa_history_errors_total" in metrics
        assert "loa_history_lag_seconds" in metrics
        # And an editor may see which pages are read; others may not.
        async with http.get(f"{service.url}/api/v1/sites/demo/pages") as answer:
            assert answer.status == 401
        async with http.get(f"{service.url}/api/v1/sites/demo/pages", headers=service.authorization) as answer:
            assert (await answer.json())["site"] == "demo"
        made = await service.loa("token", "create", "--role", "viewer", "--site", service.sites[0], "--name", "other")
        other = {"Authorization": f"Bearer {made.output.split()[-1]}"}
        for site, status in ((service.sites[0], 200), ("demo", 403)):
            async with http.get(f"{service.url}/api/v1/sites/{site}/pages", headers=other) as answer:
                assert answer.status == status
    (tmp_path / "old.csv").write_text("2020-01-01,10,20\n2020-01-02,bad,20\n")
    refused = await service.loa("history", "import", str(tmp_path / "old.csv"), "--site", "demo")
    assert refused.code == 1
    assert "line 2: has 'bad' for visits" in refused.errors
    shown = await service.loa("history", "--site", "demo")
    assert (shown.code, shown.errors) == (0, "")
    assert "demo, Asia/Ho_Chi_Minh" in shown.output
