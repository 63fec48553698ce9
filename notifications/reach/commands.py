"""``loa reach``: whom an announcement reached, once or as it grows."""

from __future__ import annotations

import asyncio

import aiohttp
import click
import msgspec

from notifications import client
from notifications.reach.sums import Reach
from notifications.wire import ANNOUNCEMENTS
from settings.commandline import Command, Deployment, Failure
from store.errors import NOT_UNDERSTOOD, reason

_WATCH_SECONDS = 1.0


@click.command(cls=Command)
@click.argument("id")
@click.option("--watch", is_flag=True, help="Go on, a line whenever it has changed, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print the service's answer as JSON.")
@client.SERVER
@client.TOKEN
@click.pass_obj
def reach(deployment: Deployment, id: str, *, watch: bool, as_json: bool, server: str, token: str) -> None:
    """Say whom the announcement ID reached: open connections, and readers who saw, clicked and dismissed it."""
    if not id.isalnum() or not id.isascii():
        raise Failure(f"{id!r} is not the id of an announcement")
    asyncio.run(_show(deployment, id, watch=watch, as_json=as_json, server=server, token=token))


async def _show(deployment: Deployment, id: str, *, watch: bool, as_json: bool, server: str, token: str) -> None:
    service = client.find(deployment, server)
    given = await client.token_for(deployment, service, token)
    connector = aiohttp.TCPConnector(ssl=not service.local)
    timeout = aiohttp.ClientTimeout(total=client.ANSWER_SECONDS)
    headers = {"Authorization": f"Bearer {given}"}
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as http:
        shown: Reach | None = None
        while True:
            found = await _ask(http, service, id)
            if shown is None or msgspec.structs.replace(found, as_of=shown.as_of) != shown:
                click.echo(msgspec.json.encode(found) if as_json else line(found) if watch else text(found))
                shown = found
            if not watch:
                return
            await asyncio.sleep(_WATCH_SECONDS)


async def _ask(http: aiohttp.ClientSession, service: client.Service, id: str) -> Reach:
    try:
        async with http.get(f"{service.url}{ANNOUNCEMENTS}/{id}/reach", allow_redirects=False) as response:
            body = await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Failure(f"{service.url} does not answer: {reason(error)}") from None
    if response.status != 200:
        raise Failure(client.sentence(body, response.status).rstrip("."))
    try:
        return msgspec.json.decode(body, type=Reach)
    except NOT_UNDERSTOOD:
        raise Failure(f"{service.url} answered, and not as this service does") from None


def text(reach: Reach) -> str:
    """For people, in some lines."""
    rows: list[tuple[str, str]] = [
        ("connections", f"{reach.connected:,} open when revision {reach.revision} was sent"),
        ("written to", f"{reach.received:,}; {reach.greeted:,} opened later"),
        ("seen by", f"{reach.rendered:,} reader{'' if reach.rendered == 1 else 's'}"),
        ("clicked", f"{reach.clicked:,}"),
        ("dismissed", f"{reach.dismissed:,}"),
        ("seen within", f"{_span(reach.p50_ms)} by half, {_span(reach.p99_ms)} by 99 of 100"),
    ]
    return "\n".join(f"{name:<12} {value}" for name, value in rows)


def line(reach: Reach) -> str:
    """For people, in one line."""
    return (
        f"{reach.as_of[11:19]}Z  received {reach.received:,}  seen {reach.rendered:,}  clicked {reach.clicked:,}"
        f"  dismissed {reach.dismissed:,}  p50 {_span(reach.p50_ms)}  p99 {_span(reach.p99_ms)}"
    )


def _span(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "–"
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
