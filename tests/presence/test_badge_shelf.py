"""Badges are made once for all who ask within five seconds, and what is kept has a bound."""

from __future__ import annotations

import asyncio

import pytest

from presence.badge_shelf import Made, Shelf


class Workshop:
    """Makes badges, and counts them."""

    def __init__(self, size: int = 1000) -> None:
        self.now = 0.0
        self.made = 0
        self.size = size
        self.open = asyncio.Event()
        self.open.set()

    async def make(self) -> Made:
        self.made += 1
        number = self.made
        await self.open.wait()
        return Made.of(b"%d" % number + bytes(self.size))


async def test_one_is_made_for_all_who_ask_at_once() -> None:
    shop = Workshop()
    shelf = Shelf(5, 1_000_000, lambda: shop.now)
    shop.open.clear()
    asking = [asyncio.create_task(shelf.get("a", shop.make)) for _ in range(50)]
    await asyncio.sleep(0)
    # One that hangs up does not take it from the others.
    asking.pop(0).cancel()
    shop.open.set()
    assert len({made.tag for made in await asyncio.gather(*asking)}) == 1
    assert shop.made == 1


async def test_it_is_made_again_when_its_time_is_over() -> None:
    shop = Workshop()
    shelf = Shelf(5, 1_000_000, lambda: shop.now)
    first = await shelf.get("a", shop.make)
    shop.now = 4.9
    assert await shelf.get("a", shop.make) is first
    shop.now = 5.0
    assert await shelf.get("a", shop.make) is not first
    assert shop.made == 2 and len(shelf) == 1


async def test_what_is_kept_is_bounded_and_the_oldest_goes() -> None:
    shop = Workshop(size=9_000)
    shelf = Shelf(5, 50_000, lambda: shop.now)
    for key in range(100):
        await shelf.get(key, shop.make)
        await shelf.get(0, shop.make)
    assert len(shelf) == 4
    made = shop.made
    await shelf.get(0, shop.make)
    assert shop.made == made
    await shelf.get(1, shop.make)
    assert shop.made == made + 1


async def test_a_failure_is_told_to_who_asked_and_not_kept() -> None:
    shop = Workshop()
    shelf = Shelf(5, 1_000_000, lambda: shop.now)

    async def fail() -> Made:
        raise RuntimeError("no paint")

    with pytest.raises(RuntimeError):
        await shelf.get("a", fail)
    assert (await shelf.get("a", shop.make)).body.startswith(b"1")
