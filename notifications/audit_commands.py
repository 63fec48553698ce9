"""``loa audit``: who did what, and whether what is written down is what was written.

The trail is in the store, so these commands are for whoever may use it; a file that was exported can be verified
anywhere.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from gateway.instants import rfc3339
from notifications import client
from notifications.audit import Entry, Fault, Line, Verifier, exported, imported
from notifications.trail import Trail
from settings.commandline import Command, Deployment, Failure
from settings.progress import progress
from store.errors import NOT_UNDERSTOOD

_HASH = re.compile(r"[0-9a-f]{40}", re.ASCII)


@click.group()
def audit() -> None:
    """Show, export and verify who did what."""


@audit.command("list", cls=Command)
@click.option("--id", default="", help="Only what was done to this announcement or token.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many, the latest.")
@click.pass_obj
def show(deployment: Deployment, id: str, limit: int) -> None:
    """List what was done, the latest last: number, time, act, id, who, from where, and what it says now."""

    async def read() -> list[Entry]:
        entries: list[Entry] = []
        async with client.opened_store(deployment) as (redis, prefix):
            async for line in Trail(redis, prefix).lines():
                entry = _understood(line)
                if entry is not None and id in ("", entry.id):
                    entries = [*entries[1 - limit :], entry] if limit > 1 else [entry]
        return entries

    for entry in asyncio.run(read()):
        click.echo(_line(entry))


@audit.command("export", cls=Command)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Into this file.  [default: stdout]")
@click.pass_obj
def export(deployment: Deployment, output: Path | None) -> None:
    """Write all entries as JSON lines, each with its hash; `loa audit verify --file` verifies them anywhere."""

    async def write(file: BinaryIO) -> None:
        async with client.opened_store(deployment) as (redis, prefix):
            async for line in Trail(redis, prefix).lines():
                file.write(exported(line))
        file.flush()

    if output is None:
        asyncio.run(write(sys.stdout.buffer))
        return
    try:
        with output.open("wb") as file:
            asyncio.run(write(file))
    except OSError as error:
        raise Failure(f"{output}: {error.strerror}") from None


@audit.command("verify", cls=Command)
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), help="An exported trail, not the store's.")
@click.option("--known", default="", help="A hash that an earlier `loa audit verify` printed; it must still be in it.")
@click.pass_obj
def verify(deployment: Deployment, file: Path | None, known: str) -> None:
    """Verify that no entry was changed, removed, inserted or put in another order; exit code 1 if one was."""
    if known and _HASH.fullmatch(known) is None:
        raise Failure("--known takes the hash that 'loa audit verify' printed, 40 hexadecimal digits")
    verifier, seen = asyncio.run(_verify(deployment, file, known))
    if not seen:
        raise Failure(
            f"the audit trail is another one than when {known} was printed: no entry of it has this hash any more"
        )
    entries = f"{verifier.seq:,} entr{'y' if verifier.seq == 1 else 'ies'}"
    click.echo(f"{entries}, each as it was written. Keep the hash of the last elsewhere, for --known:")
    click.echo(verifier.chain)


async def _verify(deployment: Deployment, file: Path | None, known: str) -> tuple[Verifier, bool]:
    """The verifier after the last entry, and whether it came by the known hash.

    Raises:
        Failure: At the first fault.
    """
    verifier = Verifier()
    seen = known in ("", verifier.chain)
    with progress() as display:
        task = display.add_task("", total=None)
        async for line, last in _file(file) if file is not None else _store(deployment):
            fault = verifier.take(line) if line is not None else verifier.finish(last) if last is not None else None
            if fault is not None:
                raise _broken(fault)
            seen = seen or verifier.chain == known
            display.update(task, description=f"{verifier.seq:,} entries")
    return verifier, seen


async def _store(deployment: Deployment) -> AsyncIterator[tuple[Line | None, tuple[int, str] | None]]:
    """The entries that were there when it began, then what the store says of the last of them."""
    async with client.opened_store(deployment) as (redis, prefix):
        trail = Trail(redis, prefix)
        last = await trail.last()
        read = 0
        async for line in trail.lines():
            if read == last[0]:
                break
            read += 1
            yield line, None
        yield None, last


async def _file(path: Path) -> AsyncIterator[tuple[Line | None, tuple[int, str] | None]]:
    """The entries of a file."""
    try:
        with path.open("rb") as file:
            for number, text in enumerate(file, 1):
                try:
                    yield imported(text), None
                except NOT_UNDERSTOOD:
                    raise Failure(f"{path}, line {number}: not a line of 'loa audit export'") from None
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None


def _broken(fault: Fault) -> Failure:
    return Failure(f"the audit trail is broken: {fault.why}; what stands before entry {fault.seq} is as it was written")


def _understood(line: Line) -> Entry | None:
    try:
        return msgspec.json.decode(line.entry, type=Entry)
    except NOT_UNDERSTOOD:
        return None


def _line(entry: Entry) -> str:
    who = f"{client.printable(entry.name)} ({entry.owner})"
    what = f"{entry.id}/{entry.revision}" if entry.revision else entry.id
    return "  ".join(
        [
            f"{entry.seq:>5}",
            rfc3339(entry.at_ms),
            f"{entry.act:<12}",
            what,
            who,
            entry.address or "-",
            _says(entry),
        ]
    )


def _says(entry: Entry) -> str:
    """The title of the announcement, or the name of the token; why something was refused."""
    subject: Any = entry.after if entry.after is not None else entry.before
    if not isinstance(subject, dict):
        return client.printable(str(subject or ""))
    mark = "[TEST] " if subject.get("test") else ""
    return mark + client.printable(str(subject.get("title") or subject.get("name") or ""))
