"""The page on a real console; the supervisor is a function that answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from aiohttp import web
from redis.asyncio import Redis

from notifications.console.shell import Shell
from operations.figures import WorkerFigures, WorkerReport
from operations.hour import Hour, Look
from operations.page.page import OpsPage
from tests.notifications.console.visitor import House, serving_console
from tests.notifications.people.conftest import added

SAID: list[str | None] = [None]


def node(**figures: object) -> str:
    hour = Hour()
    workers = [WorkerReport(0, 1, True, 2, WorkerFigures(online={"demo": 7, "bao": 3}, **figures))]  # type: ignore[arg-type]
    # 10:00 UTC on 1 January 2026.
    for at in (1_767_261_600.0, 1_767_261_610.0):
        seen = Look(at=at, workers=workers, store_failure="", store_restarts=0, reasons=["worker 0: <b>cut off</b>"])
        hour.keep(seen)
    return msgspec.json.encode(hour.node(seen, "may-1", "9.9")).decode()


def _ask() -> asyncio.Future[str | None]:
    answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
    answer.set_result(SAID[0])
    return answer


@pytest.fixture
async def house(redis: Redis, prefix: str) -> AsyncIterator[House]:
    def more(app: web.Application, shell: Shell) -> None:
        app.add_routes(OpsPage(shell, _ask).routes())

    async with serving_console(redis, prefix, packages=["operations.page"], more=more) as house:
        yield house


async def test_operators_see_it_and_others_do_not(house: House) -> None:
    SAID[0] = node()
    for role, status in (("operator", 200), ("admin", 200), ("editor", 403), ("viewer", 403), ("approver", 403)):
        await added(house.people, role, role)  # type: ignore[arg-type]
        visitor = await house.inside(role)
        for path in ("/console/ops", "/console/ops/live"):
            assert (await visitor.get(path)).status == status, (role, path)
        listed = 'href="/console/ops"' in (await visitor.get("/console/account")).text
        assert listed is (status == 200)


async def test_nobody_sees_it_who_is_not_signed_in(house: House) -> None:
    shown = await house.visitor().get("/console/ops")
    assert (shown.status, shown.location) == (303, "/console/sign-in?next=/console/ops")


async def test_shows_figures_charts_workers_and_events_in_words_too(house: House) -> None:
    SAID[0] = node(sessions={"demo": 9})
    await added(house.people, "truc", "operator")
    visitor = await house.inside("truc")
    page = (await visitor.get("/console/ops")).text
    assert page.count('role="img"') >= 5
    assert "Trong một giờ qua: hiện tại 10; thấp nhất 10 lúc 17:00, cao nhất 10 lúc 17:00." in page
    assert "worker 0: <b>cut off</b>" in page
    assert "Loa đã khởi động." in page
    assert "style=" not in page
    live = (await visitor.get("/console/ops/live")).text
    assert live.strip() in page


async def test_of_sites_only_those_one_looks_after(house: House) -> None:
    SAID[0] = node()
    await added(house.people, "truc", "operator", site="bao")
    page = (await (await house.inside("truc")).get("/console/ops")).text
    assert 'data-figure="site-bao"' in page
    assert 'data-figure="site-demo"' not in page


async def test_says_so_where_the_supervisor_does_not_answer(house: House) -> None:
    SAID[0] = None
    await added(house.people, "truc", "operator")
    shown = await (await house.inside("truc")).get("/console/ops")
    assert shown.status == 200
    assert "chưa trả lời" in shown.text
