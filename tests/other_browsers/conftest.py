"""Firefox and WebKit, one after the other, on one service and one portal; run by ``make browsertest`` alone.

All that matters is tried in Chromium with every run of the tests; here is tried that the others do the same.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.browser.portal import Portal
from tests.deploy.tools import program
from tests.other_browsers.driven import Driven
from tests.other_browsers.firefox import firefox
from tests.other_browsers.webkit import webkit
from tests.sites import _sites, mortal_service, service, site

__all__ = ["_sites", "mortal_service", "service", "site"]

collect_ignore_glob = [] if os.environ.get("BROWSER_TESTS") else ["test_*.py"]


@pytest_asyncio.fixture
async def portal() -> AsyncIterator[Portal]:
    """Another origin, which embeds the widget."""
    portal = Portal()
    await portal.start()
    yield portal
    await portal.stop()


Arrive = Callable[[], Awaitable[Driven]]


@pytest_asyncio.fixture(params=["firefox", "webkit"])
async def arrive(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> AsyncIterator[Arrive]:
    """Another reader's browser with each call."""
    async with AsyncExitStack() as stack:

        async def arrive() -> Driven:
            directory = tmp_path_factory.mktemp("home")
            if request.param == "firefox":
                return await stack.enter_async_context(firefox(program("firefox-esr"), directory))
            driver = webkit(program("WebKitWebDriver"), program("Xvfb"), free_port(), directory)
            return await stack.enter_async_context(driver)

        yield arrive
