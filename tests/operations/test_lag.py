from __future__ import annotations

import asyncio
import time

import pytest

from operations.figures import LAG_EDGES
from operations.lag import PERIOD_SECONDS, LoopLag


@pytest.mark.slow
async def test_a_held_loop_is_seen() -> None:
    lag = LoopLag()
    lag.start()
    # Holding the loop is what this is about.
    time.sleep(PERIOD_SECONDS + 0.06)  # noqa: ASYNC251
    async with asyncio.timeout(60):
        while not sum(lag.histogram.counts):
            await asyncio.sleep(0.01)
    lag.stop()
    assert sum(lag.histogram.counts[LAG_EDGES.index(0.05) + 1 :]) >= 1
    assert lag.histogram.seconds >= 0.05


async def test_stopped_it_measures_no_more() -> None:
    lag = LoopLag()
    lag.start()
    lag.stop()
    lag.stop()
    assert sum(lag.histogram.counts) == 0
