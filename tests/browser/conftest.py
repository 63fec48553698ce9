"""A Chromium, a service and a portal for all tests of this folder, and for each test a site of its own.

One event loop serves the folder: a browser belongs to the loop that started it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserType, async_playwright, expect

from tests.browser.portal import Portal
from tests.browser.readers import Readers
from tests.sites import _sites, mortal_service, service, site

__all__ = ["_sites", "mortal_service", "service", "site"]

# Chromium asks the outer world for nothing.
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]
# Without a window Chromium calls itself by another name, which is known for a robot's.
NAME = (
    "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
)
_HERE = Path(__file__).parent
# Only a failure takes so long; a busy machine may take more than the five seconds that are usual.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks this folder's tests; all share one loop."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)
            if isinstance(item, pytest.Function) and pytest_asyncio.is_async_test(item):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def own() -> str | None:
    """The machine's own Chromium, if it has one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def sandbox() -> list[str]:
    """Chromium's refuses to work for root, as in a container."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


async def launched(kind: BrowserType, *flags: str) -> Browser:
    """The machine's own Chromium, or Playwright's where there is none."""
    # Playwright switches the back-forward cache off, which we must work with.
    return await kind.launch(
        executable_path=own(),
        args=[*FLAGS, *sandbox(), *flags],
        ignore_default_args=["--disable-back-forward-cache"],
    )


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser of all tests; as a person's, which is not driven: a robot is no reader."""
    async with async_playwright() as playwright:
        browser = await launched(playwright.chromium, "--disable-blink-features=AutomationControlled", NAME)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def portal() -> AsyncIterator[Portal]:
    """Another origin, which embeds the widget."""
    portal = Portal()
    await portal.start()
    yield portal
    await portal.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def readers(chromium: Browser) -> AsyncIterator[Readers]:
    """Opens pages as readers do; when the test is over none of them may have complained."""
    readers = Readers(chromium)
    yield readers
    await readers.leave()
    assert readers.complaints == []
