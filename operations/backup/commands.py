"""``loa backup``, ``loa restore`` and ``loa migrate``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO

import click
from redis.exceptions import RedisError
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from notifications.actor import OPERATOR
from notifications.client import printable
from notifications.errors import StoreAway
from notifications.trail import Trail
from operations import logs
from operations.backup import form
from operations.backup.errors import BackupError, NotABackup, NotEmpty, NothingThere, told
from operations.backup.opening import Opened, opened
from operations.backup.putting import present, put, refuse_if_served
from operations.backup.taking import Taken, take
from settings.commandline import Command, Deployment, Failure
from settings.progress import progress
from store import layout
from store.errors import StoreError
from store.refusal import failure

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.command(cls=Command)
@_FILE
@click.pass_obj
def backup(deployment: Deployment, file: Path) -> None:
    """Write announcements, audit trail, users, tokens, webhooks and history into FILE.

    The service may run meanwhile. FILE holds secrets (passwords' hashes, the keys of webhooks, the secret of readers'
    ids): only its owner may read it, keep it so. Leases, sessions and idempotency keys are not in it.
    """
    _refuse_to_overwrite(file)

    directory = str(file.absolute().parent)

    async def run(draft: IO[bytes]) -> Taken:
        async with opened(deployment, alone=False) as store:
            about = form.About(
                loa=version("loa"),
                layout=layout.LAYOUT,
                made=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
                prefix=store.prefix,
                store=store.server,
            )
            with progress(TextColumn("{task.completed:,} keys"), TimeElapsedColumn()) as display:
                task = display.add_task("", total=None)
                taken = await take(
                    store.redis,
                    store.prefix,
                    form.Writer(draft, about),
                    directory,
                    lambda keys: display.update(task, completed=keys),
                )
        if not taken.parts:
            raise NothingThere
        return taken

    with _said(), _draft(file) as draft:
        taken = asyncio.run(run(draft))
    for name in taken.undecided:
        click.echo(f"loa: not in the backup, no part of Loa knows it: {printable(name)}", err=True)
    click.echo(f"{file}  {file.stat().st_size:,} bytes, {told(taken.parts)}")
    click.echo("It holds secrets and password hashes; only you may read it. Keep it so.")


@click.command(cls=Command)
@_FILE
@click.option("--replace", is_flag=True, help="Also where the store has data; that is removed.")
@click.option("--yes", is_flag=True, help="With --replace: do not ask.")
@click.option("--shared-store", is_flag=True, help="Connections of a running Loa are those of another installation.")
@click.option("--check", "only_check", is_flag=True, help="Only see whether FILE is whole, and say what is in it.")
@click.pass_obj
def restore(
    deployment: Deployment, file: Path, *, replace: bool, yes: bool, shared_store: bool, only_check: bool
) -> None:
    """Put what `loa backup` has written into FILE back into an empty store.

    The service must not run. The whole of FILE is checked before anything is written, and all of it is put in place in
    one step. Whoever was signed in signs in again.
    """

    async def run(source: IO[bytes]) -> dict[str, int]:
        async with opened(deployment, alone=True) as store:
            if not shared_store:
                with contextlib.suppress(RedisError):
                    # A user who may not list connections is not told of them.
                    await refuse_if_served(store.redis)
            there = (await present(store.redis, store.prefix)).parts
            if there and not replace:
                raise NotEmpty(there)
            if there and not yes:
                _ask(store, there)
            with _bar("restoring", file) as advance:
                parts = await put(store.redis, store.prefix, source, advance)
            about = {"after": {"made": made.made, "loa": made.loa, "keys": sum(parts.values())}}
            await Trail(store.redis, store.prefix).record("store.restore", OPERATOR, about)
            return parts

    with _said(), file.open("rb") as source:
        with _bar("checking", file) as advance:
            made, keys = form.check(source, advance)
        click.echo(f"{file}  made {made.made} by Loa {made.loa}, {told(keys)}")
        if not only_check:
            parts = asyncio.run(run(source))
            click.echo(f"restored  {told(parts)}")


@click.command(cls=Command)
@click.pass_obj
def migrate(deployment: Deployment) -> None:
    """Bring the keys of an older release up to date, while no node runs."""

    async def run() -> list[int]:
        async with opened(deployment, alone=True, any_layout=True) as store:
            return await layout.migrate(store.redis, store.prefix, store.address)

    with _said():
        steps = asyncio.run(run())
    done = f"brought up to date, through {', '.join(map(str, steps))}" if steps else "nothing to do"
    click.echo(f"layout {layout.LAYOUT}  {done}")


def _ask(store: Opened, there: dict[str, int]) -> None:
    click.echo(f"This removes from {store.address}: {told(there)}", err=True)
    try:
        agreed = click.confirm("Remove it, and put the backup in its place?", err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        click.echo(err=True)
        raise Failure("nobody is there to answer, and nothing was restored; --yes answers") from None
    if not agreed:
        raise Failure("nothing was restored")


def _refuse_to_overwrite(file: Path) -> None:
    """An older backup may be written over, nothing else."""
    try:
        with file.open("rb") as there:
            form.check_head(there)
    except FileNotFoundError:
        return
    except NotABackup:
        raise Failure(f"{file} is there and is no backup; name another file") from None
    except BackupError:
        return
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}") from None


@contextlib.contextmanager
def _draft(file: Path) -> Iterator[IO[bytes]]:
    """A file beside `file`, readable to its owner only, that takes its place when all went well and is on disk."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.absolute().parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as opened_file:
            yield opened_file
            opened_file.flush()
            os.fsync(opened_file.fileno())
        draft.replace(file)
        directory = os.open(file.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _bar(what: str, file: Path) -> Iterator[form.Progress]:
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("bytes"), TimeElapsedColumn())
    with progress(*columns) as display:
        task = display.add_task("", total=file.stat().st_size)
        yield lambda read: display.update(task, completed=read)


@contextlib.contextmanager
def _said() -> Iterator[None]:
    """What goes wrong is a failure of the command, in one line."""
    logs.configure("console", "warning")
    try:
        yield
    except (BackupError, StoreError) as error:
        raise Failure(str(error)) from None
    except StoreAway as error:
        raise Failure(f"the store {failure(error.__cause__ or error)}") from None
    except RedisError as error:
        raise Failure(f"the store {printable(failure(error))}; nothing was restored or backed up") from None
    except OSError as error:
        raise Failure(f"{error.filename or 'file'}: {error.strerror or error}") from None
