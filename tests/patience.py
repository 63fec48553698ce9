"""How long a test waits for what must come, and how it waits: for the thing, and long enough for any machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE_SECONDS = 60.0


async def until(condition: Callable[[], Any | Awaitable[Any]]) -> float:
    """Waits, a turn of the loop at a time, until `condition` holds, for what only an object's own state shows.

    Returns:
        How many seconds that took.
    """
    began = time.monotonic()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            held = condition()
            if await held if asyncio.iscoroutine(held) else held:
                return time.monotonic() - began
            await asyncio.sleep(0.002)
