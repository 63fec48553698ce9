from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notifications.reach.sums import Readers, Revisions, Sums, decode, encode, reach
from tests.notifications.making import NOW_MS, announcement


def sums(times: list[int]) -> Sums:
    made = Sums(connected=len(times), received=len(times), greeted=1)
    for after_ms in times:
        made.rendered(after_ms)
    return made


def test_the_newest_revision_that_was_told_is_shown() -> None:
    one: Revisions = {1: sums([100, 200]), 2: sums([40])}
    other: Revisions = {1: sums([300])}
    told = reach(announcement("a", 3), [one, other], Readers(3, 2, 1), NOW_MS)
    assert (told.revision, told.connected, told.received, told.greeted, told.measured) == (2, 1, 1, 1, 1)
    assert (told.rendered, told.clicked, told.dismissed, told.error) == (3, 2, 1, 0.0081)
    assert told.as_of.endswith("Z")


def test_of_what_nobody_was_told_all_is_nothing() -> None:
    told = reach(announcement("a", 3), [], Readers(), NOW_MS)
    assert (told.revision, told.connected, told.p50_ms, told.p99_ms, sum(told.by_second)) == (3, 0, None, None, 0)


def test_the_first_minute_is_told_second_by_second() -> None:
    told = reach(announcement(), [{1: sums([-20, 0, 999, 1000, 59_999, 60_000])}], Readers(), NOW_MS)
    assert (len(told.by_second), told.by_second[0], told.by_second[1], told.by_second[59]) == (60, 3, 1, 1)
    assert (sum(told.by_second), told.measured) == (5, 6)


@given(st.lists(st.integers(0, 100_000), max_size=50), st.lists(st.integers(0, 100_000), max_size=50))
def test_workers_together_know_what_one_alone_would(mine: list[int], theirs: list[int]) -> None:
    both = sums(mine + theirs)
    both.greeted = 2
    apart = reach(announcement(), [{1: sums(mine)}, {1: sums(theirs)}], Readers(), NOW_MS)
    assert apart == reach(announcement(), [{1: both}], Readers(), NOW_MS)


def test_what_is_kept_is_read_again() -> None:
    kept: Revisions = {1: sums([5, 70_000]), 2: Sums()}
    assert decode(encode(17, kept)) == kept
    assert encode(17, kept).startswith(b"17:{")
    assert decode(b'3:{"1":{"of":"another release"}}') == {}
    assert decode(b"") == {}
