"""Where readers of the benchmark's portal are."""

from __future__ import annotations

from collections import Counter

from benchmarks.portal import PAGES, SECTIONS, spot


def test_some_pages_have_very_many_readers_and_most_have_few() -> None:
    readers = 20_000
    pages = Counter(spot(number).page for number in range(readers))
    (front, most), *_ = pages.most_common(1)
    assert front.endswith("000000")
    assert 0.08 < most / readers < 0.10
    assert 0.8 * PAGES < len(pages) <= PAGES
    assert len({spot(number).section for number in range(readers)}) == SECTIONS


def test_a_few_readers_are_spread_as_all_of_them_are() -> None:
    front = [number for number in range(5_000, 6_000) if spot(number).page.endswith("000000")]
    assert 80 <= len(front) <= 100
