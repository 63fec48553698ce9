"""A worker that is cut off from the log, and from nothing else, gets no readers any more, and recovers by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.passage import Passage
from tests.patience import PATIENCE_SECONDS
from tests.service import Service

pytestmark = pytest.mark.slow


async def look(service: Service, path: str) -> Any:
    """What the ops listener answers as JSON."""
    async with aiohttp.ClientSession() as http, http.get(service.ops_url + path) as answer:
        return await answer.json()


async def reasons(service: Service, condition: Callable[[list[str]], bool]) -> list[str]:
    """Waits for such reasons of readiness."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found: list[str] = (await look(service, "/readyz"))["reasons"]
            if condition(found):
                return found
            await asyncio.sleep(0.1)


async def test_a_hanging_feed_fails_readiness_although_the_store_answers(
    tmp_path: Path, valkey_url: str, prefix: str, short_directory: Path
) -> None:
    passage = Passage(valkey_url, f"{short_directory}/{prefix}.s")
    async with passage.standing():
        service = Service(tmp_path, 0, f'[redis]\nurl = "{passage.url}"\nprefix = "{prefix}"\n')
        await asyncio.to_thread(service.start)
        try:
            await reasons(service, lambda found: not found)
            workers = (await look(service, "/figures"))["now"]["workers"]
            passage.hold("loa-feed", workers[0]["pid"])
            # Only the one that is cut off, only for this, and while the store answers everything else.
            told = await reasons(service, bool)
            assert all(reason.startswith("worker 0: announcements: ") for reason in told), told
            assert any("canary has not been heard" in reason for reason in told), told
            passage.release()
            await reasons(service, lambda found: not found)
            # And what was published is told again.
            answer = await service.publish("demo")
            assert answer
        finally:
            passage.release()
            await asyncio.to_thread(service.stop)
