"""What browsers are told of the number, on a real store."""

from __future__ import annotations

import itertools

import pytest

from tests.patience import until
from tests.presence.workers import worker


async def test_everybody_is_told_of_a_change(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one, worker(valkey_url, prefix) as other:
        first = one.open()
        second = other.open()
        for tab in (first, second):
            await until(lambda tab=tab: tab.pushed and tab.pushed[-1]["online"] == 2)  # type: ignore[misc]
        frame = first.pushed[-1]
        assert list(frame) == ["type", "online", "as_of", "stale"]
        assert frame["type"] == "presence"
        other.close(second)
        await until(lambda: first.pushed[-1]["online"] == 1)


@pytest.mark.slow
async def test_nothing_is_said_while_nothing_changes(valkey_url: str, prefix: str) -> None:
    async with worker(valkey_url, prefix) as one:
        tab = one.open()
        await until(lambda: one.online == 1)
        counts = one.ledger.figures.counts
        await until(lambda: one.ledger.figures.counts > counts + 12)
        # A machine that stalls may make the number stale and fresh again: that is a change, and the only one there is.
        said = [(frame["online"], frame["stale"]) for frame in tab.pushed]
        assert {online for online, _ in said} <= {1}
        assert all(before != after for before, after in itertools.pairwise(said))


@pytest.mark.slow
async def test_who_reads_slowly_is_told_the_number_when_it_reads_again(valkey_url: str, prefix: str) -> None:
    """Though it has not changed since."""
    async with worker(valkey_url, prefix) as one:
        slow = one.open()
        await until(lambda: bool(slow.pushed) and slow.pushed[-1]["online"] == 1)
        said = len(slow.pushed)
        slow.paused_at = 1.0
        quick = one.open()
        await until(lambda: bool(quick.pushed) and quick.pushed[-1]["online"] == 2)
        assert len(slow.pushed) == said
        slow.paused_at = 0.0
        await until(lambda: slow.pushed[-1]["online"] == 2)
        told = len(slow.pushed)
        counts = one.ledger.figures.counts
        await until(lambda: one.ledger.figures.counts > counts + 12)
        assert len({frame["online"] for frame in slow.pushed[told:]} | {2}) == 1
