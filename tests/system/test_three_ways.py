"""Where no WebSocket opens, a reader hears the same and counts the same, whichever worker its requests go to."""

from __future__ import annotations

from contextlib import AsyncExitStack

import yaml

from tests.service import Service
from tests.system.follower import Follower
from tests.system.metrics import metrics
from tests.system.over_http import OverHttp
from tests.system.test_wire import DESCRIPTION, validate


async def test_one_announcement_reaches_all_and_all_are_readers(service: Service) -> None:
    description = yaml.safe_load(DESCRIPTION.read_text("utf-8"))
    async with AsyncExitStack() as stack:
        socket = await stack.enter_async_context(Follower(service.url, "demo"))
        await socket.until(lambda: socket.online == 1)
        ways = ["events", "events", "poll", "poll"]
        others = [await stack.enter_async_context(OverHttp(service.url, way, "demo")) for way in ways]
        for one in others:
            await one.until(lambda one=one: one.of("welcome"))
            # A first word makes a reader; and of eight some go to the worker that has not got the session.
            assert {await one.say({"type": "state", "state": "reading"}) for _ in range(8)} == {204}
        for one in others:
            await one.until(lambda one=one: one.of("presence") and one.of("presence")[-1]["online"] == 5)
        await socket.until(lambda: socket.online == 5)
        found = await metrics(service, lambda page: page.total("loa_sessions_by_transport") == 5)
        by_way = {way: found.total("loa_sessions_by_transport", transport=way) for way in ("websocket", "sse", "poll")}
        assert by_way == {"websocket": 1, "sse": 2, "poll": 2}

        ids: list[str] = []
        for number in range(4):
            ids.append(await service.publish("demo", title=f"Tin {number}"))
            # One after the other, or one answer to a poll might bring two of them.
            for one in others:
                await one.until(lambda one=one: len(one.of("announcement")) == len(ids))
        await socket.until(lambda: ids[-1] in socket.view)
        for one in others:
            assert [frame["id"] for frame in one.of("announcement")] == ids
            for frame in one.frames:
                validate(description, frame)
        # One request each was answered by the worker that has the session only by chance.
        assert all(one.asked > len(ids) for one in others if one.way == "poll")

        # They leave by closing the page.
        for one in others:
            await one.__aexit__(None, None, None)
        await socket.until(lambda: socket.online == 1)


async def test_a_draining_service_tells_a_stream_when_to_come_back(service: Service) -> None:
    # That a poll is told, too, depends here on when it comes; see tests/gateway/test_poll.py.
    async with OverHttp(service.url, "events", "demo") as reader:
        await reader.until(lambda: reader.of("welcome"))
        assert service.interrupt() == 0
        await reader.until(lambda: reader.of("close"))
        (close,) = reader.of("close")
        assert close["code"] == 1012
        assert close["retry_ms"] > 0
