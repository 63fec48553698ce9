"""A page that a browser renders ahead, for a click that may never come: told apart until it is read.

A browser that is looked into (DevTools) renders nothing ahead. So here one is started that nobody looks into, and what
becomes of its pages is seen by what they ask for, and by what the service says.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

from aiohttp import web
from playwright.async_api import Browser

from tests.browser.conftest import FLAGS, NAME, own, sandbox
from tests.browser.readers import embed
from tests.patience import PATIENCE_SECONDS
from tests.service import Service

# As pages ask for it, https://html.spec.whatwg.org/multipage/speculative-loading.html.
_RULES = '<script type="speculationrules">{"prerender":[{"urls":["/next"],"eagerness":"immediate"}]}</script>'
# Goes on when it may, as a reader would click; and the page it comes to says how it came.
_GO_ON = "<script>fetch('/may-i').then(() => location.assign('/next'))</script>"
_SAY = """<script>
const say = () => fetch('/came-' + (performance.getEntriesByType('navigation')[0].activationStart > 0));
if (document.prerendering) document.onprerenderingchange = say;
else say();
</script>"""


class Pages:
    """Two pages of a portal: the first has the second rendered ahead, and goes there when it may."""

    def __init__(self, service: Service, site: str) -> None:
        self._lines = embed(service.url, site)
        self.go_on = asyncio.Event()
        self.came: asyncio.Queue[str] = asyncio.Queue()
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/first", self._first)
        app.router.add_get("/next", self._next)
        app.router.add_get("/may-i", self._may_i)
        app.router.add_get("/came-{ahead}", self._came)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.go_on.set()
        await self._runner.cleanup()

    async def _first(self, request: web.Request) -> web.Response:
        return web.Response(text=_RULES + self._lines + _GO_ON, content_type="text/html")

    async def _next(self, request: web.Request) -> web.Response:
        return web.Response(text=self._lines + _SAY, content_type="text/html")

    async def _may_i(self, request: web.Request) -> web.Response:
        await self.go_on.wait()
        return web.Response(text="")

    async def _came(self, request: web.Request) -> web.Response:
        self.came.put_nowait(request.match_info["ahead"])
        return web.Response(text="")


@contextlib.asynccontextmanager
async def opened(chromium: Browser, directory: Path, address: str) -> AsyncIterator[None]:
    """A browser that nobody looks into, with one page."""
    command = [
        own() or chromium.browser_type.executable_path,
        "--headless=new",
        # It could be looked into; else it ends, or does less.
        "--remote-debugging-port=0",
        "--disable-blink-features=AutomationControlled",
        *FLAGS,
        *sandbox(),
        NAME,
        f"--user-data-dir={directory}",
        address,
    ]
    silent = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=silent, stderr=silent)
    try:
        yield
    finally:
        process.terminate()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.wait()


async def test_is_told_apart_and_is_a_reader_once_it_is_read(
    service: Service, chromium: Browser, site: str, tmp_path: Path
) -> None:
    async with Pages(service, site) as pages, opened(chromium, tmp_path, f"{pages.url}/first"):
        await service.shows(site, "", lambda said: (said["online"], said["apart"]["prerendered"]) == (1, 1))
        pages.go_on.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await pages.came.get() == "true", "it was not rendered ahead"
        # The one who read the page before, at the page that follows, and nobody else.
        await service.shows(site, "path=/next", lambda said: said["online"] == 1)
        await service.shows(site, "", lambda said: (said["online"], said["apart"]["prerendered"]) == (1, 0))


async def test_one_that_is_never_read_leaves_no_trace(
    service: Service, chromium: Browser, site: str, tmp_path: Path
) -> None:
    async with Pages(service, site) as pages:
        async with opened(chromium, tmp_path, f"{pages.url}/first"):
            await service.shows(site, "", lambda said: (said["online"], said["apart"]["prerendered"]) == (1, 1))
        await service.shows(site, "", lambda said: (said["online"], said["apart"]["prerendered"]) == (0, 0))
        said = await service.presence(site)
        assert said["apart"]["unanswered"] == 0
