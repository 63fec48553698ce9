"""``loa top``: how the node does, in the terminal, from its ops listener."""

from __future__ import annotations

import asyncio

import aiohttp
import click
import msgspec
from rich.console import Console
from rich.live import Live

from operations.hour import Node
from operations.screen import screen
from settings.commandline import Command, Deployment, Failure
from store.errors import NOT_UNDERSTOOD, reason
from store.running import running

_EVERY_SECONDS = 2.0
_ANSWER_SECONDS = 10.0
_MOST_BYTES = 16 * 1024 * 1024
_DECODER = msgspec.json.Decoder(Node)


@click.command(cls=Command)
@click.option("--once", is_flag=True, help="Print it once and leave.")
@click.option("--json", "as_json", is_flag=True, help="Print the node and its hour as JSON once, and leave.")
@click.option(
    "--ops-url", default="", help="The ops listener, http://127.0.0.1:8081.  [default: that of the data directory]"
)
@click.pass_obj
def top(deployment: Deployment, *, once: bool, as_json: bool, ops_url: str) -> None:
    """Show how the node does, every two seconds, until Ctrl-C."""
    base = (ops_url or running(deployment).ops_url).rstrip("/")
    if not base:
        raise Failure("the ops listener is off; give its address with --ops-url")
    if as_json:
        click.echo(asyncio.run(_once(base)))
    elif once:
        Console(highlight=False).print(screen(_node(base, asyncio.run(_once(base)))))
    else:
        asyncio.run(_go_on(base))


async def _once(base: str) -> bytes:
    async with aiohttp.ClientSession() as http:
        return await _ask(http, base)


async def _go_on(base: str) -> None:
    console = Console(highlight=False)
    async with aiohttp.ClientSession() as http:
        first = screen(_node(base, await _ask(http, base)))
        with Live(first, console=console, screen=console.is_terminal, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(_EVERY_SECONDS)
                live.update(screen(_node(base, await _ask(http, base))), refresh=True)


async def _ask(http: aiohttp.ClientSession, base: str) -> bytes:
    try:
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        async with http.get(f"{base}/figures", timeout=timeout, allow_redirects=False) as answer:
            body = await answer.content.read(_MOST_BYTES)
            while more := await answer.content.read(_MOST_BYTES - len(body)):
                body += more
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise Failure(f"{base} does not answer: {reason(error)}") from None
    if answer.status == 503:
        raise Failure(f"{base}: the service has just begun, try again in a moment")
    if answer.status != 200:
        raise Failure(f"{base} answered {answer.status}; is it the ops listener of a Loa?")
    return body


def _node(base: str, body: bytes) -> Node:
    try:
        return _DECODER.decode(body)
    except NOT_UNDERSTOOD:
        raise Failure(f"{base} answered something else than figures; is it a Loa of this version?") from None
