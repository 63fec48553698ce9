"""What is made of the measurements of announcements: one row a figure, as of the rounds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.announcing import AnnouncingRound
from benchmarks.figures import Row
from benchmarks.rendered import Rendered

RENDERED_SECONDS = 0.250
LAST_SOCKET_RATIO = 1.15
RECALL_RATIO = 1.15


def of_rendered(rendered: Rendered) -> list[Row]:
    """How long a browser takes to show, and to take away."""
    rows = []
    for name, seconds in (
        ("announced, to the drawn frame", rendered.shown),
        ("recalled, to the drawn frame", rendered.gone),
    ):
        rows += [
            _milliseconds(f"{name}, p50", quantile(seconds, 0.5)),
            _judged(f"{name}, p99", quantile(seconds, 0.99)),
        ]
    return rows


def of_rounds(rounds: Sequence[AnnouncingRound], readers: int) -> list[Row]:
    """How long it takes to everybody; each round's ratio is of its own medians."""
    return [
        _compared(
            f"announced, to the last of {readers:,}",
            rounds,
            lambda one: (one.announced, one.limits),
            LAST_SOCKET_RATIO,
            "the limit",
        ),
        _compared(
            f"recalled, to the last of {readers:,}; limit: announced",
            rounds,
            lambda one: (one.recalled, one.announced),
            RECALL_RATIO,
            "announcing",
        ),
    ]


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so large a share does not exceed; of a hundred values the 99th for 0.99."""
    ranked = sorted(values)
    return ranked[max(0, -int(-share * len(ranked) // 1) - 1)]


def _milliseconds(figure: str, seconds: float) -> Row:
    return Row(figure=figure, unit="ms", measured=1000 * seconds, rounds=[1000 * seconds])


def _judged(figure: str, seconds: float) -> Row:
    most = 1000 * RENDERED_SECONDS
    return Row(
        figure=figure,
        unit="ms",
        measured=1000 * seconds,
        target=f"under {most:g}",
        reached=seconds < RENDERED_SECONDS,
        rounds=[1000 * seconds],
    )


def _compared(
    figure: str,
    rounds: Sequence[AnnouncingRound],
    of: Callable[[AnnouncingRound], tuple[Sequence[float], Sequence[float]]],
    most: float,
    limit: str,
) -> Row:
    pairs = [tuple(1000 * median(seconds) for seconds in of(one)) for one in rounds]
    ratio = median(mine / theirs for mine, theirs in pairs)
    return Row(
        figure=figure,
        unit="ms",
        measured=median(mine for mine, _ in pairs),
        limit=median(theirs for _, theirs in pairs),
        ratio=ratio,
        target=f"at most {most} of {limit}",
        reached=ratio <= most,
        rounds=[mine for mine, _ in pairs],
    )
