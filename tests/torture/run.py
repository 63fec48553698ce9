"""One run: a service, browsers that follow it in every way, editors, and a store that is killed under them."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec
from redis.asyncio import Redis

from notifications.keys import Keys
from store import runfile
from store.connection import connect
from store.settings import RedisSettings
from tests.patience import PATIENCE_SECONDS
from tests.service import Service
from tests.system import processes
from tests.system.follower import Follower
from tests.system.metrics import metrics
from tests.system.over_http import OverHttp
from tests.torture.editors import Editors
from tests.torture.judge import Evidence, Written, judge, live

# Nobody is told to slow down: that is another test's matter.
SETTINGS = """
publishes_per_second = 10000
publish_burst = 100000
max_active = 5000
log_length = 1000000
"""
_LOOK_SECONDS = 0.02
_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is done.

    Attributes:
        count: Announcements.
        clients: Editors at once.
        kills: How often the store is killed, spread over the run.
        sockets, events, polls: Browsers, by the way they follow.
        seed: Decides who does what.
    """

    count: int
    clients: int = 20
    kills: int = 2
    sockets: int = 6
    events: int = 2
    polls: int = 2
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it.

    Attributes:
        wrong: What should not have been; empty as it should be.
        seconds: From the first request to the last answer.
        versions: Of the log.
        live: What is left.
        acknowledged, replayed: Answers, and those of them that a repeated request got.
        again: How often something that was in view came into it again. Not promised away: who comes back to a worker
            that is behind the last one sees what is newer go for that long.
        refused: Answers that were not for good, by what they said.
        restarts: Of the store.
    """

    wrong: Sequence[str]
    seconds: float
    versions: int
    live: int
    acknowledged: int
    replayed: int
    again: int
    refused: Counter[str]
    restarts: int


async def run(plan: Plan) -> Result:
    """Starts a service, does all that, and judges it."""
    directory = Path(tempfile.mkdtemp(prefix="loa-torture-"))
    try:
        with Service(directory, 0, more_notifications=SETTINGS) as service:
            return await _run(plan, service, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def _run(plan: Plan, service: Service, directory: Path) -> Result:
    editors = Editors(service.url, service.authorization, "demo", plan.seed)
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(Follower(service.url, "demo")) for _ in range(plan.sockets)]
        ways = ["events"] * plan.events + ["poll"] * plan.polls
        others = [await stack.enter_async_context(OverHttp(service.url, way, "demo", returns=True)) for way in ways]
        for socket in sockets:
            await socket.until(lambda socket=socket: bool(socket.greetings))  # type: ignore[misc]
        for other in others:
            await other.until(lambda other=other: other.of("welcome"))  # type: ignore[misc]
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_kill(plan, service, editors))
            tasks.create_task(editors.publish(plan.count, plan.clients))
        seconds = time.monotonic() - began
        page = await metrics(service, lambda page: page.total("loa_store_restarts_total") >= plan.kills)
        running = runfile.read(directory / "data")
        assert running is not None
        redis = connect(RedisSettings(), running.redis_url, connections=2, name="torture")
        try:
            evidence = await _evidence(redis, editors)
        finally:
            await redis.aclose()
        browsers = {f"socket {number}": one.merged for number, one in enumerate(sockets)}
        browsers |= {f"{one.way} {number}": one.merged for number, one in enumerate(others)}
        deadline, wanted = time.monotonic() + PATIENCE_SECONDS, live(evidence)
        while time.monotonic() < deadline and any(one.revisions != wanted for one in browsers.values()):
            await asyncio.sleep(_LOOK_SECONDS)
        views = {name: one.revisions for name, one in browsers.items()}
        again = sum(len(one.shown) - len(set(one.shown)) for one in browsers.values())
    ended = {f"{one.way} {number}": one.of("close") for number, one in enumerate(others)}
    wrong = [f"{name} was sent away: {close}" for name, closes in ended.items() for close in closes]
    wrong += [*editors.wrong, *judge(dataclasses.replace(evidence, views=views))]
    verified = await service.loa("audit", "verify")
    if verified.code:
        wrong.append(f"loa audit verify: {verified.output}{verified.errors}")
    return Result(
        wrong=wrong,
        seconds=seconds,
        versions=len(evidence.log),
        live=len(wanted),
        acknowledged=len(editors.answers),
        replayed=sum(answer.replayed for answer in editors.answers),
        again=again,
        refused=editors.refused,
        restarts=int(page.total("loa_store_restarts_total")),
    )


async def _kill(plan: Plan, service: Service, editors: Editors) -> None:
    """``kill -9`` for the store, each time that another share of the announcements has been acknowledged."""
    for number in range(plan.kills):
        share = plan.count * (number + 1) // (plan.kills + 1)
        while sum(answer.revision == 1 for answer in editors.answers) < share:
            await asyncio.sleep(_LOOK_SECONDS)
        os.kill(processes.store(service.pid), signal.SIGKILL)
        # The next is another one: this one may be looked up until it is reaped.
        await metrics(service, lambda page, number=number: page.total("loa_store_restarts_total") > number)  # type: ignore[misc]


async def _evidence(redis: Redis, editors: Editors) -> Evidence:
    keys = Keys(RedisSettings().prefix)
    log: list[Written] = []
    while entries := await redis.xrange(keys.log, min=f"({len(log)}-0" if log else "-", count=_PAGE):
        log += [_written(id, fields) for id, fields in entries]
    state = {id.decode(): msgspec.json.decode(payload) for id, payload in (await redis.hgetall(keys.state)).items()}
    return Evidence(
        wishes=editors.wishes,
        answers=editors.answers,
        epoch=(await redis.hget(keys.head, "epoch")).decode(),
        log=log,
        state={id: (one["revision"], one["status"]) for id, one in state.items()},
    )


def _written(id: bytes, fields: dict[bytes, bytes]) -> Written:
    payload = fields[b"payload"]
    one = msgspec.json.decode(payload)
    version, chain = int(id.partition(b"-")[0]), fields[b"chain"].decode()
    return Written(version, chain, payload, one["id"], one["revision"], one["status"], one["title"])
