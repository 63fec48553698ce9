"""What is promised when something is killed: sockets come back, nothing acknowledged is lost, nothing shown twice."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
import uuid
from contextlib import AsyncExitStack
from typing import Any

import aiohttp

from tests.patience import PATIENCE_SECONDS
from tests.service import Service
from tests.system.follower import Follower
from tests.system.metrics import metrics
from tests.system.processes import store, workers


async def test_a_killed_worker_is_replaced_and_its_readers_come_back(service: Service) -> None:
    async with AsyncExitStack() as stack:
        followers = [await stack.enter_async_context(Follower(service.url, "demo")) for _ in range(12)]
        for follower in followers:
            await follower.until(lambda follower=follower: follower.online == 12)
        page = await metrics(service, lambda page: page.total("loa_sessions", site="demo") == 12)
        # The kernel chose who is where: the one with most of them has some.
        sessions, fullest = max((held, index) for index, held in page.by_worker("loa_sessions", site="demo").items())
        killed = _pid(service, fullest)
        os.kill(killed, signal.SIGKILL)
        lost = await _greeted_again(followers, int(sessions))
        id = await service.publish("demo", title="Sau khi một tiến trình chết")
        for follower in followers:
            await follower.until(lambda follower=follower: id in follower.view and follower.online == 12)
            assert follower.shown == [(id, 1)]
            assert len(follower.greetings) == (2 if follower in lost else 1)
        await metrics(
            service, lambda page: page.total("loa_worker_restarts_total") == 1 and page.total("loa_workers_ready") == 2
        )
        assert killed not in workers(service.pid)
        assert len(workers(service.pid)) == 2


def _pid(service: Service, index: int) -> int:
    """The process that was worker `index` at the start."""
    return next(
        int(pid)
        for pid, worker in re.findall(r"worker ready +pid=(\d+) worker=(\d+)", service.log())
        if int(worker) == index
    )


async def _greeted_again(followers: list[Follower], expected: int) -> list[Follower]:
    """Those who lost their connection, once as many as `expected` are back."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(back := [follower for follower in followers if len(follower.greetings) > 1]) < expected:
            await asyncio.sleep(0.01)
    assert len(back) == expected
    return back


async def test_acknowledged_announcements_survive_a_killed_store(service: Service) -> None:
    """The store is killed three times while announcements are sent, recalled and retried as a client would."""
    acknowledged: dict[str, int] = {}
    recalled: set[str] = set()
    async with AsyncExitStack() as stack:
        followers = [await stack.enter_async_context(Follower(service.url, "demo")) for _ in range(6)]
        for follower in followers:
            await follower.until(lambda follower=follower: bool(follower.greetings))

        async def send(number: int) -> None:
            answer = await _insist(
                service, "POST", "", {"sites": ["demo"], "severity": "info", "title": f"Tin {number}"}
            )
            assert answer["id"] not in acknowledged
            acknowledged[answer["id"]] = answer["version"]
            if number % 3 == 0:
                await _insist(service, "POST", f"/{answer['id']}/recall", {})
                recalled.add(answer["id"])

        async def kill() -> None:
            for share in (8, 16, 24):
                while len(acknowledged) < share:
                    await asyncio.sleep(0.01)
                os.kill(store(service.pid), signal.SIGKILL)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(kill())
            for first in range(4):
                tasks.create_task(_one_after_the_other(send, range(first, 40, 4)))

        # On a busy machine one that starts too slowly is started once more.
        await metrics(service, lambda page: page.total("loa_store_restarts_total") >= 3)
        live = set(acknowledged) - recalled
        assert len(acknowledged) == 40
        assert len(set(acknowledged.values())) == 40
        for follower in followers:
            await follower.until(lambda follower=follower: set(follower.view) == live)
            assert len(follower.shown) == len(set(follower.shown))
        listed = await _insist(service, "GET", "?limit=200", None)
        assert {one["id"]: one["status"] for one in listed["announcements"]} == {
            id: "recalled" if id in recalled else "live" for id in acknowledged
        }


async def _one_after_the_other(send: Any, numbers: range) -> None:
    for number in numbers:
        await send(number)


async def _insist(service: Service, method: str, path: str, document: object) -> Any:
    """Repeats a request with one idempotency key until it is answered for good."""
    headers = {**service.authorization, "Idempotency-Key": uuid.uuid4().hex}
    deadline = time.monotonic() + PATIENCE_SECONDS
    async with aiohttp.ClientSession(headers=headers) as client:
        while time.monotonic() < deadline:
            try:
                async with client.request(method, f"{service.url}/api/v1/announcements{path}", json=document) as answer:
                    if answer.status < 300:
                        return await answer.json()
                    assert answer.status in {429, 503}, await answer.text()
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.05)
    raise AssertionError("no answer")


async def test_everything_is_there_again_after_a_power_cut(service: Service) -> None:
    async with Follower(service.url, "demo") as first, Follower(service.url, "demo") as second:
        id = await service.publish("demo", title="Trước khi mất điện")
        await first.until(lambda: id in first.view and first.online == 2)
        await second.until(lambda: id in second.view and second.online == 2)
        service.kill()
        service.start()
        for follower in (first, second):
            await follower.until(lambda follower=follower: len(follower.greetings) > 1)
            await follower.until(lambda follower=follower: follower.online == 2 and not follower.stale)
            assert set(follower.view) == {id}
            assert follower.shown == [(id, 1)]


async def test_an_interrupt_sees_everybody_off(service: Service) -> None:
    async with AsyncExitStack() as stack:
        followers = [await stack.enter_async_context(Follower(service.url, "demo")) for _ in range(20)]
        for follower in followers:
            await follower.until(lambda follower=follower: bool(follower.greetings))
        assert await asyncio.to_thread(service.interrupt) == 0
        for follower in followers:
            await follower.until(lambda follower=follower: bool(follower.closes))
            code, reason = follower.closes[0]
            assert code == 1012
            assert '"retry_ms":' in reason
