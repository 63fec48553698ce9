"""WebKitGTK's MiniBrowser, the nearest to Safari that runs here, driven by WebDriver on a screen that nobody sees.

Source: https://www.w3.org/TR/webdriver2/
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.other_browsers.driven import as_json, from_json
from tests.patience import PATIENCE_SECONDS

_BROWSER = next(iter(sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))), Path("MiniBrowser"))


class WebKit:
    """See :class:`tests.other_browsers.driven.Driven`.

    Args:
        http: Asks the driver.
        session: The address of the session there.
    """

    def __init__(self, http: aiohttp.ClientSession, session: str) -> None:
        self._http = http
        self._session = session
        self._first = True

    async def open(self, address: str) -> str:
        if self._first:
            self._first = False
            tab: str = await self.ask("GET", "/window")
        else:
            tab = (await self.ask("POST", "/window/new", type="tab"))["handle"]
        await self.visit(tab, address)
        return tab

    async def visit(self, tab: str, address: str) -> None:
        await self.ask("POST", "/window", handle=tab)
        await self.ask("POST", "/url", url=address)

    async def run(self, tab: str, script: str) -> Any:
        await self.ask("POST", "/window", handle=tab)
        # The last argument takes the answer.
        body = f"const done = arguments[0]; {as_json(script)}.then(done, (error) => done('!' + error));"
        return from_json(await self.ask("POST", "/execute/async", script=body, args=[]))

    async def close(self, tab: str) -> None:
        await self.ask("POST", "/window", handle=tab)
        await self.ask("DELETE", "/window")

    async def ask(self, method: str, path: str, **parameters: object) -> Any:
        """The value that a command is answered with."""
        async with self._http.request(
            method, self._session + path, json=parameters if method == "POST" else None
        ) as answer:
            said = (await answer.json(content_type=None))["value"]
            assert answer.status == 200, said
            return said


@asynccontextmanager
async def webkit(program: str, screen: str, port: int, directory: Path) -> AsyncIterator[WebKit]:
    """A browser whose home is in `directory`.

    Args:
        program: The driver.
        screen: What makes a screen that nobody sees.
        port: Where the driver is to listen.
        directory: For everything it keeps.
    """
    async with _screen(screen) as display:
        process = await asyncio.create_subprocess_exec(
            program,
            f"--port={port}",
            env={
                **os.environ,
                "HOME": str(directory),
                "XDG_RUNTIME_DIR": str(directory),
                "DISPLAY": display,
                "GDK_BACKEND": "x11",
                # In a container there is nothing to make a sandbox of; the pages are our own.
                "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
            },
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with aiohttp.ClientSession() as http:
                yield WebKit(http, await _session(http, f"http://127.0.0.1:{port}"))
        finally:
            if process.returncode is None:
                # It ends the browser it has started, and goes.
                process.terminate()
            await process.wait()


async def _session(http: aiohttp.ClientSession, driver: str) -> str:
    wanted = {
        "webkitgtk:browserOptions": {"binary": str(_BROWSER), "args": ["--automation"]},
        # The service's certificate is its own.
        "acceptInsecureCerts": True,
    }
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                asked = {"capabilities": {"alwaysMatch": wanted}}
                async with http.post(driver + "/session", json=asked) as answer:
                    said = (await answer.json(content_type=None))["value"]
                    assert answer.status == 200, said
                    return f"{driver}/session/{said['sessionId']}"
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def _screen(program: str) -> AsyncIterator[str]:
    """A display, by name; the server chooses one that is free and says which."""
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        program,
        *("-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"),
        pass_fds=(writing,),
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as said:
            number = await asyncio.to_thread(said.readline)
        assert re.fullmatch(rb"\d+\n", number), "there is no screen"
        yield f":{number.decode().strip()}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
