"""``loa simulate``: a crowd of real readers."""

from __future__ import annotations

import gc
import re
import sys
from typing import Any

import click
import uvloop

from presence import simulation
from settings.commandline import Command, Deployment, Failure
from store import runfile

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>s|m|h|)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType[float]):
    """A time such as ``90``, ``60s``, ``5m`` or ``1h``; seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See :class:`click.ParamType`."""
        found = _DURATION.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is not a time such as 60s, 5m or 1h", param, ctx)
        return float(found["number"]) * _SECONDS[found["unit"]]


@click.command(cls=Command)
@click.option("--site", default="demo", show_default=True, help="Which portal they read.")
@click.option("--readers", type=click.IntRange(1, 60_000), default=1000, show_default=True, help="How many.")
@click.option(
    "--for", "stay_seconds", type=Duration(), default=0, help="How long they stay, 60s or 5m.  [default: until Ctrl-C]"
)
@click.option(
    "--rate", type=click.FloatRange(0), default=0, help="How many come per second.  [default: as fast as can be]"
)
@click.option(
    "--url", envvar="LOA_URL", default="", help="Where the service is.  [default: the one on this data directory]"
)
@click.pass_obj
def simulate(deployment: Deployment, /, *, site: str, readers: int, stay_seconds: float, rate: float, url: str) -> None:
    """Open many real readers on this machine and keep them.

    Each is a WebSocket connection with an id of its own. It is a load generator: it only ever connects to this machine.
    """
    base = url or _running(deployment)
    plan = simulation.Plan(base.rstrip("/"), simulation.target(base, site), readers, rate, stay_seconds)
    simulation.make_room(readers)
    # Tens of thousands of long-lived objects: the collector would walk them again and again and find nothing.
    gc.set_threshold(200_000, 50, 100)
    sys.exit(0 if uvloop.run(simulation.run(plan)) else 1)


def _running(deployment: Deployment) -> str:
    try:
        running = runfile.read(deployment.data_dir)
    except OSError as error:
        raise Failure(f"{deployment.data_dir}: {error.strerror}; name the service with --url") from None
    if running is None:
        raise Failure(f"no service runs on {deployment.data_dir}; start it with 'loa serve' or name it with --url")
    return running.public_url
