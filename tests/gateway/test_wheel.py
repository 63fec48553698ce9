"""The wheel against a model that keeps a list and looks through all of it."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.wheel import SLICE, Timed, Wheel
from tests.patience import until

WIDTH = 0.25
SLOTS = 16


class Item:
    """Something that is due now and then.

    Hashed by its number, so that what a set gives first is the same each time hypothesis runs an example again.
    """

    def __init__(self, again: float = 0.0, number: int = 0) -> None:
        self.slot = 0
        self.number = number
        self.again = again
        self.called_at: list[float] = []

    def __hash__(self) -> int:
        return self.number

    def due(self, now: float) -> float:
        self.called_at.append(now)
        return self.again

    def abort(self) -> None:
        raise AssertionError


# Whole thousandths, so that no sum is a hair off a slot's edge.
seconds = st.integers(0, 20_000).map(lambda thousandths: thousandths / 1000)


class WheelAgainstModel(RuleBasedStateMachine):
    """Nothing is called early, nothing is late by more than a width, and what is discarded is forgotten."""

    @initialize(start=st.integers(0, 10**6))
    def begin(self, start: int) -> None:
        self.now = float(start)
        self.wheel = Wheel(WIDTH, SLOTS)
        self.wheel.turn(self.now)
        self.expected: dict[Item, float] = {}
        self.made = 0

    @rule(ahead=seconds, again=st.one_of(st.just(0.0), seconds.filter(bool)))
    def put(self, ahead: float, again: float) -> None:
        self.made += 1
        item = Item(again, self.made)
        self.wheel.put(item, self.now, ahead)
        self.expected[item] = self.now + ahead

    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        if self.expected:
            item = data.draw(st.sampled_from(list(self.expected)))
            self.wheel.discard(item)
            del self.expected[item]

    @rule()
    def discard_what_is_not_held(self) -> None:
        self.wheel.discard(Item())

    @rule(step=seconds)
    def wait(self, step: float) -> None:
        self.now += step

    @rule(step=seconds, most=st.one_of(st.none(), st.integers(1, 3)))
    def turn(self, step: float, most: int | None) -> None:
        self.now += step
        for item in self.expected:
            item.called_at.clear()
        left = self.wheel.turn(self.now, most)
        called = [item for item in self.expected if item.called_at]
        for item in called:
            assert item.called_at == [self.now]
            assert self.now >= self.expected[item] - 1e-9
            if item.again:
                self.expected[item] = self.now + item.again
            else:
                del self.expected[item]
        late = [item for item, due in self.expected.items() if self.now - due > WIDTH + 1e-9]
        if most is None:
            assert not left
        if not left:
            assert not late
        else:
            assert len(called) == most

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        if hasattr(self, "wheel"):
            assert len(self.wheel) == len(self.expected)


TestWheelAgainstModel = pytest.mark.slow(WheelAgainstModel.TestCase)
TestWheelAgainstModel.settings = settings(max_examples=60, stateful_step_count=30)


@given(st.floats(20.0, 1e6))
def test_a_stop_of_the_process_does_not_run_deadlines_down(stopped: float) -> None:
    """What was due meanwhile is called once, and what it asks for counts from the present."""
    wheel = Wheel(WIDTH, SLOTS)
    wheel.turn(1000.0)
    item = Item(again=1.0)
    wheel.put(item, 1000.0, 0.5)
    now = 1000.0 + stopped
    wheel.turn(now)
    assert item.called_at == [now]
    wheel.turn(now + 0.9)
    assert item.called_at == [now]
    wheel.turn(now + 1.0 + WIDTH)
    assert len(item.called_at) == 2


def test_a_crowd_due_together_is_called_in_slices() -> None:
    wheel = Wheel(WIDTH, SLOTS)
    crowd = [Item() for _ in range(2 * SLICE + 1)]
    for item in crowd:
        wheel.put(item, 0.0, 1.0)
    assert [wheel.turn(2.0, SLICE), wheel.turn(2.0, SLICE), wheel.turn(2.0, SLICE)] == [True, True, False]
    assert all(item.called_at == [2.0] for item in crowd)


def test_an_item_may_discard_another_that_is_due_with_it() -> None:
    wheel = Wheel(WIDTH, SLOTS)

    class Rival(Item):
        other: Rival

        def due(self, now: float) -> float:
            wheel.discard(self.other)
            return super().due(now)

    one, two = Rival(), Rival()
    one.other, two.other = two, one
    wheel.put(one, 0.0, 1.0)
    wheel.put(two, 0.0, 1.0)
    wheel.turn(2.0)
    assert len(one.called_at) + len(two.called_at) == 1


async def test_it_turns_by_itself() -> None:
    wheel = Wheel(width=0.01)
    item = Item()
    turning = asyncio.create_task(wheel.run())
    put_at = time.monotonic()
    wheel.put(item, put_at, 0.03)
    await until(lambda: item.called_at)
    assert item.called_at[0] - put_at >= 0.03
    turning.cancel()
    await asyncio.wait([turning])
    assert turning.cancelled()


def test_one_that_fails_is_ended_and_all_others_go_on() -> None:
    class Broken(Item):
        ended = False

        def due(self, now: float) -> float:
            raise RecursionError

        def abort(self) -> None:
            self.ended = True

    failed: list[tuple[Timed, Exception]] = []
    wheel = Wheel(WIDTH, SLOTS, failed=lambda item, error: failed.append((item, error)))
    items, broken = [Item(number=number) for number in range(3)], Broken(number=9)
    for item in (*items, broken):
        wheel.put(item, 0.0, 1.0)
    assert wheel.turn(2.0) is False
    assert all(item.called_at for item in items)
    assert broken.ended
    assert [(item, type(error)) for item, error in failed] == [(broken, RecursionError)]
    assert len(wheel) == 0
