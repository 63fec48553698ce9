"""All workers are replaced while two hundred read and an editor goes on announcing: nobody is miscounted, nothing is
missed, nothing is shown twice."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from secrets import token_hex

import aiohttp
import pytest

from tests.service import Service
from tests.system import processes
from tests.system.follower import Follower

READERS = 200
EVERY_SECONDS = 0.1


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """One that counts by the terms of the defaults."""
    service = Service(tmp_path, 0)
    head, _, rest = service.config.partition("[presence]")
    service.config = head + "[notifications]" + rest.partition("[notifications]")[2]
    with service:
        yield service


class Editor:
    """Announces without end. An act that gets no answer is asked for again, under its own key."""

    def __init__(self, service: Service) -> None:
        self.ids: list[str] = []
        self._service = service

    async def announce(self, until: asyncio.Event) -> None:
        url = f"{self._service.url}/api/v1/announcements"
        while not until.is_set():
            headers = {**self._service.authorization, "Idempotency-Key": token_hex(8)}
            document = {"sites": ["demo"], "severity": "info", "title": f"Tin {len(self.ids)}"}
            answer = None
            while answer is None:
                try:
                    async with (
                        aiohttp.ClientSession(headers=headers, raise_for_status=True) as client,
                        client.post(url, json=document) as response,
                    ):
                        answer = await response.json()
                except aiohttp.ClientConnectionError:
                    # A connection that the old worker had not taken yet ends with its socket.
                    await asyncio.sleep(EVERY_SECONDS)
            self.ids.append(answer["id"])
            await asyncio.sleep(EVERY_SECONDS)


class Watcher:
    """Asks for the number again and again."""

    def __init__(self, service: Service) -> None:
        self.numbers: set[tuple[int | None, bool]] = set()
        self._service = service

    async def watch(self, until: asyncio.Event) -> None:
        while not until.is_set():
            try:
                said = await self._service.presence("demo")
            except aiohttp.ClientConnectionError:
                continue
            self.numbers.add((said["online"], said["stale"]))
            await asyncio.sleep(EVERY_SECONDS)


async def test_all_workers_are_replaced_and_readers_do_not_notice(service: Service) -> None:
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(Follower(service.url, "demo")) for _ in range(READERS)]
        await readers[0].until(lambda: readers[0].online == READERS)
        await service.shows("demo", "", lambda said: said["online"] == READERS)
        before = set(processes.workers(service.pid))
        over = asyncio.Event()
        editor, watcher = Editor(service), Watcher(service)
        async with asyncio.TaskGroup() as group:
            group.create_task(editor.announce(over))
            group.create_task(watcher.watch(over))
            service.signal(signal.SIGUSR2)
            await service.says("all workers replaced")
            over.set()
        after = set(processes.workers(service.pid))
        assert len(after) == len(before) == 2
        assert not after & before
        for reader in readers:
            await reader.until(lambda reader=reader: editor.ids[-1] in reader.view)
            assert reader.shown == [(id, 1) for id in editor.ids]
        # Each was sent away at least once, by a worker that said when to come back.
        assert {code for reader in readers for code, _ in reader.closes} == {1012}
        assert all(reader.closes for reader in readers)
        # A worker that is late with a count, as on a busy machine, says that its number is old, and the same number.
        assert {number for number, _ in watcher.numbers} == {READERS}
        assert (READERS, False) in watcher.numbers
        assert "worker ended" not in service.log()


async def test_one_round_at_a_time(service: Service) -> None:
    async with Follower(service.url, "demo") as reader:
        await reader.until(lambda: reader.online == 1)
        before = set(processes.workers(service.pid))
        service.signal(signal.SIGUSR2)
        await service.says("replacing all workers")
        service.signal(signal.SIGUSR2)
        await service.says("workers are being replaced already")
        await service.says("all workers replaced")
        assert not set(processes.workers(service.pid)) & before
