from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from notifications.announcement import Announcement, Stored
from notifications.merge import merge, winner
from tests.notifications.making import announcement


def report(id: str, revision: int, status: Stored) -> Announcement:
    """A report out of one world, in which a revision of a status has one content."""
    return announcement(id, revision, status=status)


reports = st.builds(report, st.sampled_from("ab"), st.integers(1, 4), st.sampled_from(["live", "recalled"]))
of_one = st.builds(report, st.just("a"), st.integers(1, 4), st.sampled_from(["live", "recalled"]))
heard = st.lists(reports, max_size=8)


@given(of_one, of_one, of_one)
def test_is_idempotent_commutative_and_associative(a: Announcement, b: Announcement, c: Announcement) -> None:
    assert winner(a, a) == a
    assert winner(a, b) == winner(b, a)
    assert winner(winner(a, b), c) == winner(a, winner(b, c))


@given(heard, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_what_is_known(frames: list[Announcement], random: Random) -> None:
    shuffled = [*frames, *frames]
    random.shuffle(shuffled)
    assert merge(merge({}, shuffled), frames) == merge({}, frames)


@given(heard)
def test_what_was_recalled_at_the_last_revision_is_never_live_again(frames: list[Announcement]) -> None:
    for id, one in merge({}, frames).items():
        highest = max(frame.revision for frame in frames if frame.id == id)
        recalled = any(frame.status == "recalled" and frame.revision == highest for frame in frames if frame.id == id)
        assert one.revision == highest
        assert (one.status == "recalled") is recalled


def test_leaves_what_was_known_alone() -> None:
    known = {"a": report("a", 1, "live")}
    merge(known, [report("a", 2, "live")])
    assert known["a"].revision == 1
