"""What all of ``loa``'s commands share: two options, one-line errors and three exit codes.

A room writes its commands with ``@click.command(cls=Command)`` and takes ``@click.pass_obj`` a
:class:`Deployment`; the roof collects them. Exit codes: 0 done, 1 refused or failed, 2 usage.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import msgspec

from settings.errors import SettingsError
from settings.loader import load

T = TypeVar("T", bound=msgspec.Struct)

# What a full disk, a broken one, or one's share of it says to a write.
_UNWRITABLE = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG)
DEFAULT_FILE = Path(__file__).resolve().parent.parent / "config.toml"


class Failure(click.ClickException):
    """A command was refused or failed: one line that says what is wrong and what to do; exit code 1."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which installation a command speaks of.

    Attributes:
        settings: The roof's settings struct, one field a section.
        file: The settings file, None when only defaults are in force.
        data_dir: Where the embedded store and the run file live.
    """

    settings: msgspec.Struct
    file: Path | None
    data_dir: Path

    def anew(self) -> Deployment:
        """The same, with its settings read once more.

        Raises:
            SettingsError: They cannot be read or are refused now.
        """
        return Deployment(load(type(self.settings), self.file, os.environ), self.file, self.data_dir)

    def section(self, kind: type[T]) -> T:
        """The section a room described as `kind`."""
        for name in self.settings.__struct_fields__:
            value = getattr(self.settings, name)
            if isinstance(value, kind):
                return value
        raise LookupError(kind.__name__)

    def with_sections(self, *sections: msgspec.Struct) -> Deployment:
        """The same with `sections` in place of those of their kind, as when an option outranks the file."""
        changes = {
            name: section
            for name in self.settings.__struct_fields__
            for section in sections
            if type(getattr(self.settings, name)) is type(section)
        }
        return Deployment(msgspec.structs.replace(self.settings, **changes), self.file, self.data_dir)


class Command(click.Command):
    """A command of ``loa``: adds ``--config`` and ``--data-dir``, and hands the callback a Deployment."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(
            [
                click.Option(
                    ["--config", "config_file"],
                    type=click.Path(path_type=Path, dir_okay=False),
                    envvar="LOA_CONFIG",
                    help="Settings file.  [default: config.toml here, else the one Loa came with]",
                ),
                click.Option(
                    ["--data-dir"],
                    type=click.Path(path_type=Path, file_okay=False),
                    envvar="LOA_DATA_DIR",
                    help="Where the store lives.  [default: server.data_dir of the settings]",
                ),
            ]
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Reads the settings, then calls the command's function."""
        config_file = ctx.params.pop("config_file")
        data_dir = ctx.params.pop("data_dir")
        ctx.obj = deployment(ctx.find_object(Blueprint), config_file, data_dir)
        return super().invoke(ctx)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What only the roof knows: the struct of all sections, and which key holds the data directory."""

    kind: type[msgspec.Struct]
    data_dir: Callable[[Any], str]


def deployment(blueprint: Blueprint | None, file: Path | None, data_dir: Path | None) -> Deployment:
    """Reads the settings a command line names.

    Raises:
        Failure: They cannot be read or are refused.
    """
    if blueprint is None:
        raise LookupError("the command was not started by the roof")
    if file is None:
        here = Path("config.toml")
        file = here if here.is_file() else DEFAULT_FILE if DEFAULT_FILE.is_file() else None
    try:
        settings = load(blueprint.kind, file, os.environ)
    except SettingsError as error:
        raise Failure(str(error)) from None
    if data_dir is None:
        base = file.parent if file is not None else Path()
        data_dir = base / blueprint.data_dir(settings)
    return Deployment(settings, file, data_dir.expanduser().absolute())


def run(root: click.Group, blueprint: Blueprint) -> NoReturn:
    """Runs the command line; every error is one line on stderr."""
    try:
        status = root.main(standalone_mode=False, obj=blueprint, prog_name="loa")
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx is not None else "loa"
        message = error.format_message()
        _say(f"{message}{'' if message.endswith(('.', '?')) else '.'} '{where} --help' shows what it takes.")
        sys.exit(2)
    except click.ClickException as error:
        _say(error.format_message())
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not fail again while it flushes at exit.
        _stop_printing()
        sys.exit(1)
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        # Whatever prints does so when all else is done.
        _stop_printing()
        why = error.strerror or "it cannot be written"
        _say(f"stdout: {why}. What was asked for may have been carried out: look before you ask for it again")
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


def _stop_printing() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(message: str) -> None:
    click.echo("loa: " + " ".join(message.split()), err=True)
