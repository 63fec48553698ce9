"""Debian's or anybody's own Firefox, driven by WebDriver BiDi, which it speaks without a driver beside it.

Source: https://w3c.github.io/webdriver-bidi/
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.other_browsers.driven import as_json, from_json
from tests.patience import PATIENCE_SECONDS

_LISTENING = re.compile(rb"BiDi listening on (ws://\S+)")


class Firefox:
    """See :class:`tests.other_browsers.driven.Driven`.

    Args:
        line: To the browser.
    """

    def __init__(self, line: aiohttp.ClientWebSocketResponse) -> None:
        self._line = line
        self._numbers = itertools.count(1)

    async def open(self, address: str) -> str:
        tab: str = (await self.ask("browsingContext.create", type="tab"))["context"]
        await self.visit(tab, address)
        return tab

    async def visit(self, tab: str, address: str) -> None:
        await self.ask("browsingContext.navigate", context=tab, url=address, wait="complete")

    async def run(self, tab: str, script: str) -> Any:
        said = await self.ask("script.evaluate", expression=as_json(script), target={"context": tab}, awaitPromise=True)
        assert said["type"] == "success", said
        return from_json(said["result"]["value"])

    async def close(self, tab: str) -> None:
        await self.ask("browsingContext.close", context=tab)

    async def ask(self, method: str, **parameters: object) -> Any:
        """The answer to a command; tests ask one thing at a time."""
        number = next(self._numbers)
        await self._line.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                said = await self._line.receive_json()
                if said.get("id") == number:
                    assert said["type"] == "success", said
                    return said["result"]


@asynccontextmanager
async def firefox(program: str, directory: Path) -> AsyncIterator[Firefox]:
    """A Firefox whose profile and home are in `directory`."""
    process = await asyncio.create_subprocess_exec(
        program,
        *("--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", str(directory)),
        env={**os.environ, "HOME": str(directory)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (found := _LISTENING.search(line := await process.stderr.readline())) is None:
                assert line, "it ended instead of listening"
        # Nobody reads what else it says; it must not wait for that.
        reading = asyncio.create_task(process.stderr.read())
        try:
            async with (
                aiohttp.ClientSession() as http,
                http.ws_connect(found[1].decode() + "/session", max_msg_size=0) as line_to_it,
            ):
                browser = Firefox(line_to_it)
                # The service's certificate is its own.
                await browser.ask("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
                yield browser
        finally:
            reading.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
