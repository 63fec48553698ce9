"""Who has a connection and is no reader, on a real store and over several workers."""

from __future__ import annotations

import pytest

from presence.apart import Apart, Aside, Newcomer
from presence.roster import Attention
from tests.patience import until
from tests.presence.workers import Worker, worker


def apart(one: Worker) -> Apart:
    """By the last count over all workers."""
    return one.presence.count("demo").apart


def test_each_is_counted_under_its_reason() -> None:
    aside = Aside()
    newcomers = [
        Newcomer(b"r", Attention.READING, frozenset(), why) for why in ("robot", "hidden", "prerender", "", "")
    ]
    for newcomer in newcomers:
        aside.enter(newcomer)
    assert aside.apart == Apart(robots=1, hidden=1, prerendered=1, unanswered=2)
    assert aside.apart.total == 5
    for newcomer in newcomers:
        aside.leave(newcomer)
    assert aside.apart == Apart()


async def test_a_reader_counts_when_its_browser_has_answered(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        tab = one.greet()
        # It is told of itself, as it would be a moment later.
        assert tab.welcome["online"] == 1
        await until(lambda: apart(one).unanswered == 1)
        assert (one.online, len(one.holding.roster)) == (0, 0)
        count = one.presence.count("demo")
        assert (count.online, count.raw) == (0, 1)
        one.answer(tab)
        one.answer(tab)
        assert len(one.holding.roster) == 1
        await until(lambda: one.online == 1 and apart(one) == Apart())
        assert one.presence.count("demo").raw == 1


async def test_who_goes_without_an_answer_was_never_here(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        tab = one.greet()
        await until(lambda: apart(one).unanswered == 1)
        one.close(tab)
        await until(lambda: apart(one) == Apart())
        assert (one.online, one.holding.roster.joined) == (0, 0)


@pytest.mark.parametrize("why", ["hidden", "prerender"])
async def test_a_page_counts_when_it_is_first_looked_at(valkey_url: str, prefix: str, why: str) -> None:
    async with worker(valkey_url, prefix) as one:
        tab = one.open(apart=why, path="/1", show="page")
        assert tab.welcome["online"] == 0
        one.turn(tab, "background")
        await until(lambda: apart(one).total == 1)
        assert one.online == 0
        one.turn(tab, "reading", seen=True)
        await until(lambda: one.online == 1 and apart(one).total == 0)
        await until(lambda: tab.told("page").get("online") == 1)
        assert one.states == (1, 0, 0)


async def test_a_page_that_was_moved_before_it_was_looked_at_counts_where_it_is(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        tab = one.open(apart="hidden", path="/1")
        one.move(tab, "/2", show="page")
        assert not tab.heard
        one.turn(tab, "reading", seen=True)
        await until(lambda: tab.told("page").get("online") == 1)
        assert tab.told("page")["path"] == "/2"


async def test_another_tab_of_the_browser_that_is_looked_at_makes_it_a_reader(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        tab = one.open(apart="hidden", path="/1")
        one.move(tab, "/2", tab="k2")
        one.turn(tab, "reading", tab="k2")
        await until(lambda: one.states == (1, 0, 0))
        assert one.holding.roster.joined == 1


async def test_a_robot_is_never_a_reader(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        robot = one.open(apart="robot")
        one.turn(robot, "reading", seen=True)
        one.move(robot, "/1", tab="k2")
        one.move(robot, "/2")
        reader = one.open()
        await until(lambda: one.online == 1 and apart(one) == Apart(robots=1))
        assert robot.pushed[-1]["online"] == 1
        one.close(robot)
        one.close(reader)
        await until(lambda: apart(one) == Apart())


async def test_workers_add_up_and_one_that_is_killed_is_forgotten(store_url: str, prefix: str) -> None:
    async with worker(store_url, prefix) as one:
        async with worker(store_url, prefix) as other:
            one.open(apart="robot")
            other.open(apart="robot")
            other.greet()
            await until(lambda: apart(one) == apart(other) == Apart(robots=2, unanswered=1))
        await until(lambda: apart(one) == Apart(robots=1))


async def test_who_only_watches_is_not_even_apart(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        one.open(watching=True)
        reader = one.open()
        await until(lambda: one.online == 1)
        assert (apart(one), one.presence.count("demo").raw) == (Apart(), 1)
        one.close(reader)
