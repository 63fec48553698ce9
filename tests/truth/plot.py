"""``python -m tests.truth.plot RESULT.json``: draws docs/images/accuracy.svg from the JSON of runs.

Three pictures: one run over time with what was allowed, what was true and what the workers said; how far numbers were
from what they mean, over all runs; and how much of the time that the bounds leave was used.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click
import matplotlib as mpl
import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "accuracy.svg"
# Told apart also by who sees no red or green, and on paper.
WORKERS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
KINDS = {"site": "site", "section": "section", "page": "page", "state": "reading, idle, background"}
FAULTS = {
    "kill": "worker killed",
    "freeze": "worker frozen",
    "clock": "clock an hour off",
    "stop": "store killed",
    "empty": "store lost all",
    "hang": "store hangs",
}
# Errors beyond this are in the outermost bars.
WIDEST = 8


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), default=PICTURE, show_default=True)
def plot(source: Path, target: Path) -> None:
    """Draw the accuracy that the runs in SOURCE measured."""
    runs = msgspec.json.decode(source.read_bytes())
    # The same figures give the same file, and its letters stay letters.
    mpl.rcParams.update({"svg.hashsalt": "loa", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9})
    figure = Figure(figsize=(9, 9.5), facecolor="white", layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=(1.15, 1))
    above, below = halves
    _over_time(above.subplots(), runs[0])
    left, right = below.subplots(1, 2, width_ratios=(1.25, 1))
    _errors(left, runs)
    _lateness(right, runs[0])
    figure.savefig(target, metadata={"Date": None} if target.suffix == ".svg" else None)


def _over_time(axes: Axes, run: dict[str, Any]) -> None:
    band, said = run["series"]["band"], run["series"]["said"]
    times = [row[0] for row in band]
    axes.fill_between(
        times, [row[1] for row in band], [row[2] for row in band], step="post", color="#cfd8dc", label="allowed"
    )
    axes.step(times, [row[3] for row in band], where="post", color="black", linewidth=0.8, label="pages open, in truth")
    for worker in range(run["plan"]["workers"]):
        for stale in (False, True):
            points = [
                (at, value) for at, who, value, old in said if who == worker and old == stale and value is not None
            ]
            # Every second answer: more would be drawn over each other.
            axes.plot(
                [at for at, _ in points[::2]],
                [value for _, value in points[::2]],
                "|" if stale else ".",
                markersize=3 if stale else 2.5,
                color="#9e9e9e" if stale else WORKERS[worker % len(WORKERS)],
                label=("marked stale" if worker == 0 else None) if stale else f"worker {worker} says",
            )
    top = max(row[2] for row in band) * 1.25
    axes.set_ylim(0, top)
    for kind, worker, began, done in run["faults"]:
        axes.axvspan(began, max(done, began + 0.15), color="#f0b27a", alpha=0.35, linewidth=0)
        whom = FAULTS[kind] if worker < 0 else f"{FAULTS[kind]} ({worker})"
        axes.text(began, top * 0.985, whom, rotation=90, va="top", ha="right", fontsize=7, color="#5d4037")
    axes.set_xlim(0, run["seconds"])
    axes.set_xlabel("seconds")
    axes.set_ylabel("readers of the site")
    axes.set_title(f"One run (seed {run['plan']['seed']}): what was allowed, what was true, what was said", fontsize=10)
    axes.legend(loc="lower right", fontsize=7, ncols=3)


def _errors(axes: Axes, runs: list[dict[str, Any]]) -> None:
    width = 0.8 / len(KINDS)
    for at, (kind, name) in enumerate(KINDS.items()):
        errors: Counter[int] = Counter()
        for run in runs:
            for error, times in run["errors"].get(kind, {}).items():
                errors[max(-WIDEST, min(WIDEST, int(error)))] += times
        total = max(1, errors.total())
        places = range(-WIDEST, WIDEST + 1)
        axes.bar(
            [place + (at - (len(KINDS) - 1) / 2) * width for place in places],
            [100 * errors[place] / total for place in places],
            width,
            color=WORKERS[at],
            label=name,
        )
    axes.set_yscale("log")
    axes.set_ylim(0.01, 100)
    axes.set_yticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
    axes.set_xticks([*range(-WIDEST, WIDEST + 1, 2)], _edges([*range(-WIDEST, WIDEST + 1, 2)]))
    judged = sum(run["judged"] for run in runs)
    axes.set_title(f"Error of {judged:,} numbers, runs: {len(runs)}", fontsize=10)
    axes.set_xlabel("readers too few (-) or too many (+)")
    axes.set_ylabel("% of the numbers")
    axes.legend(fontsize=7)


def _edges(places: list[int]) -> list[str]:
    names = [f"{place:+d}" if place else "0" for place in places]
    return [f"≤{names[0]}", *names[1:-1], f"≥{names[-1]}"]


def _lateness(axes: Axes, run: dict[str, Any]) -> None:
    shares = [100 * share for share, _ in run["lateness"]]
    axes.plot(shares, [100 * enough for _, enough in run["lateness"]], color=WORKERS[0], marker=".", markersize=4)
    axes.set_xlim(0, 100)
    axes.set_ylim(min(100 * enough for _, enough in run["lateness"]) - 2, 101)
    axes.grid(color="#eceff1")
    axes.set_title("How much of the bound was used", fontsize=10)
    axes.set_xlabel("% of the time that the bounds leave")
    axes.set_ylabel("% of the site's numbers it was enough for")


if __name__ == "__main__":
    plot(prog_name="python -m tests.truth.plot")
