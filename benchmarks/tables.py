"""The result as Markdown, ready for docs/benchmarks.md. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import costs
from benchmarks.report import Report, number


def markdown(report: Report) -> str:
    """The figures, and what sites of several sizes cost where that was measured."""
    heads = ["figure", "measured", "limit", "ratio", "rounds", "target"]
    rows = [
        [
            row.figure,
            f"{number(row.measured)} {row.unit}",
            number(row.limit) if row.limit is not None else "",
            f"{row.ratio:.2f}" if row.ratio is not None else "",
            f"{number(min(row.rounds))} to {number(max(row.rounds))}" if len(row.rounds) > 1 else "",
            f"{row.target}: {'reached' if row.reached else '**not reached**'}" if row.target else "",
        ]
        for row in report.rows
    ]
    lines = _table(heads, rows)
    if report.costs:
        lines += ["", *_table(costs.COLUMNS, [costs.cells(cost) for cost in report.costs]), "", "```"]
        lines += [*costs.FORMULA.splitlines(), "```"]
    return "\n".join(lines)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_line(heads), _line(["---"] * len(heads)), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
