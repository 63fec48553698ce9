"""Webhooks of a whole service with two workers: told over the API and the command line, through deaths and restarts."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.notifications.webhooks.receiver import Got, Receiver
from tests.patience import until
from tests.service import Service
from tests.system import processes

pytestmark = pytest.mark.slow


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """One that may post to this machine, and tries again soon."""
    monkeypatch.setenv("LOA_NOTIFICATIONS_WEBHOOKS_PRIVATE", "true")
    monkeypatch.setenv("LOA_NOTIFICATIONS_WEBHOOK_RETRIES", "[0.2,0.2,0.2,0.2,0.2,0.2,0.2,0.2]")
    with Service(tmp_path, 0) as service:
        yield service


async def added(service: Service, url: str) -> str:
    """A webhook to `url`; its secret."""
    events = [word for event in ("live", "updated", "recalled") for word in ("--event", f"announcement.{event}")]
    said = await service.loa("webhook", "add", url, "--site", "demo", *events)
    assert said.code == 0, said.errors
    return said.output.splitlines()[-1]


async def announced(service: Service, title: str) -> str:
    """The id of an announcement; the command repeats its request where workers die."""
    said = await service.loa("announce", "--site", "demo", "--title", title)
    assert said.code == 0, said.errors
    return said.output.split()[0]


async def test_a_worker_killed_while_it_delivers_loses_nothing(service: Service, receiver: Receiver) -> None:
    secret = await added(service, receiver.url)
    first = asyncio.Event()

    async def answering(got: Got) -> web.Response:
        if len(receiver.got) == 1:
            await first.wait()
        return web.Response(status=204)

    receiver.answering = answering
    id = await service.publish("demo")
    got = await receiver.until(lambda got: len(got) == 1)
    victim = _process_of(got[0].port, processes.workers(service.pid))
    os.kill(victim, signal.SIGKILL)
    first.set()
    await announced(service, "Sau đó")
    got = await receiver.until(lambda got: len(got) >= 3)
    assert [one.json["data"]["id"] for one in got[:2]] == [id, id]
    assert got[0].id == got[1].id
    assert got[2].json["data"]["title"] == "Sau đó"
    assert all(one.signed_with(secret) for one in got)


async def test_a_worker_that_stands_still_is_replaced_and_finds_its_office_taken(
    service: Service, receiver: Receiver
) -> None:
    await added(service, receiver.url)
    held = asyncio.Event()

    async def answering(got: Got) -> web.Response:
        if len(receiver.got) == 1:
            await held.wait()
        return web.Response(status=204)

    receiver.answering = answering
    before = await announced(service, "Trước")
    got = await receiver.until(lambda got: len(got) == 1)
    sleeper = _process_of(got[0].port, processes.workers(service.pid))
    os.kill(sleeper, signal.SIGSTOP)
    try:
        await receiver.until(lambda got: len(got) == 2)
        held.set()
    finally:
        os.kill(sleeper, signal.SIGCONT)
    after = await announced(service, "Sau")
    got = await receiver.until(lambda got: got[-1].json["data"]["id"] == after)
    assert [one.json["data"]["id"] for one in got] == [before, before, after]
    assert got[0].id == got[1].id


async def test_a_restart_of_everything_loses_nothing(service: Service, receiver: Receiver) -> None:
    await added(service, receiver.url)
    receiver.answering = lambda _: web.Response(status=503)
    id = await service.publish("demo")
    await receiver.until(lambda got: len(got) == 2)
    service.kill()
    receiver.answering = lambda _: web.Response(status=200)
    before = len(receiver.got)
    service.start()
    got = await receiver.until(lambda got: len(got) > before)
    assert {one.json["data"]["id"] for one in got} == {id}
    assert len({one.id for one in got}) == 1


async def test_a_storm_of_deaths_tells_everything_in_order(service: Service, receiver: Receiver) -> None:
    await added(service, receiver.url)
    ids = []
    for number in range(6):
        ids.append(await announced(service, f"Tin {number}"))
        if number in (1, 3):
            service.kill_workers()
    await receiver.until(lambda got: {one.json["data"]["id"] for one in got} == set(ids))
    # At least once, and each the first time in its order.
    firsts = list(dict.fromkeys(one.json["data"]["id"] for one in receiver.got))
    assert firsts == ids


async def test_is_kept_by_commands_and_counted(service: Service, receiver: Receiver) -> None:
    await added(service, receiver.url)
    said = await service.loa("webhook", "list")
    found = re.match(r"(wh\w+)  0 waiting  demo  live,updated,recalled  ", said.output)
    assert found is not None, said.output
    tested = await service.loa("webhook", "test", found[1])
    assert tested.output == f"{found[1]}  delivered, answered 204\n"
    assert receiver.got[0].type == "webhook.test"
    await service.publish("demo")
    await receiver.until(lambda got: len(got) == 2)
    await until(lambda: _counted(service, r'loa_webhook_deliveries_total\{outcome="delivered",worker="\d"\} 1\.0'))
    assert (await service.loa("webhook", "remove", found[1])).code == 0
    assert (await service.loa("webhook", "remove", found[1])).errors.strip() == f"loa: there is no webhook '{found[1]}'"
    trail = (await service.loa("audit", "list")).output
    assert re.search("webhook.add.*webhook.test.*publish.*webhook.remove", trail, re.DOTALL)
    verified = await service.loa("audit", "verify")
    assert verified.code == 0, verified.errors


async def _counted(service: Service, pattern: str) -> bool:
    async with aiohttp.ClientSession() as http, http.get(f"{service.ops_url}/metrics") as answer:
        text = await answer.text()
    return re.search(pattern, text) is not None


def _process_of(port: int, pids: list[int]) -> int:
    """Which of `pids` has the connection that comes from `port`."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # Several may have the port, to different ends; of those that are over, the kernel names no socket.
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}") and row[9] != "0"}
    for pid in pids:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            if handle.is_symlink() and str(handle.readlink()) in sockets:
                return pid
    raise AssertionError("none of them")
