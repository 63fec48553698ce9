"""The command line with this room's commands alone; run as ``python -m tests.presence.loa``."""

from __future__ import annotations

import click
import msgspec

from presence.commands import commands
from settings.commandline import Blueprint, run


class NoSettings(msgspec.Struct):
    """Simulation needs none."""


if __name__ == "__main__":
    run(click.Group(commands=commands), Blueprint(NoSettings, lambda settings: "data"))
