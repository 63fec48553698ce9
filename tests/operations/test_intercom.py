from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from operations.figures import WorkerFigures
from operations.intercom import (
    Answer,
    Answered,
    Ask,
    Asked,
    Channel,
    Delivered,
    DeliveredTotal,
    DeliveredWanted,
    Down,
    Drain,
    Failed,
    Figures,
    FiguresWanted,
    Intercom,
    Ready,
    Start,
    Up,
)

START = Start(
    index=1,
    workers=2,
    node="n",
    host="",
    port=8080,
    store_url="unix:///s",
    public_url="http://127.0.0.1:8080",
    data_dir="/d",
    base_dir="/b",
    settings=msgspec.Raw(msgspec.json.encode({"sites": {"demo": {"name": "Cổng\nthông tin"}}})),
)


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Channel, Channel]]:
    ours, theirs = socket.socketpair()
    supervisor, worker = await Channel.over(ours), await Channel.over(theirs)
    try:
        yield supervisor, worker
    finally:
        supervisor.close()
        worker.close()


@pytest.mark.parametrize(
    "message",
    [
        START,
        Drain(1.5),
        FiguresWanted(3),
        DeliveredTotal("a/1", 100, True),
        Asked(1, 2, "é"),
        Answered(2, None),
    ],
)
async def test_what_goes_down_arrives(message: Down) -> None:
    async with pair() as (supervisor, worker):
        supervisor.send(message)
        assert await worker.from_supervisor() == message


@pytest.mark.parametrize(
    "message",
    [
        Ready(),
        Failed("no"),
        Figures(3, WorkerFigures(sessions={"a" * 1000: 1})),
        Delivered("a/1", 1, 0.5),
        DeliveredWanted("a/1", 2.0),
        Ask(1, 2, '{"a":"\n"}'),
        Answer(1, 2, ""),
    ],
)
async def test_what_goes_up_arrives(message: Up) -> None:
    async with pair() as (supervisor, worker):
        worker.send(message)
        assert await supervisor.from_worker() == message


async def test_figures_of_very_many_sites_arrive() -> None:
    many = Figures(1, WorkerFigures(sessions={f"site-{number}": number for number in range(20_000)}))
    async with pair() as (supervisor, worker):
        worker.send(many)
        assert await supervisor.from_worker() == many


async def test_the_end_is_told_also_in_the_middle_of_a_line() -> None:
    ours, theirs = socket.socketpair()
    channel = await Channel.over(ours)
    theirs.sendall(b'{"type":"Ready"')
    theirs.close()
    assert await channel.from_worker() is None
    channel.close()


async def test_saying_something_to_nobody_is_no_error() -> None:
    async with pair() as (supervisor, worker):
        worker.close()
        assert await supervisor.from_worker() is None
        supervisor.send(Drain(0))
        supervisor.close()
        supervisor.send(Drain(0))


async def test_whoever_asks_for_a_total_gets_it_together() -> None:
    async with pair() as (supervisor, worker):
        intercom = Intercom(worker)
        asked = [asyncio.create_task(intercom.delivered_total("a/1", 2.0)) for _ in range(2)]
        assert await supervisor.from_worker() == DeliveredWanted("a/1", 2.0)
        intercom.answered(DeliveredTotal("a/2", 1, True))
        intercom.answered(DeliveredTotal("a/1", 42, True))
        assert await asyncio.gather(*asked) == [42, 42]
        intercom.answered(DeliveredTotal("a/1", 42, True))


async def test_one_who_no_longer_waits_is_in_nobodys_way() -> None:
    async with pair() as (_, worker):
        intercom = Intercom(worker)
        impatient = asyncio.create_task(intercom.delivered_total("a/1", 2.0))
        patient = asyncio.create_task(intercom.delivered_total("a/1", 2.0))
        await asyncio.sleep(0)
        impatient.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await impatient
        intercom.answered(DeliveredTotal("a/1", 42, True))
        assert await patient == 42


async def test_each_question_to_another_worker_gets_its_own_answer() -> None:
    async with pair() as (supervisor, worker):
        intercom = Intercom(worker)
        first, second, third = (intercom.ask(3, text) for text in "abc")
        asked = [await supervisor.from_worker() for _ in range(3)]
        assert [(one.worker, one.text) for one in asked] == [(3, "a"), (3, "b"), (3, "c")]
        third.cancel()
        for one, answer in zip(reversed(asked), ["C", "B", None], strict=True):
            intercom.replied(Answered(one.number, answer))
        assert (await first, await second) == (None, "B")
        intercom.replied(Answered(asked[0].number, "twice"))


async def test_what_another_worker_asks_is_answered_when_it_can_be() -> None:
    async with pair() as (supervisor, worker):
        intercom = Intercom(worker)
        intercom.asked(Asked(1, 7, "too early"))
        assert await supervisor.from_worker() == Answer(1, 7, "")
        held = []
        intercom.answer_with(lambda text, reply: held.append((text, reply)))
        intercom.asked(Asked(1, 8, "a"))
        intercom.asked(Asked(2, 8, "b"))
        for text, reply in reversed(held):
            reply(text.upper())
        assert [await supervisor.from_worker() for _ in range(2)] == [Answer(2, 8, "B"), Answer(1, 8, "A")]
