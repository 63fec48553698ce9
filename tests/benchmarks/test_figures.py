"""What is made of the rounds."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks import figures
from benchmarks.rounds import BareRound, Fanout, Joins, ProductRound, Round

READERS = 1000


def fanout(seconds: float) -> Fanout:
    """A message that took so long to reach everybody."""
    return Fanout(seconds, seconds, seconds / 2, seconds, 0.3)


def a_round(*, product_seconds: float = 0.02, bare_seconds: float = 0.018) -> Round:
    """A round in which every target is reached, if the fan-out is as fast as that."""
    product = ProductRound(
        joins=Joins(0.1, 0.3),
        miscounted=0,
        bytes_per_session=2000.0,
        fanouts=[fanout(product_seconds)] * 3,
        beat_seconds=0.010,
        slice_seconds=0.006,
        idle_share=0.02,
    )
    return Round(0.0, 0.0, product, BareRound(Joins(0.05, 0.6), [fanout(bare_seconds)] * 3))


def changed(**product: object) -> Round:
    """A good round but for this."""
    good = a_round()
    return msgspec.structs.replace(good, product=msgspec.structs.replace(good.product, **product))


def row(rounds: list[Round], figure: str) -> figures.Row:
    """The one row whose name contains `figure`."""
    (found,) = [one for one in figures.rows(rounds, READERS) if figure in one.figure]
    return found


def test_a_good_round_reaches_every_target() -> None:
    rows = figures.rows([a_round()], READERS)
    assert figures.reached(rows)
    assert sum(one.reached is True for one in rows) == 6


def test_a_figure_is_the_median_of_the_rounds() -> None:
    rounds = [a_round(product_seconds=seconds) for seconds in (0.02, 0.04, 0.1)]
    assert row(rounds, "first to last").measured == pytest.approx(READERS / 0.04)


def test_a_ratio_is_the_median_of_the_ratios_of_the_rounds() -> None:
    # A machine that became twice as slow between the rounds: for both alike.
    rounds = [
        a_round(product_seconds=0.02, bare_seconds=0.018),
        a_round(product_seconds=0.04, bare_seconds=0.036),
        a_round(product_seconds=0.08, bare_seconds=0.072),
    ]
    assert row(rounds, "first to last").ratio == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("rounds", "figure"),
    [
        ([a_round(product_seconds=0.022)], "first to last"),
        ([changed(bytes_per_session=3073.0)], "memory"),
        ([changed(joins=Joins(READERS / 5000, 0.3))], "handshakes, readers"),
        ([changed(idle_share=0.051)], "idle worker"),
        ([changed(beat_seconds=0.021)], "held"),
        ([changed(slice_seconds=0.021)], "held"),
    ],
)
def test_a_target_that_is_missed_is_said(rounds: list[Round], figure: str) -> None:
    assert row(rounds, figure).reached is False
    assert not figures.reached(figures.rows(rounds, READERS))


def test_few_handshakes_will_do_where_the_limit_is_low() -> None:
    slow = changed(joins=Joins(READERS / 5000, 0.3))
    machine = msgspec.structs.replace(slow, bare=msgspec.structs.replace(slow.bare, joins=Joins(READERS / 14_000, 0.6)))
    assert row([machine], "handshakes, readers").reached is True


def test_a_count_that_was_wrong_once_is_wrong() -> None:
    assert row([a_round(), a_round(), changed(miscounted=1)], "count wrong").reached is False
