"""Which pages are counted, and whether one may be missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from presence.history.ranking import Ranked, Shortlist, before, candidates, ranked, shortlist
from presence.places import Place, Places


def test_a_worker_names_its_most_read_pages() -> None:
    places = Places(100, 100)
    for path, readers in (("/a", 3), ("/b", 1), ("/c", 2), ("/d", 2)):
        for _ in range(readers):
            places.enter("page", path, "")
    places.enter("section", "news", "")
    left = places.enter("page", "/left", "")
    assert left is not None
    places.leave(left, 0.0)
    assert shortlist(places) == Shortlist({"/a": 3, "/c": 2, "/d": 2, "/b": 1}, 0)
    assert shortlist(places, 2) == Shortlist({"/a": 3, "/c": 2}, 2)
    assert shortlist([]) == Shortlist({}, 0)


def test_a_page_that_is_named_nowhere_can_have_what_each_left_out() -> None:
    lists = [Shortlist({"/a": 10, "/b": 5}, 4), Shortlist({"/c": 8, "/b": 6}, 3)]
    assert candidates(lists) == (["/a", "/c", "/b"], 7)
    # Of those that are not counted, the first can have most.
    assert candidates(lists, 1) == (["/a"], 12)
    assert candidates([]) == ([], 0)


def test_pages_are_in_the_order_of_their_readers() -> None:
    one = ranked({"/a": 1, "/b": 3, "/c": 1, "/d": 0}, 0)
    assert list(one.pages.items()) == [("/b", 3), ("/a", 1), ("/c", 1)]
    assert one.top(2) == Ranked({"/b": 3, "/a": 1}, 1)
    assert one.top(2).complete
    assert not Ranked({"/b": 3}, 4).complete
    assert not Ranked({}, 1).complete
    assert Ranked({}, 0).complete


def test_how_it_was_is_known_or_not() -> None:
    assert before("/a", None) is None
    assert before("/a", Ranked({"/a": 4}, 9)) == 4
    assert before("/b", Ranked({"/a": 4}, 0)) == 0
    assert before("/b", Ranked({"/a": 4}, 1)) is None


@given(
    st.lists(st.dictionaries(st.sampled_from([f"/{n}" for n in range(30)]), st.integers(1, 20)), max_size=5),
    st.integers(1, 8),
    st.integers(1, 12),
    st.integers(1, 10),
)
def test_no_page_is_missing_where_it_is_said_that_none_is(
    workers: list[dict[str, int]], named: int, counted: int, shown: int
) -> None:
    truth: dict[str, int] = {}
    for worker in workers:
        for path, readers in worker.items():
            truth[path] = truth.get(path, 0) + readers
    lists = [
        shortlist([Place("page", path, "", readers) for path, readers in worker.items()], named) for worker in workers
    ]
    paths, rest = candidates(lists, counted)
    found = ranked({path: truth[path] for path in paths}, rest).top(shown)
    assert all(found.pages[path] == truth[path] for path in found.pages)
    missing = [readers for path, readers in truth.items() if path not in found.pages]
    assert max(missing, default=0) <= found.rest
    if found.complete and missing:
        assert max(missing) <= min(found.pages.values())
