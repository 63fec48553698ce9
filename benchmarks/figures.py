"""What is made of the rounds: one row a figure, with its target and whether it was reached. Pure.

A figure is the median over the rounds. A ratio is the median of each round's own ratio, since the two halves of a round
were measured within the same minute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

import msgspec

from benchmarks.rounds import BareRound, Fanout, ProductRound, Round

FANOUT_SHARE = 0.85
SESSION_BYTES = 3 * 1024
HANDSHAKES, HANDSHAKE_SHARE = 6000, 0.35
IDLE_SHARE = 0.05
HELD_SECONDS = 0.020


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure.

    Attributes:
        figure: What it is.
        unit: In what.
        measured: Of the service.
        limit: Of the bare loop, None where it has no such thing.
        ratio: The former over the latter.
        target: In words; empty where there is none.
        reached: None where there is no target.
        rounds: `measured` of each round.
    """

    figure: str
    unit: str
    measured: float
    limit: float | None = None
    ratio: float | None = None
    target: str = ""
    reached: bool | None = None
    rounds: list[float]


def rows(rounds: Sequence[Round], readers: int) -> list[Row]:
    """All figures of a run with so many readers."""
    fanout = _compared(
        rounds,
        lambda one: readers / median(each.received_seconds for each in one.fanouts),
        figure="fan-out, first to last delivery",
        unit="deliveries/s",
    )
    written = _compared(
        rounds,
        lambda one: readers / median(each.sent_seconds for each in one.fanouts),
        figure="fan-out, the server's own account",
        unit="deliveries/s",
    )
    handshakes = _compared(
        rounds, lambda one: readers / one.joins.seconds, figure="handshakes, readers counted", unit="handshakes/s"
    )
    return [
        _judged(fanout, f"at least {FANOUT_SHARE} of the limit", (fanout.ratio or 0) >= FANOUT_SHARE),
        written,
        _latency(rounds, "p50", lambda each: each.latency_p50_seconds),
        _latency(rounds, "p99", lambda each: each.latency_p99_seconds),
        _alone(
            rounds,
            lambda one: one.bytes_per_session / 1024,
            figure="memory per idle session",
            unit="KB",
            most=SESSION_BYTES / 1024,
        ),
        _judged(
            handshakes,
            f"at least {HANDSHAKES:,}, or {HANDSHAKE_SHARE} of the limit",
            handshakes.measured >= HANDSHAKES or (handshakes.ratio or 0) >= HANDSHAKE_SHARE,
        ),
        _alone(
            rounds, lambda one: 100 * one.idle_share, figure="idle worker", unit="% of a core", most=100 * IDLE_SHARE
        ),
        _alone(
            rounds,
            lambda one: 1000 * max(one.beat_seconds, one.slice_seconds),
            figure="event loop held in a fan-out",
            unit="ms",
            most=1000 * HELD_SECONDS,
        ),
        _miscounted(rounds),
        _crowd(rounds, "crowd busy in a fan-out", lambda one: median(each.crowd_busy for each in one.fanouts)),
        _crowd(rounds, "crowd busy in handshakes", lambda one: one.joins.crowd_busy),
    ]


def reached(all_rows: Sequence[Row]) -> bool:
    """Whether no target was missed."""
    return not any(row.reached is False for row in all_rows)


def _compared(
    rounds: Sequence[Round], of: Callable[[ProductRound | BareRound], float], *, figure: str, unit: str
) -> Row:
    measured = [of(one.product) for one in rounds]
    limits = [of(one.bare) for one in rounds]
    return Row(
        figure=figure,
        unit=unit,
        measured=median(measured),
        limit=median(limits),
        ratio=median(mine / limit for mine, limit in zip(measured, limits, strict=True)),
        rounds=measured,
    )


def _judged(row: Row, target: str, was_reached: bool) -> Row:
    return msgspec.structs.replace(row, target=target, reached=was_reached)


def _alone(rounds: Sequence[Round], of: Callable[[ProductRound], float], *, figure: str, unit: str, most: float) -> Row:
    values = [of(one.product) for one in rounds]
    middle = median(values)
    return Row(
        figure=figure, unit=unit, measured=middle, target=f"at most {most:g}", reached=middle <= most, rounds=values
    )


def _latency(rounds: Sequence[Round], name: str, of: Callable[[Fanout], float]) -> Row:
    def milliseconds(one: ProductRound | BareRound) -> float:
        return 1000 * median(of(each) for each in one.fanouts)

    return _compared(rounds, milliseconds, figure=f"delivery since it was asked for, {name}", unit="ms")


def _miscounted(rounds: Sequence[Round]) -> Row:
    values = [float(one.product.miscounted) for one in rounds]
    # A number that was wrong once is wrong: not the median.
    worst = max(values)
    return Row(figure="count wrong by", unit="readers", measured=worst, target="0", reached=worst == 0, rounds=values)


def _crowd(rounds: Sequence[Round], figure: str, of: Callable[[ProductRound | BareRound], float]) -> Row:
    """Not a figure of the service: shows that the crowd had time to spare, also under the bare loop."""
    row = _compared(rounds, lambda one: 100 * of(one), figure=figure, unit="% of a core")
    return msgspec.structs.replace(row, ratio=None)
