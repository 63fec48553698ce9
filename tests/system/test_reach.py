"""Whom an announcement reached, and whom it would reach, over two workers and real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.patience import PATIENCE_SECONDS
from tests.presence.portals import BROWSER
from tests.service import Service


class Page:
    """A page of a portal, open in a browser that acknowledges when it is told to."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, welcome: dict[str, Any]) -> None:
        self._socket = socket
        self.welcome = welcome

    @classmethod
    async def open(
        cls, client: aiohttp.ClientSession, service: Service, query: str = "path=/tin/lu&section=tin", visitor: str = ""
    ) -> Page:
        """Opens it, and answers so that its reader counts."""
        socket = await client.ws_connect(f"{service.url}/ws?site=demo&{query}&visitor={visitor}", headers=BROWSER)
        page = cls(socket, await socket.receive_json())
        await page.say(type="state", state="reading")
        return page

    async def say(self, **said: object) -> None:
        """Says something."""
        await self._socket.send_json(said)

    async def told(self, id: str) -> None:
        """Waits until it has heard of an announcement."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self._socket.receive_json()).get("id") != id:
                pass

    async def ack(self, id: str, did: str, waited: int = 0) -> None:
        """Acknowledges."""
        await self.say(type="ack", id=id, revision=1, did=did, waited=waited)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


async def asked(client: aiohttp.ClientSession, service: Service, path: str, wanted: Callable[[Any], bool]) -> Any:
    """Asks until the answer is as wanted."""
    answer: Any = None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                async with client.get(service.url + path, headers=service.authorization) as response:
                    answer = await response.json()
                if response.status == 200 and wanted(answer):
                    return answer
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{path} still says {answer}") from None


@asynccontextmanager
async def pages(client: aiohttp.ClientSession, service: Service, number: int) -> AsyncIterator[list[Page]]:
    """So many that both workers have some, each of a reader of its own."""
    opened = [await Page.open(client, service) for _ in range(number)]
    await service.shows("demo", "", lambda said: said["online"] == number)
    yield opened


async def test_whom_it_reached(service: Service, client: aiohttp.ClientSession) -> None:
    async with pages(client, service, 12) as opened:
        id = await service.publish("demo")
        for page in opened:
            await page.told(id)
            await page.ack(id, "rendered")
        # One who has two pages open is one reader, who came later with the second.
        visitor = opened[0].welcome["visitor"]
        again = await Page.open(client, service, visitor=visitor)
        assert [one["id"] for one in again.welcome["announcements"]] == [id]
        await again.ack(id, "rendered")
        await opened[0].ack(id, "clicked")
        await again.ack(id, "dismissed")
        await again.ack("0" * 26, "rendered")

        path = f"/api/v1/announcements/{id}/reach"
        async with AsyncExitStack() as stack:
            stream = await stack.enter_async_context(
                client.get(f"{service.url}{path}/stream", headers=service.authorization)
            )
            assert stream.headers["Content-Type"] == "text/event-stream"
            # Sums are exact; a worker writes them together with the names of the readers.
            sums = {"connected": 12, "received": 12, "greeted": 1, "clicked": 1, "dismissed": 1, "measured": 12}
            reach = await asked(client, service, path, lambda said: sums.items() <= said.items())
            assert reach["revision"] == 1
            # Readers are counted by a HyperLogLog: of 12, two share a register in one run of 250.
            assert reach["rendered"] in (11, 12)
            assert 0 <= reach["p50_ms"] <= reach["p99_ms"]
            assert sum(reach["by_second"]) <= 12
            told = None
            async with asyncio.timeout(PATIENCE_SECONDS):
                while told is None or {**told, "as_of": reach["as_of"]} != reach:
                    line = await stream.content.readline()
                    told = json.loads(line[6:]) if line.startswith(b"data: ") else told

        said = await service.loa("reach", id)
        assert f"{reach['rendered']} readers" in said.output and said.code == 0, said
        said = await service.loa("reach", "0" * 26)
        assert said.code == 1 and "no announcement" in said.errors
        async with client.get(f"{service.ops_url}/metrics") as answer:
            metrics = await answer.text()
        assert 'why="unknown"' in metrics and "loa_acks_taken_total" in metrics


async def test_whom_it_would_reach(service: Service, client: aiohttp.ClientSession) -> None:
    async with pages(client, service, 8) as opened:
        visitor = opened[0].welcome["visitor"]
        # Kept, or it would be closed.
        other = await Page.open(client, service, "path=/the-thao/1&section=the-thao", visitor)
        assert other.welcome["visitor"] == visitor
        idle = await Page.open(client, service, "path=/tin/bao&section=tin")
        await idle.say(type="state", state="background")

        async def readers(query: str, wanted: tuple[int, int]) -> Any:
            path = f"/api/v1/audience?site=demo&{query}"
            return await asked(client, service, path, lambda said: (said["readers"], said["pages"]) == wanted)

        for query, wanted in {
            "": (9, 3),
            "section=tin": (9, 2),
            "section=tin&section=the-thao": (9, 3),
            "path=/tin/*": (9, 2),
            "path=/tin/lu": (8, 1),
            "path=/tin/**&visible=1": (8, 1),
            "path=/the-thao/**": (1, 1),
            "section=the-thao&path=/tin/**": (0, 0),
        }.items():
            said = await readers(query, wanted)
            assert (said["exact"], said["error"], said["languages_not_known"]) == (True, 0, False), query
        said = await readers("language=vi", (9, 3))
        assert (said["exact"], said["languages_not_known"]) == (False, True)
        async with client.get(f"{service.url}/api/v1/audience?site=x", headers=service.authorization) as refused:
            assert refused.status == 422
        async with client.get(f"{service.url}/api/v1/audience?site=demo") as refused:
            assert refused.status == 401
