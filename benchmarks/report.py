"""The result for people, a table, and for machines, a JSON file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks import ack_figures, announcement_figures, costs, draining, figures, nodes, presence_figures
from benchmarks.costs import Cost
from benchmarks.figures import Row
from benchmarks.machine import Machine
from benchmarks.measurement import Measured

RESULTS = Path(__file__).parent / "results"
# Sizes of sites that are not measured.
EXTRAPOLATED = (1_000_000,)
# Of a core. Where other processes or the host took more, the figures are worse than the machine's own.
_QUIET_SHARE, _STOLEN_SHARE = 0.10, 0.01


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run.

    Attributes:
        taken_at: When it ended, RFC 3339 with the offset.
        machine: What it ran on, as it was at the start.
        compiled: Whether limit and crowd were C; else they were Python, and the limit is lower than the machine's.
        readers: How many.
        rows: The figures.
        costs: What sites of several sizes cost; the last by the formula of :mod:`benchmarks.costs` alone.
        measured: What they were made of.
    """

    taken_at: str
    machine: Machine
    compiled: bool
    readers: int
    rows: list[Row]
    costs: list[Cost]
    measured: Measured


def of(measured: Measured, machine: Machine, readers: int, now: datetime, *, compiled: bool) -> Report:
    """What is made of a run that ended `now`."""
    return Report(
        taken_at=now.isoformat(timespec="seconds"),
        machine=machine,
        compiled=compiled,
        readers=readers,
        rows=_rows(measured, readers),
        costs=costs.table(measured.leases, measured.journey, EXTRAPOLATED) if measured.journey else [],
        measured=measured,
    )


def _rows(measured: Measured, readers: int) -> list[Row]:
    rows = []
    if measured.rounds:
        rows += figures.rows(measured.rounds, readers)
    if measured.journey:
        rows += presence_figures.of_journey(measured.journey)
    if measured.leases:
        rows += presence_figures.of_leases(measured.leases)
    if measured.scopes:
        rows += presence_figures.of_scopes(measured.scopes)
    rows += presence_figures.of_pushes(measured.pushes)
    if measured.announcing:
        rows += announcement_figures.of_rounds(measured.announcing, readers)
    if measured.rendered:
        rows += announcement_figures.of_rendered(measured.rendered)
    return [
        *rows,
        *ack_figures.rows(measured.acks),
        *draining.rows(measured.drained),
        *nodes.rows(measured.held),
    ]


def write(report: Report, file: Path | None, now: datetime) -> Path:
    """Writes the JSON, to `file` or a new file of our own, and returns where."""
    if file is None:
        RESULTS.mkdir(exist_ok=True)
        file = RESULTS / f"{now:%Y%m%d-%H%M%S}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    return file


def show(report: Report, console: Console) -> None:
    """Prints the table."""
    measured = report.measured
    rounds = max(len(measured.rounds), len(measured.scopes), len(measured.announcing))
    table = Table(
        title=f"{report.readers:,} readers, one worker on one core, medians of {rounds}" if rounds > 1 else None,
        title_justify="left",
    )
    table.add_column("figure")
    for name in ("measured", "limit", "ratio"):
        table.add_column(name, justify="right")
    table.add_column("target")
    table.add_column("reached")
    for row in report.rows:
        table.add_row(
            row.figure,
            f"{number(row.measured)} {row.unit}",
            number(row.limit) if row.limit is not None else "",
            f"{row.ratio:.2f}" if row.ratio is not None else "",
            row.target,
            {True: "[green]yes[/]", False: "[bold red]no[/]", None: ""}[row.reached],
        )
    console.print(table)
    if report.costs:
        console.print(_costs(report.costs))
        console.print(costs.FORMULA, highlight=False)
    for line in _remarks(report):
        console.print(line, soft_wrap=True)


def _costs(sites: Sequence[Cost]) -> Table:
    """The table of costs."""
    table = Table(title="what a site costs, everybody turning a page a minute", title_justify="left")
    for name in costs.COLUMNS:
        table.add_column(name, justify="right")
    for site in sites:
        table.add_row(*costs.cells(site))
    return table


def _remarks(report: Report) -> Sequence[str]:
    machine = report.machine
    remarks = [f"{machine.processor}, {machine.cores} cores, Linux {machine.kernel}, Python {machine.python}"]
    if report.compiled:
        remarks.append("limit: a loop in C (benchmarks/bare.c)")
    else:
        remarks.append("limit: a loop in Python, there being no C compiler; the machine's own is higher")
    if machine.cores == 1:
        remarks.append("only one core: the worker shared it with everything else, so targets mean little")
    remarks.extend(
        f"the workers of {one.readers:,} leases did not keep up with their renewals: the machine was too busy for them"
        for one in report.measured.leases
        if not presence_figures.kept_up(one)
    )
    rounds = report.measured.rounds
    busy = [one.others_busy for one in rounds] + [one.others_busy for one in report.measured.announcing]
    busiest = max(busy, default=0.0)
    if busiest > _QUIET_SHARE:
        remarks.append(f"the machine was busy with other things: {100 * busiest:.0f} % of a core before a round")
    stolen = max((one.stolen for one in rounds), default=0.0)
    if stolen > _STOLEN_SHARE:
        remarks.append(f"the host kept {100 * stolen:.0f} % of a core from this machine in a round")
    return remarks


def number(value: float) -> str:
    """As people read it."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")
