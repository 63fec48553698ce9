from __future__ import annotations

import pytest

from benchmarks.announcement_figures import of_rendered, of_rounds, quantile
from benchmarks.announcing import AnnouncingRound
from benchmarks.rendered import Rendered


def a_round(announced: float, recalled: float, limit: float) -> AnnouncingRound:
    return AnnouncingRound(others_busy=0.0, announced=[announced] * 3, recalled=[recalled] * 3, limits=[limit] * 3)


def test_the_last_socket_is_judged_by_the_bare_loop_and_a_recall_by_an_announcement() -> None:
    announced, recalled = of_rounds([a_round(0.11, 0.10, 0.10)], 10_000)
    assert (announced.ratio, announced.reached) == (pytest.approx(1.1), True)
    assert (recalled.ratio, recalled.reached, recalled.limit) == (pytest.approx(0.909, abs=0.001), True, 110.0)
    announced, recalled = of_rounds([a_round(0.12, 0.15, 0.10)], 10_000)
    assert (announced.reached, recalled.reached) == (False, False)


def test_one_bad_round_of_three_does_not_decide() -> None:
    announced, _ = of_rounds([a_round(0.1, 0.1, 0.1), a_round(0.9, 0.1, 0.1), a_round(0.1, 0.1, 0.1)], 10)
    assert announced.reached


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_quantile_is_one_of_the_values(share: float, value: int) -> None:
    assert quantile([*range(100, 0, -1)], share) == value


def test_a_browser_is_judged_by_its_slow_ones() -> None:
    rows = {row.figure: row for row in of_rendered(Rendered(shown=[0.01] * 98 + [0.3, 0.4], gone=[0.02] * 100))}
    assert rows["announced, to the drawn frame, p50"].measured == 10
    assert rows["announced, to the drawn frame, p99"].reached is False
    assert rows["recalled, to the drawn frame, p99"].reached is True
