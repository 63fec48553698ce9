"""Runs a simulation: lets a crowd come, says what the service counts, and lets it go again."""

from __future__ import annotations

import asyncio
import ipaddress
import resource
import signal
import socket
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from presence.crowd import Announced, Crowd, Hearing, Target, loopback_sources
from settings.commandline import Failure
from store.errors import reason

# Descriptors for everything but the readers' sockets.
_SPARE_DESCRIPTORS = 64
# How long the service is given to count everybody.
_COUNT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for.

    Attributes:
        base: Address of the service as it was given.
        target: The same, looked up.
        readers: How many.
        per_second: How fast they come; 0: as fast as they are let in.
        stay_seconds: How long they stay; 0: until told to go.
    """

    base: str
    target: Target
    readers: int
    per_second: float
    stay_seconds: float


def target(base: str, site: str) -> Target:
    """Takes an address apart; only one of this machine is accepted.

    Raises:
        Failure: It is another machine's, or no address.
    """
    try:
        parts = urlsplit(base if "//" in base else f"//{base}", scheme="http")
        host, tls = parts.hostname or "", parts.scheme in {"https", "wss"}
        port = parts.port or (443 if tls else 80)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM) if host else []
    except (ValueError, OSError):
        found = []
    if not found:
        raise Failure(f"{base!r} is no address of this machine, such as http://127.0.0.1:8080; load goes nowhere else")
    addresses = [str(one[4][0]) for one in found]
    if not all(ipaddress.ip_address(address).is_loopback for address in addresses):
        raise Failure(
            f"{host} is not this machine's loopback; simulate puts load on nothing but the machine it runs on"
        )
    # 127.0.0.1 where there is a choice: only IPv4 has many loopback addresses to come from.
    address = next((one for one in addresses if "." in one), addresses[0])
    return Target(address, port, tls, site)


def make_room(readers: int) -> None:
    """Raises the soft limit of open descriptors to what so many readers need.

    Raises:
        Failure: The hard limit is too low.
    """
    descriptors = readers + _SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < descriptors:
        if hard != resource.RLIM_INFINITY and hard < descriptors:
            most = max(0, hard - _SPARE_DESCRIPTORS)
            raise Failure(f"at most {hard} open files are allowed here: take --readers {most}, or raise 'ulimit -Hn'")
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))


async def run(plan: Plan) -> bool:
    """Runs the simulation; returns whether every reader was connected to the end."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as http:
        before = await _online(http, plan)
        if before is not None:
            click.echo(f"{plan.base} counts {_readers(before)} on {plan.target.site}.")
        sources = list(loopback_sources(plan.readers)) if plan.target.host.startswith("127.") else []
        with _progress() as progress:
            bar = progress.add_task("connecting", total=plan.readers)

            def show() -> None:
                progress.update(bar, completed=crowd.connected + crowd.failed.total() + crowd.ended.total())
                if crowd.ended and not crowd.connected:
                    stop.set()

            crowd = Crowd(plan.target, sources, show, _tell)
            await _first(crowd.gather(plan.readers, plan.per_second), stop)
        click.echo(f"{crowd.connected:,} of {plan.readers:,} readers are connected.")
        _list("not connected", crowd.failed)
        complete = crowd.connected == plan.readers
        if crowd.connected:
            await _first(_tell_count(http, plan, crowd.connected), stop)
            await _stay(plan.stay_seconds, stop)
        complete = complete and not crowd.ended and crowd.returned == len(crowd.sent_away)
        if crowd.sent_away:
            click.echo(f"{len(crowd.sent_away):,} times one was sent away; {crowd.returned:,} times one came back.")
        _list("lost", crowd.ended)
        await crowd.disperse()
        click.echo(f"All readers have gone; {_heard(len(crowd.announcements))}.")
    return complete


async def _first(work: Any, stop: asyncio.Event) -> None:
    """Runs `work` to its end, or until it is time to stop."""
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())]
    _, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    if tasks[0].done() and not tasks[0].cancelled():
        tasks[0].result()


async def _stay(seconds: float, stop: asyncio.Event) -> None:
    if stop.is_set():
        return
    click.echo(f"They stay for {seconds:g} s; Ctrl-C ends it." if seconds else "They stay until Ctrl-C.")
    try:
        async with asyncio.timeout(seconds or None):
            await stop.wait()
    except TimeoutError:
        pass


async def _online(http: aiohttp.ClientSession, plan: Plan) -> int | None:
    """The number the API gives.

    Raises:
        Failure: Nothing answers there, or there is no such site.
    """
    scheme = "https" if plan.target.tls else "http"
    host = f"[{plan.target.host}]" if ":" in plan.target.host else plan.target.host
    address = f"{scheme}://{host}:{plan.target.port}/api/v1/sites/{quote(plan.target.site)}/presence"
    try:
        async with http.get(address, timeout=aiohttp.ClientTimeout(total=10)) as answer:
            if answer.status == 404:
                raise Failure(f"there is no site {plan.target.site!r} at {plan.base}")
            if answer.status != 200:
                raise Failure(f"{plan.base} answers {answer.status}; is it Loa?")
            online = (await answer.json())["online"]
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
        raise Failure(f"{plan.base} does not answer ({reason(error)}); start it with 'loa serve'") from None
    return online if isinstance(online, int) else None


async def _tell_count(http: aiohttp.ClientSession, plan: Plan, at_least: int) -> None:
    """Says what the service counts, once it has counted all of ours."""
    online: int | None = None
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _COUNT_SECONDS
    while loop.time() < deadline:
        online = await _online(http, plan)
        if online is not None and online >= at_least:
            break
        await asyncio.sleep(0.25)
    click.echo(f"{plan.base} counts {_readers(online)} on {plan.target.site}.")


def _tell(announced: Announced, hearing: Hearing) -> None:
    click.echo(
        f"Announcement {announced.id}, revision {announced.revision}, {announced.status}: "
        f"heard by all {hearing.readers:,}, the last {1000 * hearing.seconds:.0f} ms after the first."
    )


def _list(what: str, reasons: Counter[str]) -> None:
    for cause, number in reasons.most_common():
        click.echo(f"  {number:,} {what}: {cause}", err=True)


def _readers(number: int | None) -> str:
    if number is None:
        return "an unknown number of readers"
    return "1 reader" if number == 1 else f"{number:,} readers"


def _heard(number: int) -> str:
    return {0: "they heard no announcement", 1: "they heard 1 announcement"}.get(
        number, f"they heard {number} announcements"
    )


def _progress() -> Progress:
    console = Console()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
