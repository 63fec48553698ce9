from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from operations.figures import (
    COUNTERS,
    COUNTERS_BY_KIND,
    HISTOGRAMS,
    LAG_EDGES,
    Histogram,
    WorkerFigures,
    beside,
    ended,
    plus,
)

counts = st.integers(0, 1000)
kinds = st.dictionaries(st.sampled_from(["accepted", "origin", "full"]), counts)


@st.composite
def histograms(draw: st.DrawFn) -> Histogram:
    return Histogram(edges=[0.1, 1.0], counts=draw(st.lists(counts, min_size=3, max_size=3)), seconds=draw(counts))


@st.composite
def figures(draw: st.DrawFn) -> WorkerFigures:
    drawn: dict[str, Any] = {name: draw(counts) for name in COUNTERS}
    drawn |= {name: draw(kinds) for name in COUNTERS_BY_KIND}
    drawn |= {name: draw(st.none() | histograms()) for name in HISTOGRAMS}
    return WorkerFigures(**drawn, sessions=draw(kinds), feed_version=draw(counts))


@given(figures(), figures())
def test_no_total_goes_backwards_when_a_worker_is_replaced(last: WorkerFigures, fresh: WorkerFigures) -> None:
    after = plus(fresh, ended(last))
    for name in COUNTERS:
        assert getattr(after, name) == getattr(last, name) + getattr(fresh, name)
    for name in COUNTERS_BY_KIND:
        mine, theirs = getattr(fresh, name), getattr(last, name)
        for kind in {*mine, *theirs}:
            assert getattr(after, name)[kind] == mine.get(kind, 0) + theirs.get(kind, 0)
    for name in HISTOGRAMS:
        expected = sum(sum(one.counts) for one in (getattr(last, name), getattr(fresh, name)) if one is not None)
        found = getattr(after, name)
        assert (sum(found.counts) if found is not None else 0) == expected


@given(figures())
def test_what_an_ended_worker_held_is_gone(last: WorkerFigures) -> None:
    left = ended(last)
    assert (left.sessions, left.feed_version, left.unready) == ({}, 0, [])


def test_all_that_is_counted_so_far_is_carried_over() -> None:
    """One left out would fall back to 0 when a worker dies."""
    text = (inspect.getdoc(WorkerFigures) or "").split("Attributes:")[1]
    said = re.findall(r"^ {4}(\w[\w, ]*): ((?:.|\n {8})*)", text, re.MULTILINE)
    counted = {name for names, what in said if "so far" in what for name in names.split(", ")}
    assert {*COUNTERS, *COUNTERS_BY_KIND} == counted


def test_two_in_one_place_have_their_sessions_together() -> None:
    leaving = WorkerFigures(sessions={"demo": 3}, readers={"demo": 1}, apart={"demo": {"robot": 2}}, acks_taken=4)
    fresh = WorkerFigures(sessions={"demo": 5}, readers={"demo": 4}, apart={"demo": {"hidden": 1}, "tinh": {}})
    both = beside(leaving, fresh)
    assert (both.sessions, both.readers, both.acks_taken) == ({"demo": 8}, {"demo": 5}, 4)
    assert both.apart == {"demo": {"robot": 2, "hidden": 1}, "tinh": {}}


@given(figures(), figures(), figures())
def test_it_does_not_matter_in_which_order_workers_are_carried_over(
    one: WorkerFigures, two: WorkerFigures, three: WorkerFigures
) -> None:
    assert plus(three, ended(plus(two, ended(one)))) == plus(plus(three, ended(two)), ended(one))


@given(figures())
def test_every_figure_survives_the_journey(sent: WorkerFigures) -> None:
    assert msgspec.json.decode(msgspec.json.encode(sent), type=WorkerFigures) == sent


def test_every_figure_is_either_carried_over_or_not() -> None:
    held = {
        "sessions",
        "apart",
        "transports",
        "readers",
        "online",
        "states",
        "stale",
        "canary_last_seconds",
        "canary_silence_seconds",
        "descriptors",
        "descriptors_allowed",
        "freshness_seconds",
        "feed_version",
        "history_lag_seconds",
        "webhook_dead",
        "webhook_waiting_seconds",
        "longest_slice_seconds",
        "resident_bytes",
        "unready",
    }
    assert {*COUNTERS, *COUNTERS_BY_KIND, *HISTOGRAMS} | held == {*WorkerFigures.__struct_fields__}


@given(st.lists(st.floats(0, 5)))
def test_a_histogram_counts_everything_once_in_the_right_bucket(values: list[float]) -> None:
    histogram = Histogram.over(LAG_EDGES)
    for value in values:
        histogram.observe(value)
    assert sum(histogram.counts) == len(values)
    assert histogram.counts[0] == sum(value <= LAG_EDGES[0] for value in values)
    assert histogram.counts[-1] == sum(value > LAG_EDGES[-1] for value in values)


def test_histograms_of_different_edges_are_not_mixed() -> None:
    one, other = Histogram.over([1.0]), Histogram.over([2.0])
    other.observe(1.5)
    assert one.plus(other) == one
