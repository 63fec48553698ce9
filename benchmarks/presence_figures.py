"""What is made of the measurements of presence: one row a figure, as of the rounds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.figures import Row
from benchmarks.journey import Journey
from benchmarks.leases import Leases
from benchmarks.pushes import Pushed
from benchmarks.scopes import Joined, ScopesRound

COUNT_SECONDS = 0.001
STORE_SHARE = 0.25
PUSH_SHARE = 0.10
READER_BYTES = 250
KEPT_UP = 0.9
HANDSHAKE_RATIO, MEMORY_RATIO = 1.5, 1.3


def of_journey(journey: Journey) -> list[Row]:
    """What one reader costs the store, by sockets."""
    rest, page = journey.rest_store, journey.commands_per_page
    per_thousand = journey.readers * rest.seconds / 1000
    return [
        _plain("store, a reader at rest", 1e6 * journey.store_per_reader_second, "us a second"),
        _plain("store, 1,000 readers at rest, commands sent", rest.sent / per_thousand, "a second"),
        _plain("store, 1,000 readers at rest, commands inside scripts", rest.inside / per_thousand, "a second"),
        _plain("store, a page view", 1e6 * journey.store_per_page, "us"),
        _plain("store, 1,000 page views at once, commands sent", 1000 * page("sent"), "commands"),
        _plain("store, 1,000 page views at once, commands inside scripts", 1000 * page("inside"), "commands"),
        _plain("worker, a reader at rest", 1e6 * journey.worker_per_reader_second, "us a second"),
        _plain("worker, a page view", 1e6 * journey.worker_per_page, "us"),
    ]


def of_leases(sizes: Sequence[Leases]) -> list[Row]:
    """What a large site costs the store; the largest is judged, the others are its rounds."""
    largest = max(sizes, key=lambda one: one.readers)
    many = f"{largest.readers:,} leases"

    def judged(figure: str, unit: str, of: Callable[[Leases], float], most: float) -> Row:
        return _at_most(figure, unit, of(largest), most, [of(one) for one in sizes])

    return [
        judged(
            f"a count of {many}, in the store",
            "ms",
            lambda one: 1000 * one.counting.server_seconds,
            1000 * COUNT_SECONDS,
        ),
        _plain(f"a count of {many}, round trip, p50", 1000 * largest.counting.p50_seconds, "ms"),
        _plain(f"a count of {many}, round trip, p99", 1000 * largest.counting.p99_seconds, "ms"),
        judged(
            f"a count of {many} that sweeps all it may, in the store",
            "ms",
            lambda one: 1000 * one.sweeping.server_seconds,
            1000 * COUNT_SECONDS,
        ),
        judged(
            f"store, {many} renewed and counted",
            "% of a core",
            lambda one: 100 * renewing(one),
            100 * STORE_SHARE,
        ),
        _plain(f"store, {many}, with pages turned", 100 * largest.views.store.cores, "% of a core"),
        judged(f"store, memory per reader, {many}", "bytes", lambda one: one.bytes_per_reader, READER_BYTES),
        # Not judged: who turned a page is held at the one before, too, for the grace; the more turn, the more it is.
        _plain(f"store, memory per reader, {many}, with pages turned", turned_bytes(largest), "bytes"),
    ]


def renewing(one: Leases) -> float:
    """The share of a core that the store takes at rest, if every reader is renewed as often as it should be.

    Workers that get too little of a busy machine renew less, and the store would seem to have less to do than it has.
    """
    return max(one.rest.store.cores, one.rest.store.cpu_seconds / one.rest.renewed * one.readers / one.renew_seconds)


def kept_up(one: Leases) -> bool:
    """Whether the workers renewed as many as they should have; else the machine was too busy to be measured."""
    return one.rest.renewed / one.rest.store.seconds >= KEPT_UP * one.readers / one.renew_seconds


def turned_bytes(one: Leases) -> float:
    """Of the store per reader, with what readers that turn pages leave behind for a while."""
    return one.bytes_per_reader + max(0, one.rest.store.memory_bytes + one.views.store.memory_bytes) / one.readers


def of_scopes(rounds: Sequence[ScopesRound]) -> list[Row]:
    """What the numbers of section and page cost beside the site's: ratios of each round, the median judged."""
    return [
        _times(rounds, "scopes, time of a handshake", lambda one: one.seconds, HANDSHAKE_RATIO),
        _times(rounds, "scopes, processor time of a handshake", lambda one: one.worker_seconds, HANDSHAKE_RATIO),
        _times(rounds, "scopes, memory per session", lambda one: one.bytes_per_session, MEMORY_RATIO),
    ]


def of_pushes(pushed: Sequence[Pushed]) -> list[Row]:
    """What counts pushed to so many sessions take of a core."""
    rows = []
    for one in pushed:
        rows.append(
            _at_most(
                f"counts pushed to {one.sessions:,} sessions",
                "% of a core",
                100 * one.share,
                100 * PUSH_SHARE,
                [100 * one.share],
            )
        )
        rows.append(_plain(f"counts pushed to {one.sessions:,} sessions, how often", one.pushes_per_second, "a second"))
    return rows


def _plain(figure: str, value: float, unit: str) -> Row:
    return Row(figure=figure, unit=unit, measured=value, rounds=[value])


def _at_most(figure: str, unit: str, value: float, most: float, values: list[float]) -> Row:
    return Row(
        figure=figure, unit=unit, measured=value, target=f"at most {most:g}", reached=value <= most, rounds=values
    )


def _times(rounds: Sequence[ScopesRound], figure: str, of: Callable[[Joined], float], most: float) -> Row:
    ratios = [of(one.all) / of(one.alone) for one in rounds]
    return _at_most(figure, "times the site's alone", median(ratios), most, ratios)
