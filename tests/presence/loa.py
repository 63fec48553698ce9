"""The command line with this room's commands alone; run as ``python -m tests.presence.loa``."""

from __future__ import annotations

import click
import msgspec

from presence import simulation
from presence.commands import simulate
from settings.commandline import Blueprint, run


class NoSettings(msgspec.Struct):
    """Simulation needs none."""


if __name__ == "__main__":
    # What is said is looked at here, not how soon: a busy machine takes longer to count a thousand than people wait.
    simulation._COUNT_SECONDS = 60.0
    run(click.Group(commands=[simulate]), Blueprint(NoSettings, lambda settings: "data"))
