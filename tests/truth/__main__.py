"""``python -m tests.truth``: runs by their seeds, judged.

Stops by itself, ends only what it started, and leaves nothing behind, also after Ctrl-C. Exit codes: 0 every number
was as promised, 1 one was not, 2 usage.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

import click
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.truth import report
from tests.truth.run import Result, run
from tests.truth.schedule import FAULTS, Plan


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seed", type=int, help="Decides everything.  [default: another each time]")
@click.option(
    "--runs", type=click.IntRange(1, 1000), default=1, show_default=True, help="So many, each with the next seed."
)
@click.option("--seconds", type=click.FloatRange(1, 3600), default=60.0, show_default=True, help="Until the last act.")
@click.option("--readers", type=click.IntRange(1, 5000), default=200, show_default=True)
@click.option("--workers", type=click.IntRange(1, 16), default=3, show_default=True, help="Each a node of its own.")
@click.option("--faults", default=",".join(FAULTS), show_default=True, help="What is broken; empty: nothing.")
@click.option("--json", "file", type=click.Path(path_type=Path, dir_okay=False), help="Where the result goes as JSON.")
def truth(  # noqa: PLR0917  options, given by name
    seed: int | None, runs: int, seconds: float, readers: int, workers: int, faults: str, file: Path | None
) -> None:
    """Hold every number of a real service against what really happened."""
    console = Console()
    wanted = tuple(filter(None, faults.split(",")))
    if unknown := set(wanted) - set(FAULTS):
        raise click.BadParameter(f"no such fault: {', '.join(sorted(unknown))}", param_hint="--faults")
    first = secrets.randbelow(1_000_000) if seed is None else seed
    results = []
    documents: list[dict[str, Any]] = []
    for seed_of_run in range(first, first + runs):
        plan = Plan(seed=seed_of_run, seconds=seconds, readers=readers, workers=workers, faults=wanted)
        result = one(plan, console)
        report.show(result, console)
        # What was observed is large; of all runs but the first only the figures are kept.
        documents.append(report.document(result, series=not documents))
        results.append(result.verdict)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(report.as_json(documents))
    broken = sum(bool(one["violations"] or one["unsettled"]) for one in documents)
    report.total(results, broken, console)
    sys.exit(broken > 0)


def one(plan: Plan, console: Console) -> Result:
    """One run, with its progress shown."""
    columns = (TextColumn("seed {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(str(plan.seed), total=None)
        return uvloop.run(run(plan, lambda done, total: progress.update(task, completed=done, total=total)))


if __name__ == "__main__":
    truth(prog_name="python -m tests.truth")
