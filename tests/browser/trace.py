"""What a trace of Chromium says of the work that a script did on the page's main thread."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page

CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel", "v8"]


class Trace:
    """The events of a trace, once it has been stopped."""

    def __init__(self) -> None:
        self._events: list[dict[str, Any]] = []

    def read(self, text: bytes) -> None:
        """Takes the JSON that Chromium has written."""
        self._events = [each for each in json.loads(text)["traceEvents"] if each.get("ph") == "X"]

    def tasks(self, part: str) -> list[float]:
        """Milliseconds of CPU of each task in which a script ran whose address has `part` in it, the longest last.

        Of CPU, not of the clock: on a busy machine a task stands still as long as others run.
        """
        runs: dict[tuple[int, int], list[float]] = defaultdict(list)
        for each in self._events:
            if part in str(each.get("args", {}).get("data", {})):
                runs[each["pid"], each["tid"]].append(each["ts"])
        return sorted(
            each["tdur"] / 1000
            for each in self._events
            if each["name"].endswith("RunTask")
            and "tdur" in each
            and any(each["ts"] <= at <= each["ts"] + each["dur"] for at in runs[each["pid"], each["tid"]])
        )


@asynccontextmanager
async def traced(chromium: Browser, page: Page) -> AsyncIterator[Trace]:
    """Traces a page while the context lasts; what it yields can be asked afterwards."""
    trace = Trace()
    await chromium.start_tracing(page=page, categories=CATEGORIES)
    try:
        yield trace
    finally:
        trace.read(await chromium.stop_tracing())
