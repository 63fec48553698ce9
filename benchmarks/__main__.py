"""``python -m benchmarks``: runs the rounds and shows what came of them.

Stops by itself, ends only what it started, and leaves nothing behind, also after Ctrl-C. Exit codes: 0 every target
was reached (with ``--quick``: it ran), 1 one was missed or nothing could be measured, 2 usage, 130 interrupted.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import compiled, figures, machine, report, rounds
from benchmarks.errors import BenchmarkError

READERS, ROUNDS, IDLE_SECONDS = 10_000, 5, 30.0
QUICK_READERS, QUICK_ROUNDS, QUICK_IDLE_SECONDS = 1_000, 1, 2.0
# Of the table where nobody says how wide it may be.
_WIDTH = 140


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--readers", type=click.IntRange(2, 100_000), help=f"How many.  [default: {READERS}]")
@click.option("--rounds", "count", type=click.IntRange(1, 99), help=f"How often.  [default: {ROUNDS}]")
@click.option(
    "--idle", type=click.FloatRange(1, 600), help=f"Seconds to watch readers do nothing.  [default: {IDLE_SECONDS:g}]"
)
@click.option("--quick", is_flag=True, help=f"One round with {QUICK_READERS} readers; no target is judged.")
@click.option("--json", "file", type=click.Path(path_type=Path, dir_okay=False), help="Where the result goes as JSON.")
def bench(readers: int | None, count: int | None, idle: float | None, quick: bool, file: Path | None) -> None:
    """Measure what one worker carries, beside what the machine can."""
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    readers = readers or (QUICK_READERS if quick else READERS)
    count = count or (QUICK_ROUNDS if quick else ROUNDS)
    machine.allow_descriptors(readers)
    before = machine.describe()
    cores = machine.cores()
    machine.pin(0, cores.others)
    cc = compiled.compiler()
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as directory:
        plan = rounds.Plan(
            readers=readers,
            idle_seconds=idle or (QUICK_IDLE_SECONDS if quick else IDLE_SECONDS),
            crowd=compiled.program("crowd", Path(directory), cc),
            bare=compiled.program("bare", Path(directory), cc),
            cores=cores,
        )
        measured = _rounds(plan, count, console)
    now = datetime.now().astimezone()
    done = report.Report(
        taken_at=now.isoformat(timespec="seconds"),
        machine=before,
        compiled=cc is not None,
        readers=readers,
        rows=figures.rows(measured, readers),
        rounds=measured,
    )
    report.show(done, console)
    console.print(f"written to {report.write(done, file, now)}", soft_wrap=True)
    if not quick and not figures.reached(done.rows):
        sys.exit(1)


def _rounds(plan: rounds.Plan, count: int, console: Console) -> list[rounds.Round]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    measured = []
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=count)
        for number in range(1, count + 1):

            def step(doing: str, number: int = number) -> None:
                progress.update(task, description=f"round {number}: {doing}")

            measured.append(rounds.run(plan, step))
            progress.advance(task)
    return measured


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    # As after Ctrl-C: what was started is ended on the way out.
    raise KeyboardInterrupt


def main() -> NoReturn:
    """The command line."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        bench.main(prog_name="python -m benchmarks", standalone_mode=False)
    except BenchmarkError as error:
        _end(str(error), 1)
    except click.ClickException as error:
        _end(error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(0)


def _end(why: str, code: int) -> NoReturn:
    click.echo(f"benchmarks: {why}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
