"""``python -m benchmarks.plot RESULT.json``: draws docs/images/nodes.svg from the JSON of a run with the part nodes."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import click
import matplotlib as mpl
import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.nodes import SCRAPE_SECONDS, Held

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "nodes.svg"
# Told apart also by who sees no red or green, and on paper.
_STYLES: dict[tuple[int, int], dict[str, Any]] = {
    (1, 1): {"color": "#0072b2", "marker": "o"},
    (2, 1): {"color": "#d55e00", "marker": "s"},
    (1, 4): {"color": "#cc79a7", "marker": "D"},
    (2, 2): {"color": "#009e73", "marker": "^"},
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), default=PICTURE, show_default=True)
def plot(source: Path, target: Path) -> None:
    """Draw what one to four workers did with the readers they held, as SOURCE says."""
    result = msgspec.json.decode(source.read_bytes())
    measured = msgspec.convert(result["measured"]["held"], list[Held])
    if not measured:
        raise click.ClickException(f"{source}: no part nodes in it")
    # The same figures give the same file, and its letters stay letters.
    mpl.rcParams.update({"svg.hashsalt": "loa", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9})
    figure = Figure(figsize=(9, 3.6), facecolor="white", layout="constrained")
    left, right = figure.subplots(1, 2)
    for (nodes, workers), style in _STYLES.items():
        held = [one for one in measured if (one.shape.nodes, one.shape.workers) == (nodes, workers)]
        if held:
            style["label"] = f"nodes {nodes}, workers {nodes * workers}"
            _line(left, held, [one.last_seconds for one in held], style)
            _line(right, held, [one.scrape_seconds for one in held], style)
    left.set_title("From the request to the last reader (median, least, most)", fontsize=9)
    right.set_title("A scrape of /metrics (median, least, most)", fontsize=9)
    right.axhline(1000 * SCRAPE_SECONDS, color="#9e9e9e", linewidth=0.8, linestyle="--")
    left.legend(fontsize=8)
    for axes in (left, right):
        axes.set_xlabel("readers")
        axes.set_ylabel("ms")
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter("{x:,.0f}")
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, metadata={"Date": None} if target.suffix == ".svg" else None)


def _line(axes: Axes, held: list[Held], taken: list[list[float]], style: dict[str, Any]) -> None:
    middle = [1000 * median(one) for one in taken]
    below = [at - 1000 * min(one) for at, one in zip(middle, taken, strict=True)]
    above = [1000 * max(one) - at for at, one in zip(middle, taken, strict=True)]
    axes.errorbar([one.shape.readers for one in held], middle, yerr=[below, above], capsize=3, linewidth=1, **style)


if __name__ == "__main__":
    plot()
