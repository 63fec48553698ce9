"""Stands in for the API's figures of a site, to give the ones a test wants, and notes how often they are asked for."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from playwright.async_api import BrowserContext, Route

from tests.browser.wire import instant
from tests.patience import PATIENCE_SECONDS


def stats(**members: object) -> dict[str, Any]:
    """The figures, `members` changed."""
    return {
        "site": "demo",
        "timezone": "Asia/Ho_Chi_Minh",
        "date": "2026-11-26",
        "online": 5716,
        "as_of": instant(),
        "stale": False,
        "today": {"visits": 12345, "views": 45678},
        "yesterday": {"visits": 23456, "views": 87654},
        "week": {"visits": 65432, "views": 234567},
        "month": {"visits": 456789, "views": 1456789},
        "total": {"visits": 12345678, "views": 45678901},
        # Already the next day where the site is.
        "record": {"online": 9000, "at": "2026-11-19T18:11:00Z"},
        **members,
    }


class Figures:
    """Answers what browsers ask of the statistics.

    Attributes:
        answer: The document; None: the service fails.
        asked: How often it was asked for.
    """

    def __init__(self, answer: dict[str, Any] | None) -> None:
        self.answer = answer
        self.asked = 0
        self._changed = asyncio.Condition()

    async def attach(self, context: BrowserContext) -> None:
        """Takes the API's place for all pages of `context` to come."""
        await context.route("**/api/v1/sites/*/stats", self._asked)

    async def asked_for(self, times: int) -> None:
        """Waits until they have been asked for so often."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: self.asked >= times)

    async def _asked(self, route: Route) -> None:
        self.asked += 1
        headers = {"Access-Control-Allow-Origin": "*"}
        if self.answer is None:
            await route.fulfill(status=503, headers=headers, json={"title": "Not known now"})
        else:
            await route.fulfill(headers=headers, body=json.dumps(self.answer), content_type="application/json")
        async with self._changed:
            self._changed.notify_all()
