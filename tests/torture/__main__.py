"""``python -m tests.torture``: one run, judged. Exit codes: 0 all was as promised, 1 it was not, 2 usage."""

from __future__ import annotations

import asyncio
import sys

import click

from tests.torture.run import Plan, run


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--announcements", type=click.IntRange(10, 5000), default=1000, show_default=True)
@click.option("--clients", type=click.IntRange(1, 200), default=20, show_default=True, help="Editors at once.")
@click.option("--kills", type=click.IntRange(0, 20), default=2, show_default=True, help="Of the store.")
@click.option("--seed", type=int, default=1, show_default=True, help="Decides who does what.")
def torture(announcements: int, clients: int, kills: int, seed: int) -> None:
    """Publish from many clients at once, repeat requests, kill the store, and look for what is not as promised."""
    result = asyncio.run(run(Plan(count=announcements, clients=clients, kills=kills, seed=seed)))
    click.echo(
        f"{announcements} announcements, {result.versions} versions in {result.seconds:.1f} s, {result.live} left; "
        f"{result.acknowledged} answers, {result.replayed} of them to repeated requests; "
        f"the store was started anew {result.restarts} times"
    )
    click.echo(f"  shown again by a browser that had it in view: {result.again}")
    for what, number in sorted(result.refused.items()):
        click.echo(f"  {what}: {number}")
    for one in result.wrong:
        click.echo(f"WRONG {one}")
    click.echo("all as promised" if not result.wrong else f"{len(result.wrong)} things wrong")
    sys.exit(bool(result.wrong))


if __name__ == "__main__":
    torture(prog_name="python -m tests.torture")
