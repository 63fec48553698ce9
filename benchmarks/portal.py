"""Where a portal's readers are: some pages have very many of them, and most have few. Pure.

Pages are chosen by their rank with a chance of one over it (Zipf's law), as readers of news do: of 2,000 pages the
front page has every eleventh reader and the thousand last together as many.
"""

from __future__ import annotations

from typing import NamedTuple

PAGES, SECTIONS = 2000, 10
# The fractional part of n times the golden ratio: as even as dice, and the same in every run.
_GOLDEN = 0.6180339887498949


class Spot(NamedTuple):
    """Where a reader is."""

    section: str
    page: str


def spot(number: int) -> Spot:
    """Where the reader of this number is; readers of consecutive numbers are spread as all of them are."""
    rank = int(PAGES ** (number * _GOLDEN % 1.0)) - 1
    return Spot(f"muc-{rank % SECTIONS}", f"/muc-{rank % SECTIONS}/bai-viet-{rank:06d}")
