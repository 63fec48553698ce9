"""``python -m benchmarks``: measures, and shows what came of it.

Stops by itself, ends only what it started, and leaves nothing behind, also after Ctrl-C. Exit codes: 0 every target
was reached (with ``--quick``: it ran), 1 one was missed or nothing could be measured, 2 usage, 130 interrupted.
"""

from __future__ import annotations

import logging
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
import msgspec
import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import compiled, figures, machine, report, rounds, tables
from benchmarks.errors import BenchmarkError
from benchmarks.measurement import PARTS, QUICK, THOROUGH, Measured, Size, measure, measurements

# Of the table where nobody says how wide it may be.
_WIDTH = 140


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--only",
    "parts",
    type=click.Choice(PARTS),
    multiple=True,
    help="What to measure; may be repeated.  [default: all]",
)
@click.option("--readers", type=click.IntRange(2, 100_000), help=f"How many.  [default: {THOROUGH.readers}]")
@click.option("--rounds", "count", type=click.IntRange(1, 99), help=f"How often.  [default: {THOROUGH.rounds}]")
@click.option(
    "--idle",
    type=click.FloatRange(1, 600),
    help=f"Seconds to watch readers do nothing.  [default: {THOROUGH.idle_seconds:g}]",
)
@click.option(
    "--leases",
    "sizes",
    type=click.IntRange(2, 2_000_000),
    multiple=True,
    help=f"Sizes of sites for the part store; may be repeated.  [default: {', '.join(map(str, THOROUGH.leases))}]",
)
@click.option("--quick", is_flag=True, help=f"One round with {QUICK.readers} readers; no target is judged.")
@click.option("--markdown", is_flag=True, help="Print tables for docs/benchmarks.md, too.")
@click.option("--json", "file", type=click.Path(path_type=Path, dir_okay=False), help="Where the result goes as JSON.")
def bench(  # noqa: PLR0917  click names them
    parts: Sequence[str],
    readers: int | None,
    count: int | None,
    idle: float | None,
    sizes: Sequence[int],
    quick: bool,
    markdown: bool,
    file: Path | None,
) -> None:
    """Measure what one worker carries beside what the machine can, and what presence costs at any size."""
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    size = QUICK if quick else THOROUGH
    given = {"readers": readers, "rounds": count, "idle_seconds": idle, "leases": tuple(sizes)}
    size = msgspec.structs.replace(size, **{name: value for name, value in given.items() if value})
    before = machine.describe()
    cores = machine.cores()
    machine.allow_descriptors(size.most)
    machine.pin(0, cores.others)
    cc = compiled.compiler()
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as directory:
        plan = rounds.Plan(
            readers=size.readers,
            idle_seconds=size.idle_seconds,
            crowd=compiled.program("crowd", Path(directory), cc),
            bare=compiled.program("bare", Path(directory), cc),
            cores=cores,
        )
        measured = _measured(plan, size, parts or PARTS, console)
    now = datetime.now().astimezone()
    done = report.of(measured, before, size.readers, now, compiled=cc is not None)
    report.show(done, console)
    if markdown:
        click.echo(tables.markdown(done))
    console.print(f"written to {report.write(done, file, now)}", soft_wrap=True)
    if not quick and not figures.reached(done.rows):
        sys.exit(1)


def _measured(plan: rounds.Plan, size: Size, parts: Sequence[str], console: Console) -> Measured:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=measurements(size, parts))
        return measure(
            plan,
            size,
            parts,
            lambda doing: progress.update(task, description=doing),
            lambda: progress.advance(task),
        )


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    # As after Ctrl-C: what was started is ended on the way out.
    raise KeyboardInterrupt


def main() -> NoReturn:
    """The command line."""
    signal.signal(signal.SIGTERM, _terminated)
    # The store's own log lines are none of a reader's of the table.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
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
