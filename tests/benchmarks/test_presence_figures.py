"""What is made of the measurements of presence, and the formula of what a site costs."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks import costs, presence_figures
from benchmarks.figures import Row
from benchmarks.journey import Journey
from benchmarks.leases import Counting, Leases, Stretch
from benchmarks.pushes import Pushed
from benchmarks.scopes import Joined, ScopesRound
from benchmarks.usage import Usage


def used(cpu_seconds: float, *, seconds: float = 10.0, sent: int = 1000, grown: int = 0) -> Usage:
    """What a store used in ten seconds."""
    return Usage(seconds=seconds, cpu_seconds=cpu_seconds, sent=sent, inside=10 * sent, memory_bytes=grown)


def site(readers: int = 200_000, **changed: object) -> Leases:
    """A site whose store reaches every target: 10 us a renewal, 20 us a page view."""
    renewed, views = readers, readers // 6
    one = Leases(
        readers=readers,
        workers=12,
        renew_seconds=10.0,
        keys=2000,
        bytes_per_reader=200.0,
        rest=Stretch(store=used(10e-6 * renewed), workers_cpu_seconds=1.0, renewed=renewed, views=0),
        views=Stretch(
            store=used(10e-6 * renewed + 20e-6 * views, sent=2400, grown=20 * readers),
            workers_cpu_seconds=2.0,
            renewed=renewed + views,
            views=views,
        ),
        counting=Counting(server_seconds=0.00001, p50_seconds=0.0001, p99_seconds=0.0005),
        sweeping=Counting(server_seconds=0.0006, p50_seconds=0.0009, p99_seconds=0.0015),
    )
    return msgspec.structs.replace(one, **changed)


JOURNEY = Journey(
    readers=10_000,
    rest_store=used(0.2),
    rest_worker_seconds=0.3,
    pages_store=used(0.6, seconds=15.0, sent=2500),
    pages_worker_seconds=2.45,
)


def row(rows: list[Row], figure: str) -> Row:
    """The one row of this name."""
    (found,) = [one for one in rows if one.figure == figure]
    return found


def test_a_page_view_costs_what_rest_does_not_explain() -> None:
    # 10,000 readers at rest take 20 ms of a second: 300 of the 600 ms in which all turned a page.
    assert pytest.approx(30e-6) == JOURNEY.store_per_page
    assert pytest.approx(200e-6) == JOURNEY.worker_per_page
    assert JOURNEY.commands_per_page("sent") == pytest.approx(0.1)
    rows = presence_figures.of_journey(JOURNEY)
    assert row(rows, "store, a page view").measured == pytest.approx(30)
    assert row(rows, "store, 1,000 page views at once, commands inside scripts").measured == pytest.approx(1000)
    assert row(rows, "store, a reader at rest").measured == pytest.approx(2)


def test_the_largest_site_is_judged() -> None:
    small = site(10_000, bytes_per_reader=300.0)
    rows = presence_figures.of_leases([small, site()])
    assert [one.reached for one in rows if one.target] == [True] * 4
    assert row(rows, "store, memory per reader, 200,000 leases").rounds == [300, 200]
    assert row(rows, "store, memory per reader, 200,000 leases, with pages turned").measured == 220


def test_a_store_that_workers_of_a_busy_machine_did_not_ask_enough_is_not_praised() -> None:
    renewed = 50_000
    starved = site(rest=Stretch(store=used(10e-6 * renewed), workers_cpu_seconds=1, renewed=renewed, views=0))
    assert presence_figures.renewing(starved) == pytest.approx(presence_figures.renewing(site())) == pytest.approx(0.2)
    assert presence_figures.kept_up(site())
    assert not presence_figures.kept_up(starved)


@pytest.mark.parametrize(
    ("missed", "figure"),
    [
        ({"counting": Counting(server_seconds=0.0011, p50_seconds=0, p99_seconds=0)}, "a count"),
        ({"sweeping": Counting(server_seconds=0.0011, p50_seconds=0, p99_seconds=0)}, "sweeps"),
        ({"rest": Stretch(store=used(2.6), workers_cpu_seconds=0, renewed=200_000, views=0)}, "renewed"),
        ({"bytes_per_reader": 251.0}, "memory"),
    ],
)
def test_a_target_that_a_large_site_misses_is_said(missed: dict[str, object], figure: str) -> None:
    rows = presence_figures.of_leases([site(**missed)])
    assert any(figure in one.figure for one in rows if one.reached is False)


def test_scopes_are_judged_by_the_median_of_the_ratios() -> None:
    def a_round(seconds: float, size: float) -> ScopesRound:
        alone = Joined(seconds=2.0, worker_seconds=2.0, bytes_per_session=1000)
        return ScopesRound(alone=alone, all=Joined(seconds=seconds, worker_seconds=seconds, bytes_per_session=size))

    rows = presence_figures.of_scopes([a_round(2.2, 1100), a_round(2.4, 1400), a_round(9.0, 1500)])
    assert row(rows, "scopes, time of a handshake").measured == pytest.approx(1.2)
    assert row(rows, "scopes, time of a handshake").reached
    assert row(rows, "scopes, memory per session").reached is False


def test_pushes_are_judged_at_every_size() -> None:
    rows = presence_figures.of_pushes(
        [
            Pushed(sessions=1_000, share=0.01, pushes_per_second=1.0),
            Pushed(sessions=18_000, share=0.11, pushes_per_second=0.6),
        ]
    )
    assert row(rows, "counts pushed to 1,000 sessions").reached
    assert row(rows, "counts pushed to 18,000 sessions").reached is False


def test_the_formula_says_of_the_size_it_was_made_from_what_was_measured() -> None:
    by = costs.rates(site(), JOURNEY)
    assert by.renewal_seconds == pytest.approx(10e-6)
    assert by.view_seconds == pytest.approx(20e-6, rel=1e-3)
    again, (measured,) = costs.formula(200_000, by), costs.table([site()], JOURNEY, ())
    assert again.store_cores == pytest.approx(measured.store_cores, rel=1e-3)
    assert again.store_bytes == pytest.approx(measured.store_bytes)
    assert again.commands == pytest.approx(measured.commands)
    assert measured.measured
    assert not again.measured


def test_renewals_of_a_very_large_site_are_bounded_and_the_rest_grows() -> None:
    by = costs.rates(site(), JOURNEY)
    million = costs.formula(1_000_000, by)
    assert million.workers == 56
    assert million.renewals == 20_000
    assert million.store_cores == pytest.approx(20_000 * 10e-6 + 1_000_000 / 60 * 20e-6, rel=1e-3)
    assert million.store_bytes == pytest.approx(220e6)
    # A reader takes 3 us a second of a worker, a page 200 us, and counts pushed a tenth of each worker.
    assert million.worker_cores == pytest.approx(3 + 1_000_000 / 60 * 200e-6 + 5.6)
    assert len(costs.cells(million)) == len(costs.COLUMNS)
