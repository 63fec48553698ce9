"""A reader counts once, however many tabs and workers; and the number is right on all ways to ask for it."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from typing import Any

import aiohttp

from tests.patience import PATIENCE_SECONDS
from tests.service import Service
from tests.system.follower import Follower


async def test_tabs_on_both_workers_are_one_reader(service: Service) -> None:
    async with AsyncExitStack() as stack, aiohttp.ClientSession() as client:
        first = await stack.enter_async_context(Follower(service.url, "demo"))
        await first.until(lambda: first.online == 1)
        other = await stack.enter_async_context(Follower(service.url, "demo"))
        await first.until(lambda: first.online == 2)
        # The kernel chooses the worker; so many tabs that both have some.
        for _ in range(14):
            tab = await stack.enter_async_context(Follower(service.url, "demo", visitor=first.visitor))
            await tab.until(lambda tab=tab: bool(tab.greetings))
            assert tab.greetings[0]["visitor"] == first.visitor
        held: dict[str, str] = {}
        # A worker that is too busy to answer in time is told of as it last was.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sum(map(float, held.values())) != 16:
                held = await _figures(client, service, r'loa_sessions\{site="demo",worker="(\d)"\} (\d+)')
        assert len(held) == 2
        assert all(float(sessions) > 0 for sessions in held.values())
        newcomer = await stack.enter_async_context(Follower(service.url, "demo"))
        for follower in (first, other, newcomer):
            await follower.until(lambda follower=follower: follower.online == 3)
        # Either worker may answer, and each counts at its own time: within the bound that the answer states.
        said = await _presence(client, service)
        async with asyncio.timeout(said["freshness_seconds"]):
            while said["online"] != 3 or said["stale"]:
                said = await _presence(client, service)


async def _presence(client: aiohttp.ClientSession, service: Service) -> dict[str, Any]:
    async with client.get(f"{service.url}/api/v1/sites/demo/presence") as answer:
        said: dict[str, Any] = await answer.json()
        return said


async def _figures(client: aiohttp.ClientSession, service: Service, pattern: str) -> dict[str, str]:
    async with client.get(f"{service.ops_url}/metrics") as answer:
        return dict(re.findall(pattern, await answer.text()))
