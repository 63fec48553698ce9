"""Workers asked over a real store how many of their readers are on certain pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.tasks import Caretaker
from presence import asking
from presence.asking import Asking, Busy
from presence.audience import Asked
from presence.holding import Holding
from store.connection import connect
from store.settings import RedisSettings
from tests.patience import until
from tests.presence.test_audience import holding

KEY = b"k" * 32
NOW_MS = 1_795_000_000_000


class Clock:
    """Stands still until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Enquiry:
    """Knows what the leases say, or nothing."""

    def __init__(self) -> None:
        self.known: int | None = None

    async def readers(self, site: str, kind: str, name: str) -> int | None:
        return self.known


class Worker:
    """One of them."""

    def __init__(self, asking: Asking, held: Holding, clock: Clock, enquiry: Enquiry) -> None:
        self.asking = asking
        self.held = held
        self.clock = clock
        self.enquiry = enquiry
        self.online: int | None = None


@asynccontextmanager
async def working(url: str, prefix: str) -> AsyncIterator[Worker]:
    async with AsyncExitStack() as stack:
        redis = connect(RedisSettings(), url, connections=2, name="test")
        listener = connect(RedisSettings(), url, connections=1, read_timeout_seconds=None, name="test")
        for client in (redis, listener):
            stack.push_async_callback(client.aclose)
        held, clock, enquiry = holding(), Clock(), Enquiry()
        here: Any = SimpleNamespace()
        one = Asking(
            redis,
            listener,
            prefix,
            {"demo": held},
            enquiry,  # type: ignore[arg-type]
            online=lambda site: here.worker.online,
            key=KEY,
            store_ms=lambda: NOW_MS,
            clock=clock,
        )
        here.worker = Worker(one, held, clock, enquiry)
        caretaker = Caretaker()
        stack.push_async_callback(caretaker.stop)
        caretaker.start("audience", one.loop)
        await one.listening.wait()
        yield here.worker
        assert not caretaker.failures


@pytest.fixture
async def two(store_url: str, prefix: str) -> AsyncIterator[tuple[Worker, Worker]]:
    async with working(store_url, prefix) as one, working(store_url, prefix) as other:
        yield one, other


def asked(**members: Any) -> Asked:
    return Asked(sites=("demo",), **members)


async def test_all_workers_are_asked_and_a_reader_on_two_counts_once(two: tuple[Worker, Worker]) -> None:
    one, other = two
    one.held.join(b"a", page="/tin/1")
    one.held.join(b"b", page="/")
    other.held.join(b"a", page="/tin/2")
    other.held.join(b"c", page="/tin/2")
    answers = [await worker.asking.ask(asked(paths=("/tin/**",))) for worker in two]
    assert [answer[:3] for answer in answers] == [(2, 2, True)] * 2
    assert answers[0].as_of.endswith("Z")
    assert (await one.asking.ask(asked())).readers == 3


async def test_what_is_asked_again_within_a_second_is_answered_from_memory(two: tuple[Worker, Worker]) -> None:
    one, other = two
    assert (await one.asking.ask(asked())).readers == 0
    other.held.join(b"a", page="/")
    assert (await one.asking.ask(asked())).readers == 0
    one.clock.now = asking.FRESH_SECONDS
    assert (await one.asking.ask(asked())).readers == 1


async def test_where_readers_are_shown_a_number_it_is_the_answer(two: tuple[Worker, Worker]) -> None:
    one, _ = two
    one.held.join(b"a", section="tin", page="/tin/1")
    one.online, one.enquiry.known = 70, 7
    assert (await one.asking.ask(asked())).readers == 70
    assert (await one.asking.ask(asked(sections=("tin",)))).readers == 7
    assert (await one.asking.ask(asked(paths=("/tin/1",)))).readers == 7
    for other in (asked(visible=True), asked(paths=("/tin/*",)), asked(sections=("tin", "x"))):
        assert (await one.asking.ask(other)).readers == 1


async def test_a_worker_that_does_not_answer_leaves_an_estimate(
    two: tuple[Worker, Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    one.held.join(b"a", page="/")

    async def silent(data: bytes) -> None:
        pass

    monkeypatch.setattr(asking, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(other.asking, "_answer", silent)
    answer = await one.asking.ask(asked())
    assert not answer.exact
    assert not one.asking._waiting


async def test_what_nobody_understands_is_passed_over(two: tuple[Worker, Worker], prefix: str, redis: Redis) -> None:
    one, _ = two
    for channel in (f"{prefix}:presence:audience", one.asking._answers):
        assert await redis.publish(channel, b"\xc1 of another release") > 0
    assert (await one.asking.ask(asked())).exact


async def test_too_many_questions_at_a_time_are_refused(
    two: tuple[Worker, Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = two
    monkeypatch.setattr(asking, "MOST_QUESTIONS", 0)
    with pytest.raises(Busy):
        await one.asking.ask(asked())
    assert await one.asking.answer(asked()) is None


async def test_nothing_is_left_in_the_store(two: tuple[Worker, Worker], prefix: str, redis: Redis) -> None:
    one, _ = two
    one.held.join(b"a", page="/")
    await one.asking.ask(asked(paths=("/**",)))
    assert await redis.keys(f"{prefix}:*") == []


async def test_a_connection_on_which_nothing_is_said_is_tried_and_kept(
    store_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_LISTEN_SECONDS", 0.01)
    monkeypatch.setattr(asking, "_QUIET", 2)
    tried = []
    wonder = Asking._wonder

    async def wondering(channel: Any, quiet: int) -> None:
        tried.append(quiet)
        # A busy machine may take its time to answer.
        if quiet == 2:
            await wonder(channel, quiet)

    monkeypatch.setattr(Asking, "_wonder", staticmethod(wondering))
    async with working(store_url, prefix) as worker:
        # Without an answer the count would not begin anew.
        await until(lambda: tried.count(2) > 2)
        assert (await worker.asking.ask(asked())).exact


async def test_a_connection_that_is_dead_is_given_up() -> None:
    with pytest.raises(RedisError):
        await Asking._wonder(None, 2 * asking._QUIET + 1)
