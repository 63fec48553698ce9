from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from presence.audience import ERROR, MOST_HASHES, Asked, Estimate, Found, Search, sketch, together
from presence.holding import Holding
from presence.identity import Identity
from presence.naming import Naming
from presence.roster import Attention
from presence.settings import PresenceSettings

KEY = b"k" * 32


def holding(site: str = "demo", settings: PresenceSettings | None = None) -> Holding:
    return Holding(site, Naming(Identity(b"s" * 32), site, ZoneInfo("UTC")), settings or PresenceSettings())


def found(*holdings: Holding, key: bytes = KEY, **asked: Any) -> Found:
    search = Search(Asked(sites=("demo",), **asked), key)
    for _ in search.over(holdings):
        pass
    return search.found


def estimate(*holdings: Holding, **asked: Any) -> Estimate:
    return together([found(*holdings, **asked)], 1)


def hashes(number: int, first: int = 0) -> set[bytes]:
    """Evenly spread, as hashes are."""
    return {((one * 0x9E3779B97F4A7C15) % 2**64).to_bytes(8, "big") for one in range(first, first + number)}


def a_portal() -> Holding:
    site = holding()
    site.join(b"one", section="tin", page="/tin/lu")
    site.join(b"one", section="the-thao", page="/the-thao/1")
    site.join(b"two", section="tin", page="/tin/bao/1", attention=Attention.BACKGROUND)
    site.join(b"three", section="", page="/")
    return site


def test_a_page_has_to_meet_every_condition() -> None:
    site = a_portal()
    assert estimate(site) == Estimate(3, 4, True)
    assert estimate(site, sections=("tin",)) == Estimate(2, 2, True)
    assert estimate(site, sections=("tin", "the-thao")) == Estimate(2, 3, True)
    assert estimate(site, paths=("/tin/**",)) == Estimate(2, 2, True)
    assert estimate(site, paths=("/tin/*", "/")) == Estimate(2, 2, True)
    assert estimate(site, visible=True) == Estimate(2, 3, True)
    assert estimate(site, sections=("tin",), visible=True) == Estimate(1, 1, True)
    # Its reader is in the section with one tab and on the page with another: no page is both.
    assert estimate(site, sections=("the-thao",), paths=("/tin/**",)) == Estimate(0, 0, True)


def test_a_reader_on_two_workers_counts_once_and_on_two_sites_twice() -> None:
    one, other = a_portal(), holding()
    other.join(b"one", section="tin", page="/tin/lu")
    other.join(b"four", section="tin", page="/tin/lu")
    assert together([found(one), found(other)], 2) == Estimate(4, 4, True)
    elsewhere = holding("tinh")
    elsewhere.join(b"one", page="/")
    assert together([found(one, elsewhere)], 1).readers == 4


def test_it_is_no_more_than_an_estimate_where_a_worker_said_nothing() -> None:
    assert together([found(a_portal())], 2) == Estimate(3, 4, False)
    assert together([], 1) == Estimate(0, 0, False)


def test_it_is_no_more_than_an_estimate_where_pages_are_not_kept_count_of() -> None:
    site = holding(settings=PresenceSettings(places=1))
    site.join(b"one", page="/a")
    site.join(b"two", page="/b")
    assert estimate(site, paths=("/**",)) == Estimate(1, 1, False)
    assert estimate(site).exact
    nothing = holding(settings=PresenceSettings(scopes=[]))
    nothing.join(b"one", page="/a")
    assert estimate(nothing, paths=("/**",)) == Estimate(0, 0, False)
    assert estimate(nothing, sections=("a",)) == Estimate(0, 0, False)


def test_what_is_told_of_a_reader_is_another_thing_for_each_question() -> None:
    site = a_portal()
    assert found(site).readers != found(site, key=b"x" * 32).readers
    assert b"one" not in found(site).readers.hashes


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_of_sets_that_are_told_whole_the_union_is_exact(mine: int, shift: int) -> None:
    nothing = sketch(set())
    told = [Found(sketch(hashes(mine)), nothing, True), Found(sketch(hashes(mine, shift)), nothing, True)]
    assert together(told, 2).readers == len(hashes(mine) | hashes(mine, shift))


def test_of_very_many_the_least_are_told_and_the_number_is_within_the_error() -> None:
    mine, theirs = hashes(60_000), hashes(40_000, 50_000)
    told = [Found(sketch(one), sketch(set()), True) for one in (mine, theirs)]
    assert [len(one.readers.hashes) // 8 for one in told] == [MOST_HASHES] * 2
    all_of_them = together(told, 2)
    assert not all_of_them.exact
    assert abs(all_of_them.readers - 90_000) < 4 * ERROR * 90_000
