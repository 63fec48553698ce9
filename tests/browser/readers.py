"""Readers: browsers with pages open, whose complaints are noted."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, Locator, Page

# Runs before anything of the page: a violation of the page's policy that no console shows is one all the same.
_NOTE_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy: ${event.effectiveDirective} ${event.blockedURI}`));
"""

# Only a failure takes so long.
_PATIENCE_MS = 60_000

# Its own messages about a connection that fails, by any of the ways to follow; no page can prevent them.
_FAILED_CONNECTIONS = ("WebSocket connection to", "Failed to load resource", "blocked by CORS policy", "502", "404")


class Readers:
    """Opens browsers and pages, and notes errors, warnings and violations of any of them."""

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self._contexts: list[BrowserContext] = []
        self._forgiven: list[str] = []
        self._complaints: list[str] = []
        self._awaited: dict[str, asyncio.Future[None]] = {}

    @property
    def complaints(self) -> list[str]:
        """What pages have complained of, and the test has not forgiven."""
        return [each for each in self._complaints if not any(part in each for part in self._forgiven)]

    def forgive(self, part: str) -> None:
        """Lets complaints that contain `part` pass: the browser itself reports a connection that fails."""
        self._forgiven.append(part)

    def forgive_failed_connections(self) -> None:
        """Lets pass what a browser says where the service is away or turns the page down."""
        for part in _FAILED_CONNECTIONS:
            self.forgive(part)

    def complained(self, part: str) -> asyncio.Future[None]:
        """Done when a page has complained with `part` in it."""
        future = asyncio.get_running_loop().create_future()
        self._awaited[part] = future
        return future

    async def arrive(
        self,
        *,
        width: int = 1280,
        height: int = 800,
        color_scheme: Literal["light", "dark"] = "light",
        reduced_motion: Literal["reduce", "no-preference"] = "no-preference",
        locale: str = "vi-VN",
    ) -> BrowserContext:
        """A browser of another reader, without a past."""
        context = await self._chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=color_scheme,
            reduced_motion=reduced_motion,
            locale=locale,
        )
        context.set_default_timeout(_PATIENCE_MS)
        await context.add_init_script(_NOTE_VIOLATIONS)
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self._complaints.append(f"uncaught: {error.error}"))
        self._contexts.append(context)
        return context

    async def open(self, address: str, context: BrowserContext | None = None, **how: Any) -> Page:
        """Opens a page, in a browser of its own unless one is given."""
        page = await (context or await self.arrive(**how)).new_page()
        await page.goto(address)
        return page

    async def leave(self) -> None:
        """Closes all browsers."""
        # A tab may take over from one that is being closed, to be closed in its turn.
        self.forgive("closed before the connection is established")
        for context in self._contexts:
            await context.close()

    def _note_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(message.text)
            for part, future in self._awaited.items():
                if part in message.text and not future.done():
                    future.set_result(None)


def embed(url: str, site: str, *, attributes: str = "") -> str:
    """The two lines a webmaster pastes."""
    return f'<script src="{url}/widget.js" data-site="{site}" {attributes} async></script><loa-counter></loa-counter>'


def counter(page: Page) -> Locator:
    """The text that a counter shows."""
    return page.locator("loa-counter [part=text]")


def banners(page: Page) -> Locator:
    """The cards that stand in a page."""
    return page.locator("loa-card")
